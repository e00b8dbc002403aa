// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// What somebody asks for beside the course that keys take by themselves; `advance` then goes on from there.
extension DomainRotation {
    /// Somebody else may have the active keys of these kinds: they sign no more from now on.
    ///
    /// Needs no lock but that of the writing: a rotation that runs beside it reads the state again before each change.
    func compromise(
        among keys: [KeyDescription], _ isConcerned: (KeyDescription) -> Bool, _ result: inout Result
    ) throws(KeyError) {
        for key in keys where isConcerned(key) {
            try move(key.selector, to: .compromised, "said to be compromised", &result)
        }
    }

    /// Lets a key take the place of the active one as soon as it may.
    func nominate(_ selector: String, skipsWait: Bool) throws(KeyError) {
        let now = environment.now()
        let all = try environment.keys(domain)
        guard let chosen = all.first(where: { $0.selector == selector }) else { return }
        for key in all
        where key.selector != selector && key.purpose == .successor && key.isEd25519 == chosen.isEd25519 {
            _ = try environment.update(key.selector, domain) { key in
                key.purpose = nil
                key.note("\(selector) was preferred", at: now, by: user)
            }
        }
        _ = try environment.update(selector, domain) { key in
            if key.purpose != .successor { key.note("asked to become active", at: now, by: user) }
            key.purpose = .successor
            if skipsWait { key.skipsWait = true }
            // Its record is to stand there from now on, whatever was on its way.
            if key.publication?.purpose != .publish { key.publication = nil }
        }
    }

    /// Signs with a key that nobody has seen in DNS.
    func force(_ selector: String, evidence: String, _ result: inout Result) throws(KeyError) {
        let before = try environment.keys(domain).first { $0.selector == selector }?.state
        _ = try environment.activate(
            selector, domain, RotationEnvironment.ActivationReason(evidence: evidence, user: user, isForced: true))
        environment.tell(.changed(domain))
        environment.tell(.moved(domain, selector: selector, from: before, to: .active, reason: evidence))
        result.done.append("\(selector) is active: \(evidence)")
    }

    /// Hands a change of one key's record over now, whatever the plan thinks of the time.
    func handOver(_ purpose: RecordChange.Purpose, _ selector: String) async -> Result {
        var result = Result()
        do throws(KeyError) {
            try await publish(purpose, selector, &result)
        } catch {
            result.problem = error
        }
        return result
    }
}
