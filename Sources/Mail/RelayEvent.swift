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
    /// The signer's own check of a fresh signature said no: a fault of this machine or of Waxwing.
    case signatureMismatch(QueueID, sdid: Domain, selector: String)
    case signingDeferred(QueueID, DepartureSigningError)
}

/// Takes events.
///
/// Called on the message path: must return at once and never block.
package typealias EventSink = @Sendable (RelayEvent) -> Void
