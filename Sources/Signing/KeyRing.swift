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

/// KeyRing is in charge of the keys that sign: read and checked once, then shared without a lock held while signing.
///
/// A `reload` swaps all of them at once.
package final class KeyRing: Sendable {
    private struct State {
        var keys: [Domain: DomainKeys] = [:]
        var unsignedDomains: Set<Domain>
        /// Why the key directory as a whole could not be read; keys read earlier go on signing.
        var problem: KeyError?
    }

    private let store: KeyStore
    private let logger: Logger
    private let state: Mutex<State>

    /// Reads the keys.
    ///
    /// What can't be read is logged and makes its domain not usable, nothing else.
    package init(store: KeyStore, unsignedDomains: Set<Domain> = [], logger: Logger) {
        self.store = store
        self.logger = logger
        self.state = Mutex(State(unsignedDomains: unsignedDomains))
        reload()
    }

    /// Reads the keys again.
    ///
    /// - Parameter unsignedDomains: nil leaves them as they are.
    package func reload(unsignedDomains: Set<Domain>? = nil) {
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
            if let unsignedDomains { state.unsignedDomains = unsignedDomains }
            switch loaded {
            case .success(let keys):
                state.keys = keys
                state.problem = nil
            case .failure(let error):
                state.problem = error
            }
        }
    }

    package func signability(of domain: Domain) -> Signability {
        state.withLock { state in
            if state.unsignedDomains.contains(domain) { return .unsigned }
            if let keys = state.keys[domain] {
                if keys.isUsable { return .signable }
                if let nextStep = keys.nextStep { return .notUsable(nextStep: nextStep) }
            }
            // Without the directory nobody knows whether there is a key: not a reason to refuse for good.
            if let problem = state.problem { return .notUsable(nextStep: problem.text) }
            return .noKeys(
                nextStep: "no key for \(domain): run `waxwing keys generate \(domain)`, publish the record that it "
                    + "prints, then run `waxwing keys activate \(domain)`")
        }
    }

    /// How many domains have a key that signs.
    package var signableDomains: Int {
        state.withLock { state in state.keys.values.count { $0.isUsable } }
    }

    func isUnsigned(_ domain: Domain) -> Bool {
        state.withLock { $0.unsignedDomains.contains(domain) }
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
