// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import NIOCore
import NIOPosix

/// A client that sends what it is told and reads lines, over a real socket.
enum RawClient {

    /// Connects, runs `body`, and closes.
    static func with<Result: Sendable>(
        port: Int, group: any EventLoopGroup, _ body: (inout Conversation) async throws -> Result
    ) async throws -> Result {
        let channel = try await ClientBootstrap(group: group)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var conversation = Conversation(input: inbound.makeAsyncIterator(), output: outbound)
            return try await body(&conversation)
        }
    }

    struct Conversation {
        fileprivate var input: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        fileprivate let output: NIOAsyncChannelOutboundWriter<ByteBuffer>
        private var buffer = ByteBuffer()

        fileprivate init(
            input: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
            output: NIOAsyncChannelOutboundWriter<ByteBuffer>
        ) {
            self.input = input
            self.output = output
        }

        func send(_ text: String) async throws {
            try await output.write(ByteBuffer(string: text))
        }

        func send(_ octets: ByteBuffer) async throws {
            try await output.write(octets)
        }

        /// The next line without CRLF; nil at the end.
        mutating func line() async throws -> String? {
            while true {
                if let feed = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = buffer.readString(length: feed + 1 - buffer.readerIndex)
                    return line.map { String($0.dropLast()) }
                }
                guard var more = try await input.next(isolation: #isolation) else { return nil }
                buffer.writeBuffer(&more)
            }
        }

        /// The last line of the next reply; nil at the end.
        mutating func reply() async throws -> String? {
            while let line = try await line() {
                if line.utf8.dropFirst(3).first != UInt8(ascii: "-") { return line }
            }
            return nil
        }

        /// Sends a line and returns the last line of the reply.
        mutating func ask(_ line: String) async throws -> String? {
            try await send(line + "\r\n")
            return try await reply()
        }
    }
}
