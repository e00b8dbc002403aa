// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// A message as intake hands it to the spool, without its content.
package struct NewMessage: Hashable, Sendable {
    package var queueID: QueueID
    package var envelope: Envelope
    package var arrival: Timestamp
    /// When recipients that are still open fail.
    package var expiry: Timestamp
    /// Octets of the header section with the CRLF of its last field, without the empty line.
    package var headerLength: Int
    package var bodyHashes: [BodyHash]
    package var authorDomain: Domain
    /// What intake changed, each once.
    package var repairs: [Repair]
    /// What was asked for it; `expiry` above has heard of it.
    package var options: MessageOptions
    /// Who handed it in; nil for Waxwing's own, and for those of an earlier version.
    package var principal: Principal?

    package init(
        queueID: QueueID, envelope: Envelope, arrival: Timestamp, expiry: Timestamp, headerLength: Int,
        bodyHashes: [BodyHash], authorDomain: Domain, repairs: [Repair] = [], options: MessageOptions = .none,
        principal: Principal? = nil
    ) {
        self.queueID = queueID
        self.envelope = envelope
        self.arrival = arrival
        self.expiry = expiry
        self.headerLength = headerLength
        self.bodyHashes = bodyHashes
        self.authorDomain = authorDomain
        self.repairs = repairs
        self.options = options
        self.principal = principal
    }

    /// When its recipients are due first.
    package var firstAttempt: Timestamp { options.firstAttempt(arrival: arrival) }
}

/// A message under a lease: nobody else gets it before its attempt is recorded or the lease is released.
package struct ClaimedMessage: Hashable, Sendable {
    package var message: NewMessage
    package var content: StoredContent
    /// The recipients that are due; others may be delivered, failed, or due later.
    package var recipients: [ClaimedRecipient]
    /// Signature fields that an earlier attempt made, if it asked to keep them.
    package var keptFields: [UInt8]?

    package init(
        message: NewMessage, content: StoredContent, recipients: [ClaimedRecipient], keptFields: [UInt8]? = nil
    ) {
        self.message = message
        self.content = content
        self.recipients = recipients
        self.keptFields = keptFields
    }

    package var queueID: QueueID { message.queueID }
    package var envelope: Envelope { message.envelope }
    package var arrival: Timestamp { message.arrival }
    package var expiry: Timestamp { message.expiry }
    package var headerLength: Int { message.headerLength }
    package var bodyHashes: [BodyHash] { message.bodyHashes }
    package var authorDomain: Domain { message.authorDomain }
    package var options: MessageOptions { message.options }
}

/// A recipient who is due.
package struct ClaimedRecipient: Hashable, Sendable {
    /// The place among the envelope's recipients.
    package var index: Int
    package var mailbox: Mailbox
    /// Deferrals recorded so far.
    package var attempts: Int
    /// The recipient has failed already and is due for nothing but the notification that could not be stored then.
    package var failure: Diagnostic?

    package init(index: Int, mailbox: Mailbox, attempts: Int, failure: Diagnostic? = nil) {
        self.index = index
        self.mailbox = mailbox
        self.attempts = attempts
        self.failure = failure
    }
}

/// What came of a delivery attempt.
///
/// Recipients that it doesn't name are due again as they were.
package struct AttemptRecord: Hashable, Sendable {
    package var queueID: QueueID
    package var results: [RecipientRecord]
    /// Signature fields to keep for the next attempt; nil leaves those that are kept.
    package var keptFields: [UInt8]?
    /// The keys that the message was signed with, whether it left or not.
    package var keyUses: [KeyUse]

    package init(
        queueID: QueueID, results: [RecipientRecord], keptFields: [UInt8]? = nil, keyUses: [KeyUse] = []
    ) {
        self.queueID = queueID
        self.results = results
        self.keptFields = keptFields
        self.keyUses = keyUses
    }
}

/// What came of it for one recipient.
package struct RecipientRecord: Hashable, Sendable {
    package var index: Int
    package var result: RecipientResult

    package init(index: Int, result: RecipientResult) {
        self.index = index
        self.result = result
    }
}

package enum RecipientResult: Hashable, Sendable {
    case delivered(Diagnostic)
    case deferred(Diagnostic, until: Timestamp)
    case failed(Diagnostic)
    /// Failed, but the sender could not be told: due again for that alone.
    case unreported(Diagnostic, until: Timestamp)
    /// Deferred for want of a key: due when `Spool.retry` says so, at the latest at this time.
    ///
    /// No deferral of the retry schedule.
    case unsignable(Diagnostic, until: Timestamp)
}

/// How full the queue is.
package struct SpoolCounts: Hashable, Sendable {
    /// Messages that wait for their first attempt.
    package var queued = 0
    /// Messages that were tried and wait for a further attempt.
    package var deferred = 0
    /// Messages under a lease.
    package var active = 0
    /// Octets of the contents of all of them.
    package var octets: Int64 = 0

    package init(queued: Int = 0, deferred: Int = 0, active: Int = 0, octets: Int64 = 0) {
        self.queued = queued
        self.deferred = deferred
        self.active = active
        self.octets = octets
    }

    package var messages: Int { queued + deferred + active }
}
