// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Logging
package import Mail
internal import Synchronization

/// Whether mail from an author domain can be signed now.
package enum Signability: Hashable, Sendable {
    case signable
    /// The configuration says that the domain's mail leaves unsigned.
    case unsigned
    /// There is no key at all.
    ///
    /// One line with the command that mends it.
    case noKeys(nextStep: String)
    /// There are keys, and none that may sign now.
    ///
    /// One line with the next step.
    case notUsable(nextStep: String)
}

/// What becomes of a message of an author domain.
enum SigningDecision: Sendable {
    case signed(Signatory)
    /// The configuration says so of the domain.
    case unsigned(SignatureSettings, SigningPolicy)
    /// No key may sign: one line with the next step.
    case undecided(SignatureSettings, nextStep: String)
}

/// KeyRing is in charge of the keys that sign and of the policies that say for whom and how: read and checked once,
/// then shared without a lock held while signing.
///
/// A `reload` swaps all of them at once.
package final class KeyRing: Sendable {
    fileprivate struct State {
        var keys: [Domain: DomainKeys] = [:]
        var policies: SigningPolicies
        /// Why the key directory as a whole could not be read; keys read earlier go on signing.
        var problem: KeyError?
    }

    private let store: KeyStore
    private let logger: Logger
    private let state: Mutex<State>

    /// Reads the keys.
    ///
    /// What can't be read is logged and makes its domain not usable, nothing else.
    package init(store: KeyStore, policies: SigningPolicies = SigningPolicies(), logger: Logger) {
        self.store = store
        self.logger = logger
        self.state = Mutex(State(policies: policies))
        reload()
    }

    /// Reads the keys again.
    ///
    /// - Parameter policies: nil leaves them as they are.
    package func reload(policies: SigningPolicies? = nil) {
        for warning in store.warnings() { logger.warning("keys: \(warning)") }
        let loaded: Result<[Domain: DomainKeys], KeyError>
        do throws(KeyError) {
            var keys: [Domain: DomainKeys] = [:]
            for domain in try store.domains() { keys[domain] = DomainKeys.load(domain, from: store, logger: logger) }
            loaded = .success(keys)
        } catch {
            logger.error("keys: \(error)")
            loaded = .failure(error)
        }
        state.withLock { state in
            if let policies { state.policies = policies }
            switch loaded {
            case .success(let keys):
                state.keys = keys
                state.problem = nil
            case .failure(let error):
                state.problem = error
            }
        }
    }

    /// The policies in force.
    package var policies: SigningPolicies { state.withLock { $0.policies } }

    package func signability(of author: Domain) -> Signability {
        state.withLock { state in
            if state.policies.isUnsigned(author) { return .unsigned }
            return state.signatory(for: author) == nil ? state.hindrance(of: author) : .signable
        }
    }

    /// How the body of an author domain's mail is canonicalized when it leaves, unless its route says otherwise.
    ///
    /// So that intake can hash it as it passes; what it did not hash, the signer does.
    package func bodyCanonicalization(of author: Domain) -> BodyHash.Canonicalization {
        state.withLock { state in
            let policy = state.signatory(for: author)?.policy ?? state.policies.policy(of: author, sdid: author)
            return state.policies.general.overridden(by: policy.overrides).canonicalization.body
        }
    }

    /// How many domains have a key that signs.
    package var signableDomains: Int {
        state.withLock { state in
            state.keys.count { domain, keys in
                keys.limited(to: state.policies.policy(of: domain, sdid: domain).algorithms).isUsable
            }
        }
    }

    func decision(for author: Domain) -> SigningDecision {
        state.withLock { state in
            let policies = state.policies
            if let policy = policies.domains[author], policy.isUnsigned { return .unsigned(policies.general, policy) }
            if let signatory = state.signatory(for: author) { return .signed(signatory) }
            switch state.hindrance(of: author) {
            case .noKeys(let nextStep), .notUsable(let nextStep):
                return .undecided(policies.general, nextStep: nextStep)
            case .signable, .unsigned:
                preconditionFailure("a hindrance is no permission")
            }
        }
    }

    /// Takes keys that no directory holds, until the next reload: tests sign with faulty ones.
    func replaceKeys(of domain: Domain, with keys: DomainKeys) {
        state.withLock { $0.keys[domain] = keys }
    }

    /// The active keys of a domain; nil if none may sign.
    func keys(for domain: Domain) -> DomainKeys? {
        state.withLock { state in state.keys[domain].flatMap { $0.isUsable ? $0 : nil } }
    }
}

extension KeyRing.State {
    /// The nearest domain that has a key for this author domain's mail; nil if none has.
    func signatory(for author: Domain) -> Signatory? {
        for sdid in policies.sdids(for: author) {
            let policy = policies.policy(of: author, sdid: sdid)
            guard let keys = keys[sdid]?.limited(to: policy.algorithms), keys.isUsable else { continue }
            return Signatory(sdid: sdid, keys: keys, policy: policy, general: policies.general)
        }
        return nil
    }

    /// Why nobody signs for an author domain: of those that might, the first that has keys says what to do.
    func hindrance(of author: Domain) -> Signability {
        for sdid in policies.sdids(for: author) {
            guard let keys = keys[sdid] else { continue }
            if keys.isUsable { return .notUsable(nextStep: excluded(keys, of: sdid, author)) }
            if let nextStep = keys.nextStep { return .notUsable(nextStep: nextStep) }
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
            if keys[domain]?.isUsable == true { return domain }
            next = domain.parent
        }
        return nil
    }
}
