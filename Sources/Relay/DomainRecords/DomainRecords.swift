// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import DNS
package import Mail
import Signing

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
    package var keys: KnownKeys
    /// The configuration lets the domain's mail leave without signatures.
    package let isUnsigned: Bool
    /// Of the signing domain: whether the names of its key records are aliases, and of what.
    let publisher: Publisher
    /// Of key records, in seconds.
    let ttl: Int64

    package init(_ domain: Domain, _ configuration: Configuration, _ keys: KnownKeys, addresses: [IPAddress]) {
        self.domain = domain
        self.keys = keys
        self.addresses = addresses
        hostname = configuration.hostname.lowercased()
        ways = SendingWay.ways(of: configuration.effectiveRoutes)
        isUnsigned = configuration.signingPolicies.isUnsigned(domain)
        let rotation = configuration.rotationPoliciesWithoutSecrets
        publisher = Publisher(
            rotation.publisher(of: keys.sdid), keyDirectory: configuration.resolve(configuration.keys.directory))
        ttl = rotation.settings(of: keys.sdid).recordTTL
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
            let what = keys.excluded.isEmpty ? "no key yet" : "no key of a kind in its algorithms"
            gaps.append("\(domain) has \(what): run \(keys.generation(for: domain))")
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
