// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What happened to a message or to the relay, told by the stage that did it.
///
/// Reporting counts and logs it.
package enum RelayEvent: Sendable {
    case accepted(QueueID, reversePath: ReversePath, recipients: Int, octets: Int)
    case refused(IntakeRefusal, authorDomain: Domain?)
    case delivered(QueueID, Mailbox, Diagnostic)
    case deferred(QueueID, Mailbox, Diagnostic, until: Timestamp)
    case failed(QueueID, Mailbox, Diagnostic)
    case bounced(QueueID, asQueueID: QueueID)
    /// The sender could not be told of a failure; nil for `until` says that nobody ever will be.
    case unreported(QueueID, reason: String, until: Timestamp?)
    /// The signer's own check of a fresh signature said no: a fault of this machine or of Waxwing.
    case signatureMismatch(QueueID, sdid: Domain, selector: String)
    case signingDeferred(QueueID, DepartureSigningError)
    /// A `[[rewrite]]` rule gave a message another author, because its own could not be answered.
    case authorRewritten(QueueID, from: String, to: Mailbox)
    /// A message offers unsubscribing with one click only by half (RFC 8058), which receivers hold against its domain.
    case oneClickIncomplete(QueueID, authorDomain: Domain, fault: String)
}

/// Takes events.
///
/// Called on the message path: must return at once and never block.
package typealias EventSink = @Sendable (RelayEvent) -> Void
