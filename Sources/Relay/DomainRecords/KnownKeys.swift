// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail
package import Signing

/// The keys that sign for an author domain, or have signed, or may.
package struct KnownKeys: Sendable {
    /// Why keys among the credentials of the service are not known.
    package enum Limit: Hashable, Sendable {
        /// No daemon runs, which alone could read them.
        case noDaemon
        /// One runs and doesn't tell; the text says why.
        case noAnswer(String)

        /// One line.
        package var text: String {
            let what = "keys among the credentials of the service are known to the running daemon only, and "
            switch self {
            case .noDaemon: return what + "none runs: only those of the key directory are here"
            case .noAnswer(let reason): return what + "it could not be asked: \(reason)"
            }
        }
    }

    /// Whose keys sign: the domain, or one above it.
    package var sdid: Domain
    /// Of the signing domain, and of the domain itself; those that have no record any more are left out, and those of
    /// `excluded`.
    package var all: [KeyDescription] = []
    /// Keys that don't sign for the domain, and won't: `algorithms` of the configuration leaves their kind out.
    package var excluded: [KeyDescription] = []
    /// The kinds of keys that may sign for the domain.
    package var algorithms = Set(SigningPolicy.Algorithm.allCases)
    /// What keeps keys from being read, in lines.
    package var damage: [String] = []
    /// Nil: credentials are known too.
    package var limit: Limit?

    package init(sdid: Domain, all: [KeyDescription] = [], damage: [String] = []) {
        self.sdid = sdid
        self.all = all
        self.damage = damage
    }

    /// - Parameter credentials: what the daemon tells of keys, of any domain; only those among its credentials count.
    /// - Throws: when the key directory can't be read.
    init(
        of domain: Domain, _ store: KeyStore, _ policies: SigningPolicies, credentials: [Signing.KeyDocument] = []
    ) throws(KeyError) {
        sdid = domain
        algorithms = policies.policy(of: domain, sdid: domain).algorithms
        for signer in policies.sdids(for: domain) {
            var found: [KeyDescription] = []
            for entry in try store.keys(of: signer) {
                switch entry.description {
                case .success(let key): if key.wantedRecord != nil { found.append(key) }
                case .failure(let error): damage.append(error.text)
                }
            }
            let given = credentials.filter { $0.domain == signer.name && $0.isReadOnly == true }
            found += given.compactMap { KeyDescription(readOnly: $0) }
            damage += given.compactMap(\.problem)
            let permitted = policies.policy(of: domain, sdid: signer).algorithms
            let isActive = found.contains { $0.state == .active && permitted.contains($0.kind) }
            if signer == domain || isActive {
                // What a key signed before its kind was left out is under way, and a compromised one must go all the same.
                let excluded = found.filter { !permitted.contains($0.kind) && !$0.state.hasSigned }
                self.excluded += excluded
                all += found.filter { !excluded.contains($0) }
            }
            guard isActive else { continue }
            sdid = signer
            algorithms = permitted
            break
        }
    }

    /// The command that makes a key of a kind that may sign.
    func generation(for domain: Domain) -> String {
        "waxwing keys generate \(domain)"
            + (algorithms.contains(.rsa) ? "" : " --algorithm \(KeyAlgorithm.ed25519.rawValue)")
    }
}

extension KeyState {
    /// Whether a key in this state signed, and no longer does.
    fileprivate var hasSigned: Bool {
        switch self {
        case .retiring, .compromised, .revoked, .removed: true
        case .generated, .published, .active: false
        }
    }
}

extension KeyDescription {
    var kind: SigningPolicy.Algorithm { algorithm == KeyAlgorithm.ed25519.rawValue ? .ed25519 : .rsa }
}
