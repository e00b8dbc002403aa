// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// ZoneSearch is in charge of finding the name servers of a zone and their addresses.
///
/// A resolver is asked only for names that exist, or it would remember for the time of the zone's negative TTL that
/// they do not, and what is published there meanwhile would not be seen (RFC 2308 §5, RFC 8020).
struct ZoneSearch: Sendable {
    /// A zone and the names of its servers.
    struct Zone: Hashable, Sendable {
        /// As many as anybody has: whoever writes a zone could name thousands.
        static let maximumServers = 32

        let name: String
        /// Each once, in order.
        let servers: [String]
        /// How many more there are.
        let leftOut: Int

        init(name: String, servers: [String]) {
            let all = Set(servers).sorted()
            self.name = name
            self.servers = Array(all.prefix(Self.maximumServers))
            leftOut = all.count - self.servers.count
        }
    }

    /// What came of the question for the addresses of one server.
    ///
    /// A type of its own: a task that returned it as a tuple crashed when Swift 6.3.1 had optimized it.
    struct FoundAddresses: Sendable {
        var host: String
        var addresses: Result<[IPAddress], DNSError>
    }

    /// Zones below zones: no more than these.
    private static let maximumDepth = 8
    /// Of one zone on the way, enough to get past a dead one.
    private static let maximumAskedOnTheWay = 4
    private static let timeLimitOnTheWay = Duration.seconds(3)

    let resolver: UnboundResolver
    let port: Int

    /// The zone that holds `domain`: NS records, looked for from the domain upwards.
    func zone(above domain: String) async throws(DNSError) -> Zone {
        var labels = domain.split(separator: ".")[...]
        while !labels.isEmpty {
            let name = labels.joined(separator: ".")
            let servers = try await resolver.nameServers(name)
            if !servers.isEmpty { return Zone(name: name, servers: servers) }
            labels = labels.dropFirst()
        }
        throw .temporary("no name servers are known for \(domain)")
    }

    /// The zone that holds the target of an alias, which may not exist yet.
    ///
    /// From the top down: the resolver names the servers of the first zone there is, they and those below are asked
    /// themselves.
    func zone(holding target: String) async throws(DNSError) -> Zone {
        let labels = target.split(separator: ".")
        var failure = DNSError.temporary("no name servers are known for \(target)")
        for count in 1..<max(1, min(labels.count, Self.maximumDepth)) {
            let name = labels.suffix(count).joined(separator: ".")
            do throws(DNSError) {
                let servers = try await resolver.nameServers(name)
                if !servers.isEmpty { return await descend(from: Zone(name: name, servers: servers), to: target) }
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private func descend(from zone: Zone, to target: String) async -> Zone {
        var zone = zone
        for _ in 0..<Self.maximumDepth {
            guard let next = await child(of: zone, holding: target) else { break }
            zone = next
        }
        return zone
    }

    /// Where a server of the zone refers to for `target`.
    private func child(of zone: Zone, holding target: String) async -> Zone? {
        guard let message = QueryMessage.octets(name: target, type: .txt) else { return nil }
        let found = await addresses(of: zone).flatMap { ((try? $0.addresses.get()) ?? []).prefix(2) }
        let exchanges = found.prefix(Self.maximumAskedOnTheWay).map { address in
            Exchange(server: ServerAddress(address: address, port: port), transport: .udp, message: message)
        }
        let outcomes = await Exchange.perform(exchanges, within: Self.timeLimitOnTheWay)
        for outcome in outcomes {
            let kind = AnswerReading.kind(outcome, name: target, zone: zone.name)
            if case .referral(let child, let servers) = kind { return Zone(name: child, servers: servers) }
        }
        return nil
    }

    /// The addresses of each server of the zone, in the order of their names; looked for at once.
    func addresses(of zone: Zone) async -> [FoundAddresses] {
        let found = await withTaskGroup(of: FoundAddresses.self) { group in
            for host in zone.servers { group.addTask { await Self.addresses(of: host, resolver) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        return found.sorted { $0.host < $1.host }
    }

    private static func addresses(of host: String, _ resolver: UnboundResolver) async -> FoundAddresses {
        do throws(DNSError) {
            return FoundAddresses(host: host, addresses: .success(try await resolver.addresses(host)))
        } catch {
            return FoundAddresses(host: host, addresses: .failure(error))
        }
    }
}
