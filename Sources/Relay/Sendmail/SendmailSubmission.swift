// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import NIOCore
import SMTP

/// SendmailSubmission is in charge of handing a message to the daemon: it carries what a `ClientSession` says over a
/// `SubmissionSocket`, and waits for the reply to the end of data.
struct SendmailSubmission {
    let place: SubmissionPlace
    /// The argument of EHLO.
    let hostname: String

    /// How long a reply may take before the daemon counts as down.
    private static let replySeconds = 30
    /// RFC 5321 §4.5.3.2.6: the server is writing the message to the disk.
    private static let endSeconds = 600
    private static let chunkOctets = 64 * 1024

    /// - Returns: what became of each recipient, in order.
    func submit(_ message: SendmailMessage) -> [Outcome] {
        var run = Run(self, message)
        do {
            let socket = try SubmissionSocket(place)
            run.converse(over: socket)
        } catch {
            run.deferOpen("can't connect: \(error)")
        }
        return run.outcomes
    }

    private struct Run {
        let message: SendmailMessage
        let remote: String
        var session: ClientSession
        var parser = ReplyParser()
        var pending = ByteBuffer()
        /// Nil: not judged yet.
        var results: [Outcome?]

        init(_ submission: SendmailSubmission, _ message: SendmailMessage) {
            self.message = message
            remote = submission.place.description
            session = ClientSession(.init(heloName: submission.hostname, tls: .off, remote: remote))
            results = Array(repeating: nil, count: message.recipients.count)
        }

        var outcomes: [Outcome] { results.compactMap { $0 } }

        private var open: [Int] { results.indices.filter { results[$0] == nil } }

        mutating func deferOpen(_ reason: String) {
            let diagnostic = Diagnostic(
                status: EnhancedStatusCode(4, 4, 1), text: reason, remote: remote, owner: .operator)
            for index in open { results[index] = .deferred(diagnostic) }
        }

        mutating func converse(over socket: SubmissionSocket) {
            var action = ClientAction.wait
            var asked: [Int] = []
            while true {
                do throws(SubmissionFault) {
                    switch action {
                    case .wait:
                        action = session.received(try reply(from: socket))
                    case .send(let buffer):
                        try socket.send(buffer)
                        action = .wait
                    case .sendContent:
                        try send(to: socket)
                        session.contentSent()
                        action = .wait
                    case .ready:
                        asked = open
                        action = session.begin(transaction(asked))
                    case .finished(let result):
                        for (index, outcome) in zip(asked, result.outcomes) { results[index] = outcome }
                        guard !open.isEmpty else {
                            // RFC 5321 §4.1.1.10: the reply would tell nothing any more.
                            if let quit = session.quit() { try? socket.send(quit) }
                            return
                        }
                        guard result.canContinue, open.count < asked.count else {
                            return deferOpen("the relay took no more recipients")
                        }
                        action = .ready
                    case .startTLS:
                        return deferOpen("the session went out of step")
                    case .close(let refusal):
                        return close(refusal)
                    }
                } catch {
                    action = session.lost("\(error)")
                }
            }
        }

        private mutating func close(_ refusal: SessionRefusal?) {
            guard let refusal else { return deferOpen("the session ended early") }
            let isFinal = refusal.diagnostic.replyCode.map { $0 >= 500 } ?? false
            for index in open {
                results[index] = isFinal ? .failed(refusal.diagnostic) : .deferred(refusal.diagnostic)
            }
        }

        private mutating func reply(from socket: SubmissionSocket) throws(SubmissionFault) -> PeerReply {
            let seconds =
                session.waiting == .end ? SendmailSubmission.endSeconds : SendmailSubmission.replySeconds
            while true {
                do throws(ReplyError) {
                    if let reply = try parser.next(from: &pending) { return reply }
                } catch {
                    throw SubmissionFault(description: "\(error)")
                }
                try socket.receive(into: &pending, withinSeconds: seconds)
            }
        }

        private func send(to socket: SubmissionSocket) throws(SubmissionFault) {
            var stuffer = DotStuffer()
            var position = 0
            do {
                while position < message.content.count {
                    let end = min(position + SendmailSubmission.chunkOctets, message.content.count)
                    var buffer = ByteBuffer()
                    let result = unsafe message.content[position..<end].withUnsafeBytes { bytes in
                        Result { () throws(ContentError) in unsafe try stuffer.write(bytes, into: &buffer) }
                    }
                    try result.get()
                    try socket.send(buffer)
                    position = end
                }
                var buffer = ByteBuffer()
                try stuffer.finish(into: &buffer)
                try socket.send(buffer)
            } catch {
                throw error as? SubmissionFault ?? SubmissionFault(description: "\(error)")
            }
        }

        private func transaction(_ indices: [Int]) -> ClientTransaction {
            ClientTransaction(
                reversePath: message.reversePath, recipients: indices.map { message.recipients[$0] },
                size: message.content.count, isEightBit: message.content.contains { $0 > 127 })
        }
    }
}
