// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail
import NIOCore
import NIOPosix
import SMTP

/// `TestSubmission` is in charge of handing one small message to a relay as an application would, and of showing every
/// line of the conversation.
///
/// It is what `waxwing send` does.
package struct TestSubmission: Sendable {
    /// How long a reply may take before the relay counts as hung.
    private static let replyTimeLimit = TimeAmount.seconds(300)
    private static let connectTimeLimit = TimeAmount.seconds(10)

    /// Where the relay listens.
    package var host: String
    package var port: Int
    package var sender: Mailbox
    package var recipients: [Mailbox]
    package var subject: String
    package var body: String

    package init(
        host: String, port: Int, sender: Mailbox, recipients: [Mailbox], subject: String = "A test from Waxwing",
        body: String = "This message was made by `waxwing send`.\r\n"
    ) {
        self.host = host
        self.port = port
        self.sender = sender
        self.recipients = recipients
        self.subject = subject
        self.body = body
    }

    /// Runs the conversation.
    ///
    /// - Parameter show: gets each line: `S: ` and what the relay said, `C: ` and what was said to it.
    /// - Returns: the text of the reply that accepted the message.
    /// - Throws: `TestSubmissionError`.
    package func run(show: @Sendable (String) -> Void) async throws -> String {
        let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(Self.connectTimeLimit)
                .connect(host: host, port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            IdleStateHandler(readTimeout: Self.replyTimeLimit))
                        try channel.pipeline.syncOperations.addHandler(CloseWhenIdle())
                        return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                    }
                }
        } catch {
            throw TestSubmissionError.notReached(host: host, port: port, reason: "\(error)")
        }
        return try await channel.executeThenClose { inbound, outbound in
            var iterator = inbound.makeAsyncIterator()
            var dialogue = Dialogue()
            return try await converse(
                next: { try await dialogue.reply(from: &iterator, show: show) },
                say: { try await outbound.write(ByteBuffer(string: $0)) }, show: show)
        }
    }

    private func converse(
        next: () async throws -> PeerReply, say: (String) async throws -> Void, show: @Sendable (String) -> Void
    ) async throws -> String {
        try expect(2, try await next(), after: "the connection")
        var commands = ["EHLO localhost", "MAIL FROM:<\(sender)>"]
        commands += recipients.map { "RCPT TO:<\($0)>" }
        for command in commands {
            show("C: " + command)
            try await say(command + "\r\n")
            try expect(2, try await next(), after: command)
        }
        show("C: DATA")
        try await say("DATA\r\n")
        try expect(3, try await next(), after: "DATA")
        for line in content.split(separator: "\r\n", omittingEmptySubsequences: false).dropLast() {
            show("C: " + line)
        }
        show("C: .")
        // RFC 5321 §4.5.2: a line that begins with a dot gets another.
        try await say(content.replacing("\r\n.", with: "\r\n..") + ".\r\n")
        let reply = try await next()
        try expect(2, reply, after: "the content")
        show("C: QUIT")
        try await say("QUIT\r\n")
        _ = try? await next()
        return String(decoding: reply.text, as: UTF8.self)
    }

    /// Date and Message-ID are left to the relay, as simple applications leave them.
    private var content: String {
        let to = recipients.map(\.description).joined(separator: ",\r\n ")
        return "From: \(sender)\r\nTo: \(to)\r\nSubject: \(subject)\r\n\r\n\(body)"
    }

    private func expect(_ firstDigit: Int, _ reply: PeerReply, after command: String) throws {
        guard reply.code / 100 == firstDigit else {
            let text = String(decoding: reply.text, as: UTF8.self)
            throw TestSubmissionError.refused(command: command, reply: "\(reply.code) \(text)")
        }
    }
}

/// Reads replies off a connection and shows their lines.
private struct Dialogue {
    private var parser = ReplyParser()
    private var pending = ByteBuffer()

    mutating func reply(
        from iterator: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, show: @Sendable (String) -> Void
    ) async throws -> PeerReply {
        while true {
            if let reply = try parser.next(from: &pending) {
                let lines = reply.text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                for (index, line) in lines.enumerated() {
                    let mark = index == lines.count - 1 ? " " : "-"
                    show("S: \(reply.code)\(mark)\(String(decoding: line, as: UTF8.self))")
                }
                return reply
            }
            guard var part = try await iterator.next(isolation: #isolation) else { throw TestSubmissionError.hungUp }
            pending.writeBuffer(&part)
        }
    }
}

/// Ends a connection on which no reply comes.
private final class CloseWhenIdle: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
    }
}

/// Why a test message was not taken.
package enum TestSubmissionError: Error, CustomStringConvertible {
    case notReached(host: String, port: Int, reason: String)
    case hungUp
    case refused(command: String, reply: String)

    package var description: String {
        switch self {
        case .notReached(let host, let port, let reason):
            "can't connect to \(host) port \(port): \(reason); is the relay running (`waxwing status`)?"
        case .hungUp: "the relay closed the connection without a reply"
        case .refused(let command, let reply): "the relay refused after \(command): \(reply)"
        }
    }
}
