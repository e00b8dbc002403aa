// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// A message of the queue, in one line.
package struct QueueEntry: Hashable, Sendable {
    package var queueID: QueueID
    package var reversePath: ReversePath
    package var authorDomain: Domain
    package var arrival: Timestamp
    package var expiry: Timestamp
    /// Nothing is tried before; nil: it was due at its arrival.
    package var release: Timestamp?
    /// Of the content.
    package var octets: Int
    package var recipientCount: Int
    /// Recipients that are neither delivered nor failed.
    package var openCount: Int
    /// Whether an attempt was recorded.
    package var isDeferred: Bool
    package var isHeld: Bool
    /// When the next recipient is due; nil when held.
    package var nextAttempt: Timestamp?
    /// Of a recipient that is deferred, else of one that is finished.
    package var lastDiagnostic: Diagnostic?
}

/// A message of the queue, with all that the spool knows of it.
package struct QueueDetail: Hashable, Sendable {
    package var entry: QueueEntry
    package var envelope: Envelope
    package var headerSection: [UInt8]
    package var recipients: [QueueRecipient]
    /// What intake changed.
    package var repairs: [Repair]
    package var options: MessageOptions
    package var principal: Principal?
}

/// Where a recipient stands.
package struct QueueRecipient: Hashable, Sendable {
    package var index: Int
    package var mailbox: Mailbox
    package var state: RecipientState
    /// Deferrals so far.
    package var attempts: Int
    package var nextAttempt: Timestamp?
    package var lastDiagnostic: Diagnostic?
}
