// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// What a plan that rests waits for, and until when.
extension RotationPlan {
    func waits() -> [RotationWait] {
        var waits = keys.compactMap(wait(of:))
        if needsReplacement, successor == nil, let fixedSelectors, freeSelectors(fixedSelectors).isEmpty {
            waits.append(
                RotationWait(
                    text: "\(domain) has no key that may sign, and no delegated name is free for a new one",
                    isOperator: true))
        } else if wantsRotation, successor == nil, fixedSelectors != nil {
            waits.append(waitForName())
        }
        return waits
    }

    /// The next moment at which `next` may have something to do by itself; nil: never, as things are.
    func nextDue() -> Int64? {
        var moments = keys.compactMap(nextDue(of:))
        if successor == nil, let active, let due = rotationDue(active) {
            // Overdue and nothing to do about it: a delegated name has to become free, which other moments bring.
            if due > now || replace() != nil { moments.append(due) }
        }
        return moments.min()
    }

    private func nextDue(of key: KeyDescription) -> Int64? {
        let isLookedAt: Bool
        var moments: [Int64] = []
        switch key.state {
        case .generated, .published:
            isLookedAt = key.purpose != nil || key.publication != nil
            if key.purpose == .successor, let due = activationDue(key) { moments.append(due) }
        case .active, .compromised: isLookedAt = true
        case .retiring:
            isLookedAt = true
            moments.append(revocationDue(key))
        case .revoked:
            isLookedAt = now >= removalDue(key) || key.publication?.purpose == .remove
            if !isLookedAt { moments.append(removalDue(key)) }
        case .removed:
            guard key.privateKey == nil else { return nil }
            return Timestamp(key.stateTime).seconds + recordTTL(key) + RotationSettings.slack
        }
        if isLookedAt {
            let checked = key.proof.map { Timestamp($0.checked).seconds } ?? now
            // A clock that was set back must not put the look off for years.
            let look = min(checked, now) + lookInterval(key)
            if look <= now { return now + 1 }
            moments.append(look)
            if let last = key.publication, last.result == .failed {
                moments.append(min(Timestamp(last.time).seconds, now) + retryTime(last.failures))
            }
        }
        return moments.filter { $0 > now }.min() ?? (isLookedAt ? now + 1 : nil)
    }

    private func wait(of key: KeyDescription) -> RotationWait? {
        switch key.state {
        case .generated:
            return key.purpose == nil && key.publication == nil ? nil : waitForRecord(key, "is published")
        case .published:
            guard key.purpose == .successor, let due = activationDue(key) else { return nil }
            let text =
                now < due
                ? "\(key.selector) is published; resolvers may still say that it does not exist"
                : "\(key.selector) is published, and its last look was not fresh or not complete"
            return RotationWait(selector: key.selector, text: text, until: max(due, now), isOperator: false)
        case .active:
            guard let suspension = key.suspension else { return nil }
            let isOperator = settings.publisher == nil || key.publication == nil
            return RotationWait(
                selector: key.selector, text: "the record of \(key.selector) must be put back: \(suspension.reason)",
                isOperator: isOperator)
        case .retiring:
            if key.purpose == .successor { return waitForRecord(key, "is seen everywhere") }
            let due = revocationDue(key)
            guard now < due, key.publication?.purpose != .revoke else {
                return waitForRecord(key, "is replaced by p= without a key")
            }
            return RotationWait(
                selector: key.selector, text: "mail signed with \(key.selector) may be under way", until: due,
                isOperator: false)
        case .compromised: return waitForRecord(key, "is replaced by p= without a key")
        case .revoked:
            let due = removalDue(key)
            if now < due, key.publication?.purpose != .remove {
                return RotationWait(
                    selector: key.selector, text: "verifiers are told that \(key.selector) was revoked", until: due,
                    isOperator: false)
            }
            return waitForRecord(key, "is deleted")
        case .removed: return nil
        }
    }

    /// A change of a record that some server does not show yet.
    private func waitForRecord(_ key: KeyDescription, _ event: String) -> RotationWait {
        let isByHand = key.publication?.result == .byHand
        var text = "until the record of \(key.selector) \(event) at every server"
        if key.publication?.result == .failed, let reason = key.publication?.text {
            text += "; publishing failed: \(reason)"
        } else if let evidence = key.proof?.evidence, evidence.verdict != .published {
            text += "; now: \(evidence.summary)"
        }
        return RotationWait(selector: key.selector, text: text, isOperator: isByHand)
    }

    private func waitForName() -> RotationWait {
        let names = keys.filter { $0.state != .removed && $0.state != .active }
        let free = names.map { key in
            switch key.state {
            case .retiring: revocationDue(key) + settings.revokedTime
            case .revoked: removalDue(key)
            default: now
            }
        }.min()
        return RotationWait(
            text: "both delegated names of \(domain) are in use: a rotation can begin when the older key is removed",
            until: free, isOperator: false)
    }
}
