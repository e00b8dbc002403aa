// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// What the ring knows at one moment: keys, and the policies that say for whom and how they sign.
///
/// Never changed, only replaced: whoever has it decides without a lock.
final class KeyRingState: Sendable {
    let domains: [Domain: KeyLoader.Loaded]
    let policies: SigningPolicies
    let rotation: RotationPolicies
    /// Why the key directory as a whole could not be read; keys read earlier go on signing.
    let problem: KeyError?

    init(
        domains: [Domain: KeyLoader.Loaded] = [:], policies: SigningPolicies, rotation: RotationPolicies,
        problem: KeyError? = nil
    ) {
        self.domains = domains
        self.policies = policies
        self.rotation = rotation
        self.problem = problem
    }

    func replacing(_ domain: Domain, _ loaded: KeyLoader.Loaded) -> KeyRingState {
        var domains = self.domains
        domains[domain] = loaded
        return KeyRingState(domains: domains, policies: policies, rotation: rotation, problem: problem)
    }

    /// The nearest domain that has a key for this author domain's mail; nil if none has.
    func signatory(for author: Domain) -> Signatory? {
        for sdid in policies.sdids(for: author) {
            let policy = policies.policy(of: author, sdid: sdid)
            guard let keys = signingKeys(of: sdid, policy) else { continue }
            return Signatory(sdid: sdid, keys: keys, policy: policy, general: policies.general)
        }
        return nil
    }

    /// The keys of a domain that sign under a policy; nil if there are none.
    func signingKeys(of sdid: Domain, _ policy: SigningPolicy) -> DomainKeys? {
        domains[sdid]?.keys.limited(to: policy.algorithms).signing(drift: rotation.settings(of: sdid).drift)
    }

    func signability(of author: Domain) -> Signability {
        if policies.isUnsigned(author) { return .unsigned }
        return signatory(for: author) == nil ? hindrance(of: author) : .signable
    }

    func decision(for author: Domain) -> SigningDecision {
        if let policy = policies.domains[author], policy.isUnsigned { return .unsigned(policies.general, policy) }
        if let signatory = signatory(for: author) { return .signed(signatory) }
        switch hindrance(of: author) {
        case .noKeys(let nextStep), .notUsable(let nextStep), .held(let nextStep):
            return .undecided(policies.general, nextStep: nextStep)
        case .signable, .unsigned:
            preconditionFailure("a hindrance is no permission")
        }
    }

    /// Why nobody signs for an author domain: of those that might, the first that has keys says what to do.
    private func hindrance(of author: Domain) -> Signability {
        for sdid in policies.sdids(for: author) {
            guard let keys = domains[sdid]?.keys else { continue }
            let policy = policies.policy(of: author, sdid: sdid)
            let permitted = keys.limited(to: policy.algorithms)
            if permitted.isUsable { return .held(nextStep: permitted.suspensionText(sdid)) }
            guard let nextStep = keys.isUsable ? excluded(keys, of: sdid, author) : keys.nextStep else { continue }
            return keys.wasCompromised ? .held(nextStep: nextStep) : .notUsable(nextStep: nextStep)
        }
        // Without the directory nobody knows whether there is a key: not a reason to refuse for good.
        if let problem { return .notUsable(nextStep: problem.text) }
        var nextStep =
            "no key for \(author): run `waxwing keys generate \(author)`, publish the record that it "
            + "prints, then run `waxwing keys activate \(author)`"
        if let above = keyedDomain(above: author) {
            nextStep += "; or let the key of \(above) sign for it: subdomains = true in its [[domain]] table"
        }
        return .noKeys(nextStep: nextStep)
    }

    private func excluded(_ keys: DomainKeys, of sdid: Domain, _ author: Domain) -> String {
        let active = keys.rsa == nil ? SigningPolicy.Algorithm.ed25519 : .rsa
        let wanted = keys.rsa == nil ? KeyAlgorithm.rsa2048 : .ed25519
        let table = policies.domains[author] == nil ? sdid : author
        return "the active key of \(sdid) is \(active.rawValue), which algorithms in the [[domain]] table of \(table) "
            + "leaves out: add it there, or run `waxwing keys generate \(sdid) --algorithm \(wanted.rawValue)`"
    }

    private func keyedDomain(above author: Domain) -> Domain? {
        var next = author.parent
        while let domain = next {
            if domains[domain]?.keys.isUsable == true { return domain }
            next = domain.parent
        }
        return nil
    }
}
