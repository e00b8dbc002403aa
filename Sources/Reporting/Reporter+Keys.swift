// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Logging
internal import Mail

/// What becomes of keys, and of mail for want of them.
extension Reporter {
    func reportKeys(_ event: RelayEvent) {
        switch event {
        case .keyChanged(let sdid, let selector, let from, let to, let reason):
            counters.increment(.keyChanges)
            var fields = metadata(sdid, selector, reason)
            if let from { fields["from"] = "\(from)" }
            fields["to"] = "\(to)"
            logger.notice("a key changed", metadata: fields)
        case .keyDrifted(let sdid, let selector, let reason):
            counters.increment(.keyDrifts)
            logger.error("the DNS does not show a key as it should", metadata: metadata(sdid, selector, reason))
        case .keyRecovered(let sdid, let selector):
            logger.notice("the DNS shows a key again", metadata: metadata(sdid, selector))
        case .keyCheckFailed(let sdid, let selector, let reason):
            counters.increment(.keyCheckFailures)
            logger.warning("the DNS could not be asked for a key", metadata: metadata(sdid, selector, reason))
        case .departureHeld(let domain, let reason):
            counters.increment(.departureHolds)
            logger.critical(
                "mail of a domain is accepted and does not leave",
                metadata: ["domain": "\(domain)", "reason": "\(reason)"])
        case .departureReleased(let domain):
            logger.notice("mail of a domain leaves again", metadata: ["domain": "\(domain)"])
        case .rotationWaits(let domain, let what):
            logger.warning(
                "a rotation waits for the operator", metadata: ["domain": "\(domain)", "for": "\(what)"])
        case .publicationFailed(let domain, let selector, let reason):
            counters.increment(.publicationFailures)
            logger.error("a key's record could not be changed", metadata: metadata(domain, selector, reason))
        case .accepted, .refused, .authenticated, .authenticationFailed, .lockedOut, .delivered, .deferred, .failed,
            .bounced, .unreported, .signatureMismatch, .signingDeferred, .authorRewritten, .oneClickIncomplete:
            break
        }
    }

    private func metadata(_ sdid: Domain, _ selector: String, _ reason: String? = nil) -> Logger.Metadata {
        var fields: Logger.Metadata = ["sdid": "\(sdid)", "selector": "\(selector)"]
        if let reason { fields["reason"] = "\(reason)" }
        return fields
    }
}
