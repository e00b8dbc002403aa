// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS

/// HostCheck is in charge of what receivers ask about the host that connects to them: whether its address has a name,
/// whether that name leads back, and whether it is the one in EHLO.
///
/// It matters where mail goes to MX hosts; a smarthost knows its clients by their passwords.
struct HostCheck {
    /// What the DNS says of the name in EHLO.
    struct Host: Sendable {
        var isName: Bool
        var addresses: Result<[IPAddress], DNSError>
        /// What mail comes from: the known addresses, else those of the name.
        var senders: [IPAddress]

        init(_ records: DomainRecords, _ lookup: RecordLookup) async {
            isName = DomainRecords.isHostName(records.hostname)
            addresses = .failure(.nameError)
            senders = records.addresses
            guard isName, records.ways.contains(.mx) else { return }
            do throws(DNSError) {
                let found = try await lookup.addresses(records.hostname)
                addresses = .success(found)
                if senders.isEmpty { senders = found }
            } catch {
                addresses = .failure(error)
            }
        }
    }

    private let records: DomainRecords
    private let lookup: RecordLookup
    private let host: Host

    init(_ records: DomainRecords, _ lookup: RecordLookup, _ host: Host) {
        self.records = records
        self.lookup = lookup
        self.host = host
    }

    func findings() async -> [RecordFinding] {
        guard records.ways.contains(.mx) else { return [] }
        var findings = [nameFinding]
        if records.addresses.isEmpty {
            let instead = host.senders.isEmpty ? "" : ": those of \(records.hostname) stand in here"
            findings.append(
                RecordFinding(
                    .host, .warning, records.hostname,
                    "this machine has no public address of its own, so it is not known what mail comes from\(instead)",
                    remedy: "Give the address that others see: --address IP."))
        }
        for address in host.senders { findings.append(await reverseFinding(address)) }
        return findings
    }

    private var nameFinding: RecordFinding {
        let name = records.hostname
        guard host.isName else {
            return RecordFinding(
                .host, .problem, name, "the name in EHLO is none that others know (RFC 5321 §4.1.4)",
                remedy: "Set hostname in the configuration to the name that this machine's address resolves to.")
        }
        let wanted = records.addresses.first.map(records.forward)
        switch host.addresses {
        case .success(let found):
            let missing = records.addresses.filter { !found.contains($0) }
            let texts = found.map(\.description)
            guard let address = missing.first else {
                return RecordFinding(.host, .ok, name, "the name in EHLO has an address", found: texts)
            }
            return RecordFinding(
                .host, .warning, name,
                "the name in EHLO does not lead to \(missing.map(\.description).joined(separator: ", ")), which mail "
                    + "comes from",
                found: texts, remedy: "Publish this record too, or set hostname to the name of that address.",
                wanted: records.forward(address))
        case .failure(.temporary(let reason)): return .unanswered(.host, name, reason)
        case .failure:
            return RecordFinding(
                .host, .problem, name, "the name in EHLO has no address, and many receivers refuse such hosts",
                remedy: "Publish the address of this machine at its name.", wanted: wanted)
        }
    }

    /// Whether the address has a name that leads back to it (forward-confirmed reverse DNS).
    private func reverseFinding(_ address: IPAddress) async -> RecordFinding {
        let wanted = records.reverse(address)
        let name = wanted.name
        let names: [String]
        do throws(DNSError) {
            names = try await lookup.names(of: address)
        } catch {
            if case .temporary(let reason) = error { return .unanswered(.ptr, name, reason) }
            return RecordFinding(
                .ptr, .problem, name, "\(address) has no name: \(consequence(address))",
                remedy: remedy(address), wanted: host.isName ? wanted : nil)
        }
        var confirmed: [String] = []
        var reason: String?
        // More names than these no receiver looks at.
        for candidate in names.prefix(SPFEvaluation.maximumHosts) {
            do throws(DNSError) {
                if try await lookup.addresses(candidate).contains(address) { confirmed.append(candidate) }
            } catch {
                if case .temporary(let text) = error { reason = text }
            }
        }
        if confirmed.contains(records.hostname) {
            return RecordFinding(.ptr, .ok, name, "\(address) and \(records.hostname) lead to each other", found: names)
        }
        if let other = confirmed.first {
            return RecordFinding(
                .ptr, .warning, name, "\(address) and \(other) lead to each other, but EHLO says \(records.hostname)",
                found: names, remedy: "Set hostname = \"\(other)\", or have the name of the address changed.",
                wanted: host.isName ? wanted : nil)
        }
        if let reason { return .unanswered(.ptr, name, reason) }
        return RecordFinding(
            .ptr, .problem, name,
            "\(address) has the name \(names.joined(separator: ", ")), which does not lead back to it: "
                + consequence(address),
            found: names, remedy: remedy(address), wanted: host.isName ? wanted : nil)
    }

    private func consequence(_ address: IPAddress) -> String {
        address.isIPv6
            ? "Gmail refuses all mail over IPv6 then (550 5.7.25)" : "the large receivers refuse or distrust its mail"
    }

    private func remedy(_ address: IPAddress) -> String {
        "Ask the owner of the address, mostly the hosting provider, to set its name"
            + (address.isIPv6 ? "; until then send over IPv4." : ".")
    }
}
