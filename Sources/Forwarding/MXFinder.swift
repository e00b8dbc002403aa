// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS
internal import Mail

/// `MXFinder` is in charge of where mail for a domain goes and of the addresses behind it (RFC 5321 §5.1); what
/// can't be found out now is deferred, what the DNS says is not there fails.
struct MXFinder: Sendable {
    let resolver: any DNS.Resolver
    /// The relay's own name: finding it among the MX hosts means that the mail would come back.
    let hostname: String
    let randomness: Randomness

    /// The MX hosts of `domain`, by preference, then name.
    func hosts(of domain: Domain) async throws(RoutingFault) -> [MXRecord] {
        let answer: MXAnswer
        do {
            answer = try await resolver.mx(domain.name)
        } catch {
            switch error {
            case .nameError: answer = .nameError
            case .noData: answer = .noData
            // RFC 5321 §5.1: "not known now" must never be read as "has no MX".
            case .temporary(let text):
                throw .deferred(4, 3, "the MX hosts of \(domain) can't be looked up: \(text)", .network)
            }
        }
        switch answer {
        case .nameError:
            throw .failed(1, 2, "the domain \(domain) does not exist", .recipient)
        // RFC 7505 §3.
        case .nullMX:
            throw .failed(1, 10, "the domain \(domain) takes no mail (null MX)", .recipient, replyCode: 556)
        // RFC 5321 §5.1: without MX records the domain is its own MX host.
        case .noData:
            return [MXRecord(preference: 0, host: domain.name)]
        case .records(let records):
            return try usable(records, of: domain)
        }
    }

    private func usable(_ records: [MXRecord], of domain: Domain) throws(RoutingFault) -> [MXRecord] {
        // RFC 7505 §3: a null MX beside others means nothing.
        var hosts = records.filter { !$0.host.isEmpty && $0.host != "." }
        if hosts.isEmpty {
            throw .failed(1, 10, "the domain \(domain) takes no mail (null MX)", .recipient, replyCode: 556)
        }
        // RFC 5321 §5.1: our own name in the list rules out itself and whatever is no better.
        if let own = hosts.filter({ $0.host == hostname }).map(\.preference).min() {
            hosts.removeAll { $0.preference >= own }
            if hosts.isEmpty {
                throw .failed(4, 6, "the best MX host of \(domain) is this relay itself", .operator)
            }
        }
        return hosts.sorted { ($0.preference, $0.host) < ($1.preference, $1.host) }
    }

    /// The addresses to try for one connection, in order.
    func addresses(of target: SiteTarget, allowsPrivate: Bool) async throws(RoutingFault) -> [NextHopAddress] {
        switch target {
        case .smarthost(let host, let port):
            return try await smarthostAddresses(host, port)
        case .mx(let hosts, let port):
            return try await mxAddresses(hosts, port, allowsPrivate: allowsPrivate)
        }
    }

    private func smarthostAddresses(_ host: String, _ port: Int) async throws(RoutingFault) -> [NextHopAddress] {
        var addresses: [IPAddress] = []
        if let literal = IPAddress(host) {
            addresses = [literal]
        } else if host == "localhost" {
            // RFC 6761 §6.3: never a matter of the DNS.
            addresses = ["127.0.0.1", "::1"].compactMap { IPAddress($0) }
        } else {
            do {
                addresses = try await resolver.addresses(host)
            } catch {
                // The name is from the configuration, so whatever is wrong with it is not the mail's fault.
                let reason =
                    switch error {
                    case .temporary(let text): text
                    case .nameError: "the name does not exist"
                    case .noData: "the name has no address"
                    }
                throw .deferred(4, 3, "the smarthost \(host) can't be looked up: \(reason)", .operator)
            }
        }
        let ordered = MXFinder.interleaved(addresses).prefix(ForwardingLimits.addressesPerAttempt)
        return ordered.map { NextHopAddress(host: host, address: $0, port: port) }
    }

    private func mxAddresses(
        _ hosts: [MXRecord], _ port: Int, allowsPrivate: Bool
    ) async throws(RoutingFault) -> [NextHopAddress] {
        var found: [NextHopAddress] = []
        var temporary: String?
        var wasPrivate = false
        // A host with many addresses leaves room for the next one.
        let perHost = hosts.count > 1 ? ForwardingLimits.addressesPerAttempt - 2 : ForwardingLimits.addressesPerAttempt
        for host in inOrder(hosts) where found.count < ForwardingLimits.addressesPerAttempt {
            do {
                let addresses = try await resolver.addresses(host.host)
                let allowed = addresses.filter { allowsPrivate || AddressPolicy.isGlobal($0) }
                if allowed.count < addresses.count { wasPrivate = true }
                for address in MXFinder.interleaved(allowed).prefix(perHost) {
                    found.append(NextHopAddress(host: host.host, address: address, port: port))
                }
            } catch {
                if case .temporary(let text) = error { temporary = "\(host.host): \(text)" }
            }
        }
        guard found.isEmpty else { return Array(found.prefix(ForwardingLimits.addressesPerAttempt)) }
        if let temporary {
            throw .deferred(4, 3, "the address of an MX host can't be looked up: \(temporary)", .network)
        }
        if wasPrivate {
            throw .failed(4, 4, "the MX hosts have only loopback or private addresses", .recipient)
        }
        throw .failed(4, 4, "no MX host has an address", .recipient)
    }

    /// By preference; equals in an order of chance, which shares the load (RFC 5321 §5.1).
    private func inOrder(_ hosts: [MXRecord]) -> [MXRecord] {
        var ordered: [MXRecord] = []
        for preference in Set(hosts.map(\.preference)).sorted() {
            ordered += randomness.shuffled(hosts.filter { $0.preference == preference })
        }
        return ordered
    }

    /// IPv4 and IPv6 in turns, so that one broken kind does not use up all attempts; IPv4 first, because many
    /// next hops judge IPv6 senders more strictly.
    static func interleaved(_ addresses: [IPAddress]) -> [IPAddress] {
        let four = addresses.filter { !$0.isIPv6 }
        let six = addresses.filter(\.isIPv6)
        var ordered: [IPAddress] = []
        for index in 0..<max(four.count, six.count) {
            if index < four.count { ordered.append(four[index]) }
            if index < six.count { ordered.append(six[index]) }
        }
        return ordered
    }
}

/// One address of a next hop.
struct NextHopAddress: Hashable, Sendable {
    var host: String
    var address: IPAddress
    var port: Int

    /// As diagnostics name it, such as `mx.example.net[192.0.2.1]:25`.
    var remote: String {
        let text = address.description
        return host == text ? "[\(text)]:\(port)" : "\(host)[\(text)]:\(port)"
    }
}

/// Why there is no next hop to ask, as the outcome for the recipients.
struct RoutingFault: Error, Hashable, Sendable {
    var outcome: Outcome

    static func deferred(
        _ subject: Int, _ detail: Int, _ text: String, _ owner: Diagnostic.Owner
    ) -> RoutingFault {
        RoutingFault(
            outcome: .deferred(Diagnostic(status: EnhancedStatusCode(4, subject, detail), text: text, owner: owner)))
    }

    static func failed(
        _ subject: Int, _ detail: Int, _ text: String, _ owner: Diagnostic.Owner, replyCode: Int? = nil
    ) -> RoutingFault {
        RoutingFault(
            outcome: .failed(
                Diagnostic(
                    replyCode: replyCode, status: EnhancedStatusCode(5, subject, detail), text: text, owner: owner)))
    }
}
