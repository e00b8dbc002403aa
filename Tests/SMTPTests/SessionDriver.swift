// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import NIOCore
import SMTP

/// Stands in for the channel and the intake: feeds a session, runs its actions, remembers what came of them.
struct SessionDriver {
    var session: ServerSession
    /// What was written, in lines without CRLF.
    var output: [String] = []
    var isClosed = false
    /// The contents that were finished and not looked at yet.
    var messages: [[UInt8]] = []
    /// What the session said was repaired in each content that was finished.
    var repairs: [[Repair]] = []
    var submissions: [Submission] = []
    /// What the intake answers next, if not yes.
    var refusal: IntakeRefusal?
    /// What a question of AUTH is answered with next, if not by `Secrets`.
    var answer: AuthenticationAnswer?
    /// Why contents were abandoned.
    var faults: [DataDecoder.Fault] = []
    /// How often a client took back what it had sent.
    var dropped = 0
    private var content: [UInt8]?
    private var accepted: UInt64 = 0

    init(_ configuration: ServerSession.Configuration) {
        session = ServerSession(configuration: configuration, peerAddress: "127.0.0.1")
    }

    mutating func connect() {
        switch session.connected() {
        case .reply(let reply): write(reply)
        case .replyAndClose(let reply): close(reply)
        }
    }

    mutating func send(_ octets: some Sequence<UInt8>) {
        guard !isClosed else { return }
        session.received(ByteBuffer(bytes: octets))
        run()
    }

    mutating func send(_ text: String) {
        send(Array(text.utf8))
    }

    mutating func drain() {
        if case .replyAndClose(let reply) = session.drain() { close(reply) }
    }

    mutating func timeOut() {
        if case .replyAndClose(let reply) = session.timedOut() { close(reply) }
    }

    mutating func secure() {
        session.secured()
        run()
    }

    private mutating func run() {
        while !isClosed, let action = session.next() {
            switch action {
            case .reply(let reply):
                write(reply)
            case .replyAndClose(let reply):
                close(reply)
            case .ask(let question):
                authenticate(question)
            case .askAdmission:
                write(session.admissionAnswered(takeRefusal()))
            case .beginContent(let submission, let reply):
                submissions.append(submission)
                content = []
                if let reply { write(reply) }
            case .content(let octets):
                content?.append(contentsOf: octets.readableBytesView)
            case .abandonContent(let fault):
                content = nil
                faults.append(fault)
            case .dropContent:
                content = nil
                dropped += 1
            case .finishContent(let repairs):
                self.repairs.append(repairs)
                messages.append(content ?? Array("finished, but abandoned before".utf8))
                content = nil
                write(session.intakeEnded(takeResult()))
            case .startTLS(let reply):
                write(reply)
            }
        }
    }

    private mutating func authenticate(_ question: AuthenticationQuestion) {
        defer { answer = nil }
        switch session.authenticationAnswered(answer ?? Secrets.answer(question)) {
        case .reply(let reply): write(reply)
        case .replyAndClose(let reply): close(reply)
        case let action: preconditionFailure("\(action) after an answer")
        }
    }

    private mutating func takeRefusal() -> IntakeRefusal? {
        defer { refusal = nil }
        return refusal
    }

    private mutating func takeResult() -> IntakeResult {
        if let refusal = takeRefusal() { return .refused(refusal) }
        accepted += 1
        return .accepted(QueueID(arrival: Timestamp(milliseconds: 1), distinguisher: accepted))
    }

    private mutating func write(_ reply: Reply) {
        let text = String(decoding: reply.octets, as: UTF8.self)
        output += text.split(separator: "\r\n").map(String.init)
    }

    private mutating func close(_ reply: Reply) {
        write(reply)
        isClosed = true
    }
}
