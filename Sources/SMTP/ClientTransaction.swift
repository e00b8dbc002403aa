// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// One mail transaction that a client wants: what MAIL and RCPT say (RFC 5321 §3.3).
package struct ClientTransaction: Hashable, Sendable {
    package var reversePath: ReversePath
    package var recipients: [Mailbox]
    /// Octets of the content as it is sent, signatures included, dot-stuffing not (RFC 1870 §5); nil if not known.
    package var size: Int?
    /// The content holds octets above 127.
    package var isEightBit: Bool
    /// What the sender wants to be told, by the places in `recipients`.
    package var notices: DeliveryNotices

    package init(
        reversePath: ReversePath, recipients: [Mailbox], size: Int?, isEightBit: Bool,
        notices: DeliveryNotices = .none
    ) {
        self.reversePath = reversePath
        self.recipients = recipients
        self.size = size
        self.isEightBit = isEightBit
        self.notices = notices
    }
}

/// How a transaction ended.
package struct TransactionResult: Hashable, Sendable {
    /// For each recipient of the transaction, in order; nil for one that was not judged and may be offered at
    /// once in a further transaction: the next hop took no more of them in this one, or a kept connection
    /// turned out to be gone.
    package var outcomes: [Outcome?]
    /// Whether the session can take a further transaction.
    ///
    /// If not, the connection is to be closed.
    package var canContinue: Bool

    package init(outcomes: [Outcome?], canContinue: Bool) {
        self.outcomes = outcomes
        self.canContinue = canContinue
    }
}

/// The course of one transaction: how far it is, and what is known of each recipient.
struct ClientExchange: Sendable {
    enum Awaiting: Hashable, Sendable {
        /// The reply to the RSET that goes before MAIL.
        case reset
        case mail
        case recipient(Int)
        case data
        /// The content is being sent.
        case content
        /// The reply to the end of data.
        case end
        /// The reply to the lone "." that answers a 354 nobody wanted.
        case emptyEnd
    }

    enum Progress: Hashable, Sendable {
        case pending
        case accepted
        /// "Too many recipients": to be offered in a further transaction.
        case postponed
        case settled(Outcome)
    }

    let transaction: ClientTransaction
    var recipients: [Progress]
    var awaiting: Awaiting
    /// A reply to a command of this transaction has come.
    var wasHeard = false

    init(_ transaction: ClientTransaction, awaiting: Awaiting) {
        self.transaction = transaction
        self.recipients = Array(repeating: .pending, count: transaction.recipients.count)
        self.awaiting = awaiting
    }

    var hasAccepted: Bool { recipients.contains(.accepted) }

    /// The first pending recipient from `index` on.
    func pending(from index: Int) -> Int? {
        recipients[index...].firstIndex(of: .pending)
    }

    /// Settles what is neither settled nor postponed.
    mutating func settleOpen(_ outcome: Outcome) {
        for index in recipients.indices {
            switch recipients[index] {
            case .pending, .accepted: recipients[index] = .settled(outcome)
            case .postponed, .settled: break
            }
        }
    }

    func result(canContinue: Bool) -> TransactionResult {
        let outcomes = recipients.map { progress -> Outcome? in
            if case .settled(let outcome) = progress { outcome } else { nil }
        }
        return TransactionResult(outcomes: outcomes, canContinue: canContinue)
    }
}
