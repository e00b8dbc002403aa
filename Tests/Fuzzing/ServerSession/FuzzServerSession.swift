// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import FuzzSupport
import Mail
import NIOCore

@testable import SMTP

/// Whatever a client says, and wherever the network cuts it: a message is what stands between a 354 and the first
/// CRLF.CRLF behind it, or in the chunks that were announced, never more than one; every reply is one by its grammar;
/// what waits is bounded; nobody is let in without the secret.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe FuzzInput(start, count)
    let options = input.choice()
    let seed = input.choice()
    var client = Client(options: options)
    let wire = input.bytes
    client.connect()
    for piece in options & 8 == 0 ? lines(of: wire) : pieces(of: wire, seed: seed) {
        guard !client.isClosed else { break }
        client.send(piece)
    }
    if !client.isClosed {
        if options & 16 != 0 { client.drain() } else { client.timeOut() }
    }
    return 0
}

/// As a client sends them that waits for each reply.
private func lines(of wire: [UInt8]) -> [ArraySlice<UInt8>] {
    var lines: [ArraySlice<UInt8>] = []
    var start = 0
    for index in wire.indices where wire[index] == 10 {
        lines.append(wire[start...index])
        start = index + 1
    }
    if start < wire.count { lines.append(wire[start...]) }
    return lines
}

/// Runs the actions of one session and checks each.
private struct Client {
    private static let maximumOctets = 1000
    private static let maximumRecipients = 5

    private var session: ServerSession
    private let policy: BareLineFeed
    /// All that was sent.
    private var wire: [UInt8] = []
    private var content: Content?
    private(set) var isClosed = false
    /// Submits without showing who it is.
    private let mayAlways: Bool

    /// What follows a 354.
    private struct Content {
        /// Where in the wire it starts.
        var start: Int
        var bytes: [UInt8] = []
        var isAbandoned = false
        /// It comes by BDAT.
        var isChunked: Bool
    }

    init(options: UInt8) {
        policy = options & 1 == 0 ? .reject : .normalise
        var configuration = ServerSession.Configuration(
            hostname: "relay.example.com", maximumMessageOctets: Self.maximumOctets,
            maximumRecipients: Self.maximumRecipients, maximumCommandOctets: 512, maximumErrors: 20,
            maySubmit: options & 2 == 0)
        configuration.bareLineFeed = policy
        configuration.offersStartTLS = options & 4 != 0
        configuration.authentication = AuthenticationOffer(
            hasPasswords: options & 32 != 0, hasCertificates: options & 64 != 0, isLocal: options & 128 != 0)
        mayAlways = configuration.maySubmit
        session = ServerSession(configuration: configuration, peerAddress: "127.0.0.1")
    }

    mutating func connect() {
        switch session.connected() {
        case .reply(let reply): check(reply)
        case .replyAndClose(let reply): close(reply)
        }
    }

    mutating func send(_ octets: ArraySlice<UInt8>) {
        wire += octets
        session.received(ByteBuffer(bytes: octets))
        while !isClosed, let action = session.next() { run(action) }
        let limit = ServerSession.maximumResponseOctets
        require(isClosed || session.unreadOctets <= limit, "no more than a line waits")
    }

    mutating func drain() {
        if case .replyAndClose(let reply) = session.drain() { close(reply) }
    }

    mutating func timeOut() {
        if case .replyAndClose(let reply) = session.timedOut() { close(reply) }
    }

    private mutating func run(_ action: ServerSession.OnInput) {
        switch action {
        case .reply(let reply):
            check(reply)
        case .replyAndClose(let reply):
            close(reply)
        case .askAdmission(let size):
            require(size.map { $0 <= Self.maximumOctets } ?? true, "what is too large is not asked for")
            check(session.admissionAnswered(nil))
        case .beginContent(let submission, let reply):
            if let reply {
                require(reply.octets.starts(with: "354 ".utf8), "content follows a 354")
                check(reply)
            }
            require(mayAlways, "nobody submits who may not: no secret is ever right here")
            require((1...Self.maximumRecipients).contains(submission.envelope.recipients.count), "it has recipients")
            require(content == nil, "one content at a time")
            content = Content(start: wire.count - session.unreadOctets, isChunked: reply == nil)
        case .content(let octets):
            require(content?.isAbandoned == false, "content has begun and is wanted")
            content?.bytes += octets.readableBytesView
        case .ask:
            // Whatever is asked, the secret was wrong.
            run(session.authenticationAnswered(.rejected))
        case .startTLS(let reply):
            check(reply)
            require(session.unreadOctets == 0, "nothing that was said in the clear is read under TLS")
            session.secured()
        case .dropContent:
            require(content?.isAbandoned == false, "a content that is wanted is taken back")
            content = nil
        case .abandonContent:
            require(content?.isAbandoned == false, "a fault is told once")
            content?.isAbandoned = true
        case .finishContent:
            finish()
            check(session.intakeEnded(.accepted(QueueID(arrival: Timestamp(milliseconds: 1), distinguisher: 1))))
        }
        // The end of an abandoned content is answered, and a command may follow.
        if content?.isAbandoned == true, !session.isInContent { content = nil }
    }

    private mutating func finish() {
        guard let content, !content.isAbandoned else { return require(false, "a content that is wanted is finished") }
        self.content = nil
        require(content.bytes.count <= Self.maximumOctets, "the content keeps to the limit")
        require(!content.bytes.contains(0), "no NUL")
        defer { checkLineEnds(content.bytes) }
        guard !content.isChunked else { return }
        let taken = [13, 10] + wire[content.start..<(wire.count - session.unreadOctets)]
        let end: [UInt8] = [13, 10, 46, 13, 10]
        let ends = taken.indices.filter { taken[$0...].starts(with: end) }
        require(ends == [taken.count - end.count], "a message ends at the first CRLF.CRLF")
    }

    private func checkLineEnds(_ bytes: [UInt8]) {
        for (index, byte) in bytes.enumerated() {
            if byte == 10 { require(index > 0 && bytes[index - 1] == 13, "no bare LF") }
            if byte == 13 { require(index + 1 < bytes.count && bytes[index + 1] == 10, "no bare CR") }
        }
    }

    private mutating func close(_ reply: Reply) {
        check(reply)
        isClosed = true
        require(session.next() == nil, "a session that is over does nothing more")
    }

    /// RFC 5321 §4.2: three digits, a hyphen on all lines but the last, printable text, CRLF, at most 512 octets.
    private func check(_ reply: Reply) {
        let text = reply.octets
        require(text.suffix(2) == [13, 10], "a reply ends with CRLF")
        let lines = text.dropLast(2).split(separator: 10, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let isLast = index == lines.count - 1
            let line = isLast ? line : line.dropLast()
            require(line.count <= 510, "a reply line has at most 512 octets")
            require(line.allSatisfy { (32...126).contains($0) }, "a reply is printable")
            require(line.prefix(3).allSatisfy { (48...57).contains($0) }, "a reply has a code")
            require(line.dropFirst(3).first == (isLast ? 32 : 45), "a reply has one last line")
        }
    }
}
