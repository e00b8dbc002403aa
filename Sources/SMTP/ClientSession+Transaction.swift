// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail
import NIOCore

// The part of a session between MAIL and the reply to the end of data.
extension ClientSession {
    /// Begins a transaction; the session must be ready.
    ///
    /// Either commands to send, or the result when the next hop's extensions already say that it is no use.
    package mutating func begin(_ transaction: ClientTransaction) -> ClientAction {
        precondition(state == .ready, "a transaction begins in a ready session")
        precondition(!transaction.recipients.isEmpty, "a transaction has recipients")
        var current = ClientExchange(transaction, awaiting: needsReset ? .reset : .mail)
        if let fault = misfit(transaction) {
            current.settleOpen(.failed(fault))
            return .finished(current.result(canContinue: true))
        }
        for index in transaction.recipients.indices where !isPlain(transaction.recipients[index]) {
            current.recipients[index] = .settled(.failed(notPlain))
        }
        guard let first = current.pending(from: 0) else {
            return .finished(current.result(canContinue: true))
        }
        state = .transaction
        defer { exchange = current }
        var buffer = ByteBuffer()
        if current.awaiting == .reset {
            buffer.writeStaticString("RSET\r\n")
            guard extensions.hasPipelining else { return .send(buffer) }
        }
        write(mail: transaction, into: &buffer)
        guard extensions.hasPipelining else { return .send(buffer) }
        // RFC 2920 §3.1: MAIL, RCPT and RSET anywhere in a group, DATA last.
        var next: Int? = first
        while let index = next {
            write(recipient: index, of: transaction, into: &buffer)
            next = current.pending(from: index + 1)
        }
        buffer.writeStaticString("DATA\r\n")
        return .send(buffer)
    }

    /// Content and end of data are handed to the network.
    package mutating func contentSent() {
        guard exchange?.awaiting == .content else { return }
        exchange?.awaiting = .end
    }

    /// The content turned out to be unusable after DATA.
    ///
    /// The connection can only be closed, so that the next hop never sees an end of data.
    package mutating func contentFailed(_ outcome: Outcome) -> ClientAction {
        guard var current = exchange else { return .wait }
        exchange = nil
        current.settleOpen(outcome)
        return finish(current, canContinue: false)
    }

    mutating func transactionReceived(_ reply: PeerReply) -> ClientAction {
        // Taken out while it changes, so that its arrays are changed in place.
        guard var current = exchange else { return .wait }
        exchange = nil
        let action = answer(reply, &current)
        if state == .transaction { exchange = current }
        return action
    }

    private mutating func answer(_ reply: PeerReply, _ current: inout ClientExchange) -> ClientAction {
        current.wasHeard = true
        // RFC 5321 §3.8: after 421 the next hop closes, whatever was asked.
        if reply.code == 421 {
            current.settleOpen(.deferred(diagnostic(reply, current.awaiting)))
            return finish(current, canContinue: false)
        }
        switch current.awaiting {
        case .reset:
            guard reply.isPositive else { return outOfStep(&current, reply) }
            needsReset = false
            current.awaiting = .mail
            return extensions.hasPipelining ? .wait : .send(mailCommand(current.transaction))
        case .mail:
            return mailReceived(reply, &current)
        case .recipient(let index):
            return recipientReceived(reply, index, &current)
        case .data:
            return dataReceived(reply, &current)
        case .content:
            // A refusal before the end of data stands, but the connection is in the middle of the content. An
            // acceptance can't be one of a content that the next hop has not got.
            guard reply.severity == .permanent || reply.severity == .transient else {
                return outOfStep(&current, reply)
            }
            settle(&current, reply)
            return finish(current, canContinue: false)
        case .end:
            settle(&current, reply)
            return finish(current, canContinue: reply.severity != .intermediate)
        case .emptyEnd:
            return finish(current, canContinue: reply.severity != .intermediate)
        }
    }

    // MARK: Replies

    private mutating func mailReceived(_ reply: PeerReply, _ current: inout ClientExchange) -> ClientAction {
        guard let first = current.pending(from: 0) else { return finish(current, canContinue: true) }
        guard reply.severity != .intermediate else { return outOfStep(&current, reply) }
        if reply.isPositive {
            needsReset = true
        } else {
            settle(&current, reply)
            guard extensions.hasPipelining else { return finish(current, canContinue: true) }
            // The replies to the rest of the group still come, one for each command. Nothing is pending any
            // more, so they only keep count.
        }
        current.awaiting = .recipient(first)
        return extensions.hasPipelining ? .wait : .send(recipientCommand(first, of: current.transaction))
    }

    private mutating func recipientReceived(
        _ reply: PeerReply, _ index: Int, _ current: inout ClientExchange
    ) -> ClientAction {
        guard reply.severity != .intermediate else { return outOfStep(&current, reply) }
        if current.recipients[index] == .pending {
            current.recipients[index] = judge(recipientReply: reply, current)
        }
        let next = nextAsked(after: index, current)
        let isGroup = extensions.hasPipelining
        if let next {
            current.awaiting = .recipient(next)
            return isGroup ? .wait : .send(recipientCommand(next, of: current.transaction))
        }
        guard isGroup || current.hasAccepted else { return finish(current, canContinue: true) }
        current.awaiting = .data
        return isGroup ? .wait : .send(ByteBuffer(string: "DATA\r\n"))
    }

    private mutating func dataReceived(_ reply: PeerReply, _ current: inout ClientExchange) -> ClientAction {
        if reply.code == 354 {
            if current.hasAccepted {
                current.awaiting = .content
                return .sendContent
            }
            // RFC 2920 §3.1: a server may say 354 without a single recipient; the lone dot gets us out.
            current.awaiting = .emptyEnd
            return .send(ByteBuffer(string: ".\r\n"))
        }
        guard reply.severity == .transient || reply.severity == .permanent else { return outOfStep(&current, reply) }
        settle(&current, reply)
        return finish(current, canContinue: true)
    }

    // MARK: Verdicts

    /// Applies a reply to everything that is still open.
    ///
    /// After DATA it counts for all accepted recipients.
    private func settle(_ current: inout ClientExchange, _ reply: PeerReply) {
        current.settleOpen(judge(reply, current.awaiting))
    }

    private func judge(_ reply: PeerReply, _ awaiting: ClientExchange.Awaiting) -> Outcome {
        let diagnostic = diagnostic(reply, awaiting)
        switch reply.severity {
        case .positive: return .delivered(diagnostic)
        case .transient, .intermediate: return .deferred(diagnostic)
        case .permanent: return reply.isAuthenticationFault ? .deferred(diagnostic) : .failed(diagnostic)
        }
    }

    private func judge(recipientReply reply: PeerReply, _ current: ClientExchange) -> ClientExchange.Progress {
        if reply.isPositive { return .accepted }
        guard isTooMany(reply) else { return .settled(judge(reply, current.awaiting)) }
        // With nobody accepted a further transaction would end the same way, so time must pass.
        return current.hasAccepted ? .postponed : .settled(.deferred(diagnostic(reply, current.awaiting)))
    }

    /// RFC 5321 §4.5.3.1.10: 452 at RCPT is "too many recipients", and 552 is to be read as 452, unless the
    /// enhanced status code says that it is about something else, such as a full mailbox.
    private func isTooMany(_ reply: PeerReply) -> Bool {
        guard reply.code == 452 || reply.code == 552 else { return false }
        guard let status = reply.status else { return true }
        return status.subject == 5 && status.detail == 3
    }

    /// A reply that fits nothing: the session can't be trusted further.
    private mutating func outOfStep(_ current: inout ClientExchange, _ reply: PeerReply) -> ClientAction {
        current.settleOpen(.deferred(diagnostic(reply, current.awaiting)))
        return finish(current, canContinue: false)
    }

    private mutating func finish(_ current: ClientExchange, canContinue: Bool) -> ClientAction {
        exchange = nil
        transactionCount += 1
        if current.awaiting == .end { needsReset = false }
        state = canContinue ? .ready : .closed
        return .finished(current.result(canContinue: canContinue))
    }

    private func diagnostic(_ reply: PeerReply, _ awaiting: ClientExchange.Awaiting) -> Diagnostic {
        let command =
            switch awaiting {
            case .reset: "RSET"
            case .mail: "MAIL"
            case .recipient: "RCPT"
            case .data: "DATA"
            case .content, .end, .emptyEnd: "end of data"
            }
        return reply.diagnostic(command: command, remote: configuration.remote)
    }

    /// The next recipient that was or is to be asked about.
    private func nextAsked(after index: Int, _ current: ClientExchange) -> Int? {
        let recipients = current.transaction.recipients
        return recipients[(index + 1)...].indices.first { isPlain(recipients[$0]) }
    }
}
