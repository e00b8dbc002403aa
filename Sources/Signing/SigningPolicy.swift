// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// What the configuration says about one domain: which of its keys sign, for whom, and how.
package struct SigningPolicy: Hashable, Sendable {
    /// A kind of key, as the configuration names it.
    package enum Algorithm: String, Hashable, Sendable, CaseIterable {
        case rsa, ed25519
    }

    /// Keys of other kinds don't sign, even if they are active.
    package var algorithms = Set(Algorithm.allCases)
    /// The AUID: `i=`, in the domain or below it; nil leaves the tag out.
    package var auid: String?
    /// Mail of the domain leaves without signatures.
    package var isUnsigned = false
    /// The domain's keys sign for author domains below it that have none of their own.
    package var signsBelow = false
    /// What is settled in place of what holds for all mail.
    package var overrides = SignatureOverrides()

    package init() {}
}

/// The policies of all domains.
package struct SigningPolicies: Hashable, Sendable {
    /// What holds for all mail.
    package var general = SignatureSettings()
    package var domains: [Domain: SigningPolicy] = [:]

    package init() {}

    package func isUnsigned(_ author: Domain) -> Bool {
        domains[author]?.isUnsigned ?? false
    }

    /// The domains whose keys may sign for an author domain, the nearest first: itself, and of those above it the ones
    /// that say so.
    ///
    /// So the SDID always aligns with From: RFC 9989 lets a signature of a parent domain count, and no other's.
    package func sdids(for author: Domain) -> [Domain] {
        var sdids = [author]
        var next = author.parent
        while let domain = next {
            if domains[domain]?.signsBelow ?? false { sdids.append(domain) }
            next = domain.parent
        }
        return sdids
    }

    /// What holds for an author domain whose mail a domain's keys sign: its own table, else the signing domain's.
    package func policy(of author: Domain, sdid: Domain) -> SigningPolicy {
        domains[author] ?? domains[sdid] ?? SigningPolicy()
    }
}

/// Which keys sign for an author domain now, and how.
struct Signatory: Sendable {
    var sdid: Domain
    var keys: DomainKeys
    var policy: SigningPolicy
    var general: SignatureSettings

    /// The settings for a next hop: its route has the first word.
    func settings(for nextHop: NextHop) -> SignatureSettings {
        general.overridden(by: policy.overrides).overridden(by: nextHop.signing.overrides)
    }

    /// The keys to sign with, in the order of their fields.
    ///
    /// RSA always, Ed25519 beside it where the next hop can be expected to bear two signatures. A domain without
    /// an active RSA key signs with Ed25519 alone wherever its mail goes.
    func keys(for nextHop: NextHop) -> [ActiveKey] {
        guard let rsa = keys.rsa else { return [keys.ed25519].compactMap { $0 } }
        guard let ed25519 = keys.ed25519, nextHop.profile.rules.maximumSignatures ?? 2 > 1 else { return [rsa] }
        let isWanted =
            switch nextHop.kind {
            case .mx, .capture: nextHop.signing.ed25519 ?? true
            case .smarthost: nextHop.signing.ed25519 ?? false
            }
        return isWanted ? [rsa, ed25519] : [rsa]
    }
}
