// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// `ControlClient` is in charge of asking a running daemon over its control socket: one request a connection.
package struct ControlClient: Sendable {
    /// A daemon that does not answer within this time is told to the user.
    package static let timeLimitSeconds: Int64 = 30
    /// The same for commands on keys: name servers are asked, and a publisher's program runs.
    package static let keyTimeLimitSeconds: Int64 = 120
    private static let maximumAnswerOctets = 64 * 1024 * 1024

    private let socketPath: String

    package init(socketPath: String) {
        self.socketPath = socketPath
    }

    package func get<Document: Decodable>(
        _ path: String, as type: Document.Type
    ) async throws(ControlError) -> Document {
        try decode(try await send(.GET, path, body: nil, Self.timeLimitSeconds), as: type)
    }

    package func post<Document: Decodable>(
        _ path: String, _ request: (some Encodable)?, as type: Document.Type,
        timeLimitSeconds: Int64 = ControlClient.timeLimitSeconds
    ) async throws(ControlError) -> Document {
        var body: Data?
        if let request {
            do {
                body = try JSONEncoder().encode(request)
            } catch {
                throw .refused("the request can't be written as JSON: \(error)")
            }
        }
        return try decode(try await send(.POST, path, body: body, timeLimitSeconds), as: type)
    }

    /// For requests that are answered with no body.
    package func post(_ path: String) async throws(ControlError) {
        let answer = try await send(.POST, path, body: nil, Self.timeLimitSeconds)
        guard (200..<300).contains(answer.status) else { throw refusal(answer) }
    }

    private func decode<Document: Decodable>(
        _ answer: Answer, as type: Document.Type
    ) throws(ControlError) -> Document {
        // A refused reload is a document too: only its status differs.
        if !(200..<300).contains(answer.status), answer.status != 422 { throw refusal(answer) }
        do {
            return try JSONDecoder().decode(type, from: Data(answer.body.readableBytesView))
        } catch {
            throw .noAnswer(path: socketPath, reason: "its answer is not what this version expects")
        }
    }

    private func refusal(_ answer: Answer) -> ControlError {
        let document = try? JSONDecoder().decode(ControlErrorDocument.self, from: Data(answer.body.readableBytesView))
        return .refused(document?.error ?? "the daemon answered with HTTP status \(answer.status)")
    }

    private func send(
        _ method: HTTPMethod, _ path: String, body: Data?, _ timeLimitSeconds: Int64
    ) async throws(ControlError) -> Answer {
        let promise = MultiThreadedEventLoopGroup.singleton.any().makePromise(of: Answer.self)
        let channel: any Channel
        do {
            channel = try await connect(promise).get()
        } catch {
            promise.fail(error)
            let code = (error as? IOError)?.errnoCode
            throw code == EACCES || code == EPERM ? .noPermission(path: socketPath) : .noDaemon(path: socketPath)
        }
        let timeout = channel.eventLoop.scheduleTask(in: .seconds(timeLimitSeconds)) {
            promise.fail(ControlError.noAnswer(path: socketPath, reason: "none within \(timeLimitSeconds) s"))
        }
        write(method, path, body: body, to: channel)
        defer {
            timeout.cancel()
            channel.close(promise: nil)
        }
        do {
            return try await promise.futureResult.get()
        } catch {
            throw error as? ControlError ?? .noAnswer(path: socketPath, reason: "\(error)")
        }
    }

    private func connect(_ promise: EventLoopPromise<Answer>) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(
                        AnswerHandler(promise, maximumOctets: Self.maximumAnswerOctets))
                }
            }
            .connect(unixDomainSocketPath: socketPath)
    }

    private func write(_ method: HTTPMethod, _ path: String, body: Data?, to channel: any Channel) {
        let headers: HTTPHeaders = [
            "Host": "waxwing", "Connection": "close", "Content-Length": "\(body?.count ?? 0)",
            "Content-Type": "application/json",
        ]
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if let body { channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil) }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }

    fileprivate struct Answer: Sendable {
        var status: Int
        var body: ByteBuffer
    }

    private final class AnswerHandler: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart

        private let promise: EventLoopPromise<Answer>
        private let maximumOctets: Int
        private var answer = Answer(status: 0, body: ByteBuffer())

        init(_ promise: EventLoopPromise<Answer>, maximumOctets: Int) {
            self.promise = promise
            self.maximumOctets = maximumOctets
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): answer.status = Int(head.status.code)
            case .body(var part):
                guard answer.body.readableBytes + part.readableBytes <= maximumOctets else {
                    promise.fail(ControlError.refused("the answer has over \(maximumOctets) octets: ask for less"))
                    return context.close(promise: nil)
                }
                answer.body.writeBuffer(&part)
            case .end: promise.succeed(answer)
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            promise.fail(ChannelError.eof)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            promise.fail(error)
            context.close(promise: nil)
        }
    }
}
