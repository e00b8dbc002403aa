// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail
import Signing

/// The records themselves.
extension DomainRecords {
    /// All of them, in the order in which they are shown.
    package var wanted: [WantedRecord] {
        hostRecords + [spf, hostSPF].compactMap { $0 } + keyRecords + [dmarc] + optional
    }

    // MARK: The host

    /// Only receivers that this host talks to look at them.
    private var hostRecords: [WantedRecord] {
        guard ways.contains(.mx), DomainRecords.isHostName(hostname) else { return [] }
        return addresses.flatMap { address in [forward(address), reverse(address)] }
            .sorted { $0.kind == .host && $1.kind == .ptr }
    }

    func forward(_ address: IPAddress) -> WantedRecord {
        WantedRecord(
            .host, name: hostname, type: address.isIPv6 ? "AAAA" : "A", value: address.description,
            why: "the name in EHLO leads to the address that mail comes from")
    }

    func reverse(_ address: IPAddress) -> WantedRecord {
        WantedRecord(
            .ptr, name: address.reverseName, type: "PTR", value: hostname,
            why: "the address leads back to the name; the owner of the address sets it, mostly the hosting provider")
    }

    // MARK: SPF

    /// What the record must have for each way.
    var spfTerms: [String] {
        var terms: [String] = []
        for way in ways {
            guard let term = way.spfTerm(hostname: hostname, addresses: addresses), !terms.contains(term) else {
                continue
            }
            terms.append(term)
        }
        return terms
    }

    /// Nil when nothing is known that could stand in it.
    var spf: WantedRecord? {
        guard !spfTerms.isEmpty else { return nil }
        let isRequired = ways.contains { $0.usesReversePath }
        let whose =
            isRequired
            ? "says who may send with \(domain) in the reverse-path; it counts for DMARC where that domain is the one of "
                + "From or belongs to the same organization"
            : "is looked at only if the smarthost is told to use a reverse-path of \(domain) instead of its own"
        // RFC 9989 §7.1: with -all some receivers refuse forwarded mail before they look at its signature.
        return WantedRecord(
            .spf, name: domain.name, value: (["v=spf1"] + spfTerms + ["~all"]).joined(separator: " "),
            why: whose + ". Other senders of the domain belong into the same record, before ~all. With -all some "
                + "receivers refuse forwarded mail before they look at its signature",
            isRequired: isRequired)
    }

    /// For bounces, which have no reverse-path (RFC 7208 §2.4).
    var hostSPF: WantedRecord? {
        guard ways.contains(.mx), DomainRecords.isHostName(hostname), hostname != domain.name else { return nil }
        return WantedRecord(
            .spf, name: hostname, value: "v=spf1 a -all",
            why: "bounces have no reverse-path, and the name in EHLO stands in", isRequired: false)
    }

    // MARK: DKIM

    /// What the operator publishes: the aliases of delegated names once, and the records of keys at other names.
    var keyRecords: [WantedRecord] {
        let aliases = publisher.delegationRecords(for: keys.sdid)
        let isDelegated = Set(aliases.map(\.name))
        return aliases.map(alias)
            + keys.all.filter { !isDelegated.contains($0.recordName) }.compactMap {
                record($0.textRecord(ttl: ttl), of: $0)
            }
    }

    /// The record that the operator publishes for a key; nil: none.
    func record(of key: KeyDescription) -> WantedRecord? {
        let aliases = publisher.delegationRecords(for: keys.sdid)
        if let alias = aliases.first(where: { $0.name == key.recordName }) { return self.alias(alias) }
        return record(key.textRecord(ttl: ttl), of: key)
    }

    private func alias(_ alias: Publisher.Alias) -> WantedRecord {
        WantedRecord(
            .dkim, name: alias.name, type: "CNAME", value: alias.target,
            why: "made once: keys rotate behind it without you")
    }

    private func record(_ record: TextRecord?, of key: KeyDescription) -> WantedRecord? {
        guard let record else { return nil }
        let why =
            switch key.state {
            case .generated: "this key signs when it is published and activated"
            case .published: "this key is proven, and may become active"
            case .active: "this key signs"
            case .retiring: "mail that this key signed is still under way"
            case .revoked: "this key was revoked: the record says so, until it is removed"
            case .compromised: "this key is compromised: nobody may believe its signatures"
            case .removed: "this key is no longer used"
            }
        return WantedRecord(
            .dkim, name: record.name, value: record.text, why: why,
            isRequired: [.published, .active, .retiring, .compromised].contains(key.state), ttl: record.ttl)
    }

    // MARK: DMARC and the rest

    var dmarc: WantedRecord {
        WantedRecord(
            .dmarc, name: "_dmarc.\(domain)", value: "v=DMARC1; p=none; rua=mailto:dmarc-reports@\(domain)",
            why:
                "the large receivers ask for one. A record of a domain above holds for this one too. Reports go to the "
                + "mailbox in rua=, which must exist; when they show that all mail passes, go on to p=quarantine and "
                + "p=reject")
    }

    private var optional: [WantedRecord] {
        [
            WantedRecord(
                .mtaSTS, name: "_mta-sts.\(domain)", value: "v=STSv1; id=1",
                why: "for mail to the domain: others deliver under TLS only, by the policy at "
                    + "https://mta-sts.\(domain)/.well-known/mta-sts.txt; a new id for each change of the policy",
                isRequired: false),
            WantedRecord(
                .tlsrpt, name: "_smtp._tls.\(domain)", value: "v=TLSRPTv1; rua=mailto:tls-reports@\(domain)",
                why: "for mail to the domain: others report where TLS fails", isRequired: false),
        ]
    }
}
