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
    /// Mail is accepted and waits for a key: the one before was compromised, or the DNS shows none of them.
    ///
    /// One line with the next step.
    case held(nextStep: String)
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
/// A `reload` swaps all of them at once, or all of one domain. Loading may take long and lets signing go on with what
/// was there before.
package final class KeyRing: Sendable {
    private let logger: Logger
    /// Held while reading, so that of two reloads the later has the last word.
    private let loader: Mutex<KeyLoader>
    private let state: Mutex<KeyRingState>

    /// Reads the keys.
    ///
    /// What can't be read is logged and makes its domain not usable, nothing else.
    package init(
        store: KeyStore, credentials: CredentialKeys = CredentialKeys(directory: nil),
        policies: SigningPolicies = SigningPolicies(), rotation: RotationPolicies = RotationPolicies(), logger: Logger
    ) {
        self.logger = logger
        self.loader = Mutex(KeyLoader(store: store, credentials: credentials))
        self.state = Mutex(KeyRingState(policies: policies, rotation: rotation))
        reload()
    }

    // MARK: Loading

    /// Reads the keys again, private keys only from files that have changed.
    ///
    /// - Parameters:
    ///   - policies: nil leaves them as they are.
    ///   - rotation: nil leaves it as it is.
    package func reload(policies: SigningPolicies? = nil, rotation: RotationPolicies? = nil) {
        loader.withLock { loader in
            let before = current
            let (policies, rotation) = (policies ?? before.policies, rotation ?? before.rotation)
            do throws(KeyError) {
                let (domains, remarks) = try loader.load(before.domains)
                for (domain, remark) in remarks { log(remark, of: domain) }
                replace(KeyRingState(domains: domains, policies: policies, rotation: rotation))
            } catch {
                logger.error("keys: \(error)")
                replace(
                    KeyRingState(domains: before.domains, policies: policies, rotation: rotation, problem: error))
            }
        }
    }

    /// Reads the keys of one domain again.
    ///
    /// From one moment to the next the domain signs with the new ones, each under its own selector.
    package func reload(_ domain: Domain) {
        loader.withLock { loader in
            let (loaded, remarks) = loader.load(domain, current.domains[domain])
            log(remarks, of: domain)
            replace(current.replacing(domain, loaded))
        }
    }

    private func log(_ remarks: KeyLoader.Remarks, of domain: Domain?) {
        let metadata: Logger.Metadata = domain.map { ["domain": "\($0)"] } ?? [:]
        for problem in remarks.problems { logger.error("keys: \(problem)", metadata: metadata) }
        for warning in remarks.warnings { logger.warning("keys: \(warning)", metadata: metadata) }
        for notice in remarks.notices { logger.notice("keys: \(notice)", metadata: metadata) }
    }

    private var current: KeyRingState { state.withLock { $0 } }

    private func replace(_ next: KeyRingState) {
        state.withLock { $0 = next }
    }

    // MARK: Asking

    /// The policies in force.
    package var policies: SigningPolicies { current.policies }

    package func signability(of author: Domain) -> Signability {
        current.signability(of: author)
    }

    /// How the body of an author domain's mail is canonicalized when it leaves, unless its route says otherwise.
    ///
    /// So that intake can hash it as it passes; what it did not hash, the signer does.
    package func bodyCanonicalization(of author: Domain) -> BodyHash.Canonicalization {
        let state = current
        let policy = state.signatory(for: author)?.policy ?? state.policies.policy(of: author, sdid: author)
        return state.policies.general.overridden(by: policy.overrides).canonicalization.body
    }

    /// How many domains have a key that signs.
    package var signableDomains: Int {
        let state = current
        return state.domains.keys.count { domain in
            state.signingKeys(of: domain, state.policies.policy(of: domain, sdid: domain)) != nil
        }
    }

    /// The domains whose mail is accepted and waits for a key, each with the next step.
    package var holds: [Domain: String] {
        let state = current
        var holds: [Domain: String] = [:]
        for domain in state.domains.keys {
            if case .held(let nextStep) = state.signability(of: domain) { holds[domain] = nextStep }
        }
        return holds
    }

    /// The keys among the credentials of the service, by domain and selector.
    package var readOnlyKeys: [ReadOnlyKey] {
        current.domains.values.flatMap(\.readOnly)
            .sorted { ($0.domain, $0.selector) < ($1.domain, $1.selector) }
    }

    func decision(for author: Domain) -> SigningDecision {
        current.decision(for: author)
    }

    /// Takes keys that no directory holds, until the next reload: tests sign with faulty ones.
    func replaceKeys(of domain: Domain, with keys: DomainKeys) {
        loader.withLock { _ in replace(current.replacing(domain, KeyLoader.Loaded(keys: keys))) }
    }

    /// The active keys of a domain; nil if there are none.
    func keys(for domain: Domain) -> DomainKeys? {
        current.domains[domain].flatMap { $0.keys.isUsable ? $0.keys : nil }
    }
}
