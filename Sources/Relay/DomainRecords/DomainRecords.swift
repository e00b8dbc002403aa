// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import DNS
package import Mail
package import Signing

/// DomainRecords is in charge of what must stand in the DNS so that mail of a domain is taken: it knows it from the
/// configuration and the keys, and asks nobody.
package struct DomainRecords: Sendable {
    /// The author domain.
    package let domain: Domain
    /// The name in EHLO.
    package let hostname: String
    /// What mail leaves from; empty: not known.
    package let addresses: [IPAddress]
    let ways: [SendingWay]
    package let keys: KnownKeys
    /// The configuration lets the domain's mail leave without signatures.
    package let isUnsigned: Bool
    /// Where the record names of the signing domain are aliases to; nil: its keys stand at their own names.
    let delegation: PublisherSettings.Delegation?

    package init(_ domain: Domain, _ configuration: Configuration, _ keys: KnownKeys, addresses: [IPAddress]) {
        self.domain = domain
        self.keys = keys
        self.addresses = addresses
        hostname = configuration.hostname.lowercased()
        ways = SendingWay.ways(of: configuration.effectiveRoutes)
        isUnsigned = configuration.signingPolicies.isUnsigned(domain)
        delegation = configuration.rotationPoliciesWithoutSecrets.publisher(of: keys.sdid)?.delegation
    }

    /// How the domain's mail leaves, in one line.
    package var summary: String {
        if ways.isEmpty { return "mail of \(domain) does not leave this host" }
        let places = addresses.map(\.description).joined(separator: " and ")
        let from = addresses.isEmpty || !ways.contains(.mx) ? "" : " from \(places) as \(hostname)"
        return "mail of \(domain) leaves " + ways.map(\.words).joined(separator: ", and ") + from
    }

    /// What keeps some of the records from being known, in lines.
    package var gaps: [String] {
        var gaps = keys.damage
        if keys.all.isEmpty, !isUnsigned {
            gaps.append("\(domain) has no key yet: run waxwing keys generate \(domain)")
        }
        guard ways.contains(.mx) else { return gaps }
        if !DomainRecords.isHostName(hostname) {
            gaps.append(
                "\(hostname) is no name that other hosts know: set hostname in the configuration, for the records of "
                    + "this host")
        }
        if addresses.isEmpty {
            gaps.append("this machine has no public address of its own: give the one that others see with --address")
        }
        return gaps
    }

    /// Whether a name can be one that other hosts know.
    static func isHostName(_ name: String) -> Bool {
        guard let domain = Domain(name), domain.parent != nil, IPAddress(name) == nil else { return false }
        let reserved = ["localhost", "localdomain", "local", "internal", "lan", "home", "invalid"]
        return !domain.name.contains("_") && !reserved.contains { domain.name.hasSuffix("." + $0) }
    }
}

/// The keys that sign for an author domain, or have signed, or may.
package struct KnownKeys: Sendable {
    /// Whose keys sign: the domain, or one above it.
    package var sdid: Domain
    /// Of the signing domain, and of the domain itself; those that are gone from the DNS are left out.
    package var all: [KeyDescription] = []
    /// What keeps keys from being read, in lines.
    package var damage: [String] = []

    package init(sdid: Domain, all: [KeyDescription] = [], damage: [String] = []) {
        self.sdid = sdid
        self.all = all
        self.damage = damage
    }

    /// - Throws: when the key directory can't be read.
    init(of domain: Domain, _ store: KeyStore, _ policies: SigningPolicies) throws(KeyError) {
        sdid = domain
        for signer in policies.sdids(for: domain) {
            var found: [KeyDescription] = []
            for entry in try store.keys(of: signer) {
                switch entry.description {
                case .success(let key): if key.state != .removed { found.append(key) }
                case .failure(let error): damage.append(error.text)
                }
            }
            let isActive = found.contains { $0.state == .active }
            if signer == domain || isActive { all += found }
            guard isActive else { continue }
            sdid = signer
            break
        }
    }
}
