// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What happened to a message or to the relay, told by the stage that did it.
///
/// Reporting counts and logs it.
package enum RelayEvent: Sendable {
    case accepted(QueueID, reversePath: ReversePath, recipients: Int, octets: Int)
    case refused(IntakeRefusal, authorDomain: Domain?)
    /// An application has shown who it is.
    case authenticated(application: String)
    /// Somebody has not; nil for a name that no application has.
    case authenticationFailed(application: String?, address: String)
    /// It failed so often that for a while nobody is asked any more.
    case lockedOut(LockOut)
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
    /// A key passed from one state to another; nil for `from` says that it is new.
    case keyChanged(sdid: Domain, selector: String, from: String?, to: String, reason: String)
    /// The DNS does not show the record of a key any more that signs, or has to stay published.
    case keyDrifted(sdid: Domain, selector: String, reason: String)
    /// It shows it again.
    case keyRecovered(sdid: Domain, selector: String)
    /// The DNS could not be asked for a key's record, so that nobody knows.
    case keyCheckFailed(sdid: Domain, selector: String, reason: String)
    /// Mail of a domain is accepted and does not leave.
    case departureHeld(domain: Domain, reason: String)
    /// It leaves again.
    case departureReleased(domain: Domain)
    /// A rotation can't go on before the operator does something.
    case rotationWaits(domain: Domain, for: String)
    /// A key's record could not be published, revoked or removed.
    case publicationFailed(domain: Domain, selector: String, reason: String)
}

/// Whose attempts to authenticate are not looked at for a while.
package enum LockOut: Hashable, Sendable {
    case address(String)
    /// Except from where it has authenticated before.
    case application(String)
}

/// Takes events.
///
/// Called on the message path: must return at once and never block.
package typealias EventSink = @Sendable (RelayEvent) -> Void
