// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Logging
package import Mail

/// `Reporter` is in charge of what the outside learns of events: it counts them and logs them.
///
/// It never holds up the stage that tells it, and never logs content or secrets.
///
/// What went well is logged at `debug`, so that a busy relay does not write two lines a message; what
/// somebody may have to act on is logged at a level that is on by default.
package final class Reporter: Sendable {
    package let counters = EventCounters()
    let logger: Logger
    private let oneClickWarnings = WarningInterval()

    package init(logger: Logger) {
        self.logger = logger
    }

    /// For the stages.
    package var sink: EventSink {
        { [self] event in report(event) }
    }

    package func report(_ event: RelayEvent) {
        switch event {
        case .accepted(let id, let reversePath, let recipients, let octets):
            counters.increment(.acceptedMessages)
            logger.debug(
                "accepted",
                metadata: [
                    "queue_id": "\(id)", "reverse_path": "<\(reversePath)>", "recipients": "\(recipients)",
                    "octets": "\(octets)",
                ])
        case .refused(let refusal, let authorDomain):
            counters.increment(.refusedMessages)
            logger.notice("refused", metadata: metadata(refusal, authorDomain))
        case .authenticated, .authenticationFailed, .lockedOut:
            reportAuthentication(event)
        case .delivered(let id, let mailbox, let diagnostic):
            counters.increment(.deliveredRecipients)
            logger.debug("delivered", metadata: metadata(id, mailbox, diagnostic))
        case .deferred(let id, let mailbox, let diagnostic, let until):
            counters.increment(.deferredRecipients)
            var fields = metadata(id, mailbox, diagnostic)
            fields["next_attempt"] = "\(until.seconds)"
            logger.notice("deferred", metadata: fields)
        case .failed(let id, let mailbox, let diagnostic):
            counters.increment(.failedRecipients)
            logger.warning("failed", metadata: metadata(id, mailbox, diagnostic))
        case .bounced(let id, let bounceID):
            counters.increment(.bounces)
            logger.info("bounced", metadata: ["queue_id": "\(id)", "bounce_queue_id": "\(bounceID)"])
        case .unreported(let id, let reason, nil):
            counters.increment(.unreportedFailures)
            logger.error(
                "a message failed and its sender can't be told of it",
                metadata: ["queue_id": "\(id)", "reason": "\(reason)"])
        case .unreported(let id, let reason, let until?):
            logger.warning(
                "a message failed and its sender can't be told of it yet",
                metadata: ["queue_id": "\(id)", "reason": "\(reason)", "next_attempt": "\(until.seconds)"])
        case .signatureMismatch(let id, let sdid, let selector):
            counters.increment(.signatureMismatches)
            logger.error(
                "a fresh signature did not verify: the message is deferred",
                metadata: ["queue_id": "\(id)", "sdid": "\(sdid)", "selector": "\(selector)"])
        case .signingDeferred(let id, let error):
            counters.increment(.signingDeferrals)
            logger.error(
                "a message can't be signed and waits", metadata: ["queue_id": "\(id)", "reason": "\(error.text)"])
        case .authorRewritten(let id, let from, let to):
            counters.increment(.rewrittenAuthors)
            logger.notice(
                "the author was rewritten", metadata: ["queue_id": "\(id)", "from": "<\(from)>", "to": "<\(to)>"])
        case .oneClickIncomplete(let id, let authorDomain, let fault):
            counters.increment(.incompleteOneClicks)
            guard oneClickWarnings.isDue(authorDomain) else { return }
            logger.warning(
                "recipients can't unsubscribe with one click",
                metadata: ["queue_id": "\(id)", "author_domain": "\(authorDomain)", "reason": "\(fault)"])
        case .keyChanged, .keyDrifted, .keyRecovered, .keyCheckFailed, .departureHeld, .departureReleased,
            .rotationWaits, .publicationFailed:
            reportKeys(event)
        }
    }

    /// How many domains' mail does not leave now, and how many keys the DNS does not show as it should.
    package func setKeyGauges(held: Int, drifted: Int) {
        counters.set(.heldDomains, to: held)
        counters.set(.driftedKeys, to: drifted)
    }

    private func metadata(_ refusal: IntakeRefusal, _ authorDomain: Domain?) -> Logger.Metadata {
        [
            "reply_code": "\(refusal.replyCode)", "status": "\(refusal.status)",
            "reason": "\(refusal.lines.joined(separator: " "))",
            "author_domain": "\(authorDomain?.name ?? "unknown")",
        ]
    }

    private func metadata(_ id: QueueID, _ mailbox: Mailbox, _ diagnostic: Diagnostic) -> Logger.Metadata {
        var fields: Logger.Metadata = [
            "queue_id": "\(id)", "recipient": "<\(mailbox)>", "status": "\(diagnostic.status)",
            "text": "\(diagnostic.text)", "owner": "\(diagnostic.owner.rawValue)",
        ]
        if let code = diagnostic.replyCode { fields["reply_code"] = "\(code)" }
        if let remote = diagnostic.remote { fields["next_hop"] = "\(remote)" }
        if let command = diagnostic.command { fields["command"] = "\(command)" }
        return fields
    }
}
