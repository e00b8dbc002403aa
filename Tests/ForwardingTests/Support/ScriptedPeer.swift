// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A next hop in this process that does what a script says.
final class ScriptedPeer: Sendable {
    enum Step: Hashable, Sendable {
        /// One reply; lines separated by LF are sent as they are.
        case reply(String)
        /// The connection is closed instead of an answer.
        case drop
        /// No answer.
        case silence
        /// The reply, and behind it in the same packet bytes that nobody asked for.
        case replyAnd(String, String)
        /// The reply, and the connection is closed.
        case replyAndDrop(String)
        /// 354, and the connection is closed once this many octets of content have come.
        case dropInContent(Int)
        /// 220, then TLS.
        case secure
    }

    /// By `connect`, the verb of a command, `RCPT <address>`, or `end` for the end of data.
    typealias Script = [String: Step]

    struct Message: Hashable, Sendable {
        var mail: String
        var recipients: [String]
        /// Dot-unstuffed.
        var content: [UInt8]
        var wasSecure: Bool
    }

    struct Seen: Sendable {
        var connections = 0
        var open = 0
        var mostOpen = 0
        var commands: [String] = []
        var messages: [Message] = []
    }

    let port: Int
    private let channel: any Channel

    /// - Parameter scripts: for the first, second, … connection; the last one also for all later ones.
    static func start(
        _ scripts: [Script] = [[:]], extensions: [String] = ["PIPELINING", "8BITMIME", "SIZE 100000000"],
        at address: String = "127.0.0.1", port: Int = 0, on group: any EventLoopGroup
    ) async throws -> ScriptedPeer {
        let book = Book()
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let number = book.connected()
                    let handler = PeerHandler(
                        script: scripts[min(number, scripts.count - 1)], extensions: extensions, book: book)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(host: address, port: port).get()
        return ScriptedPeer(channel: channel, book: book)
    }

    private let book: Book

    private init(channel: any Channel, book: Book) {
        self.channel = channel
        self.book = book
        self.port = channel.localAddress?.port ?? 0
    }

    var seen: Seen { book.seen.withLock { $0 } }

    func stop() async {
        try? await channel.close()
    }

    final class Book: Sendable {
        let seen = Mutex(Seen())

        func connected() -> Int {
            seen.withLock { seen in
                seen.connections += 1
                seen.open += 1
                seen.mostOpen = max(seen.mostOpen, seen.open)
                return seen.connections - 1
            }
        }
    }
}

/// `@unchecked Sendable`, because 1.
///
/// it is touched on its channel's event loop alone.
private final class PeerHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let script: ScriptedPeer.Script
    private let extensions: [String]
    private let book: ScriptedPeer.Book
    private var input: [UInt8] = []
    private var isInContent = false
    private var contentLimit: Int?
    private var isSecure = false
    private var isMute = false
    /// The command that MAIL accepted; empty outside a transaction.
    private var mail = ""
    private var recipients: [String] = []

    init(script: ScriptedPeer.Script, extensions: [String], book: ScriptedPeer.Book) {
        self.script = script
        self.extensions = extensions
        self.book = book
    }

    func channelActive(context: ChannelHandlerContext) {
        run(script["connect"] ?? .reply("220 mx.example.net ESMTP"), context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        book.seen.withLock { $0.open -= 1 }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        input += Array(unwrapInboundIn(data).readableBytesView)
        while context.channel.isActive, !isMute {
            if isInContent {
                guard takeContent(context) else { return }
            } else {
                guard let end = input.firstIndex(of: 10) else { return }
                let line = String(decoding: input[..<end].dropLast(), as: UTF8.self)
                input.removeFirst(end + 1)
                command(line, context)
            }
        }
    }

    private func command(_ line: String, _ context: ChannelHandlerContext) {
        book.seen.withLock { $0.commands.append(line) }
        let verb = String(line.prefix(4)).uppercased()
        let key = line.hasPrefix("STARTTLS") ? "STARTTLS" : verb
        let address = String(line.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" })
        let step = script["\(key) \(address)"] ?? script[key] ?? usual(verb)
        if case .reply(let text) = step, text.hasPrefix("2") {
            switch verb {
            case "MAIL":
                mail = line
                recipients = []
            case "RCPT": recipients.append(address)
            default: break
            }
        }
        run(step, context)
    }

    private func usual(_ verb: String) -> ScriptedPeer.Step {
        switch verb {
        case "EHLO":
            let lines = ["mx.example.net"] + extensions
            let text = lines.enumerated().map { $0 == lines.count - 1 ? "250 \($1)" : "250-\($1)" }
            return .reply(text.joined(separator: "\n"))
        case "RSET":
            (mail, recipients) = ("", [])
            return .reply("250 ok")
        case "RCPT" where mail.isEmpty: return .reply("503 5.5.1 MAIL first")
        case "MAIL" where !mail.isEmpty: return .reply("503 5.5.1 nested MAIL")
        case "DATA": return recipients.isEmpty ? .reply("554 5.5.1 no recipients") : .reply("354 go on")
        case "QUIT": return .replyAndDrop("221 bye")
        default: return .reply("250 ok")
        }
    }

    private func run(_ step: ScriptedPeer.Step, _ context: ChannelHandlerContext) {
        switch step {
        case .reply(let text):
            write(text, context)
            if text.hasPrefix("354") { isInContent = true }
        case .replyAnd(let text, let more):
            write(text + "\n" + more, context)
        case .replyAndDrop(let text):
            write(text, context)
            context.close(promise: nil)
        case .drop: context.close(promise: nil)
        case .silence: isMute = true
        case .dropInContent(let octets):
            isInContent = true
            contentLimit = octets
            write("354 go on", context)
        case .secure:
            write("220 ready", context)
            do {
                let certificate = try NIOSSLCertificate(bytes: Array(PeerCertificate.certificate.utf8), format: .pem)
                let configuration = TLSConfiguration.makeServerConfiguration(
                    certificateChain: [.certificate(certificate)],
                    privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(PeerCertificate.key.utf8), format: .pem)))
                let handler = NIOSSLServerHandler(context: try NIOSSLContext(configuration: configuration))
                try context.pipeline.syncOperations.addHandler(handler, position: .first)
                isSecure = true
            } catch {
                context.close(promise: nil)
            }
        }
    }

    private func write(_ text: String, _ context: ChannelHandlerContext) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: lines + "\r\n")), promise: nil)
    }

    /// True once the content is complete.
    private func takeContent(_ context: ChannelHandlerContext) -> Bool {
        if let contentLimit, input.count >= contentLimit {
            context.close(promise: nil)
            return false
        }
        // Only the tail is searched: contents of megabytes come in many pieces.
        guard input.suffix(3) == [46, 13, 10], input.count == 3 || input.dropLast(3).suffix(2) == [13, 10] else {
            return false
        }
        let lines = input.dropLast(3)
        var content: [UInt8] = []
        content.reserveCapacity(lines.count)
        var isAtLineStart = true
        for octet in lines {
            if !(isAtLineStart && octet == 46) { content.append(octet) }
            isAtLineStart = octet == 10
        }
        input = []
        isInContent = false
        defer { (mail, recipients) = ("", []) }
        let step = script["end"] ?? .reply("250 2.0.0 taken")
        if case .reply(let text) = step, text.hasPrefix("2") {
            let message = ScriptedPeer.Message(
                mail: mail, recipients: recipients, content: content, wasSecure: isSecure)
            book.seen.withLock { $0.messages.append(message) }
        }
        run(step, context)
        return true
    }
}
