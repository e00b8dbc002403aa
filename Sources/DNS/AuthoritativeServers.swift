// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// AuthoritativeServers is in charge of asking every address of every name server of a zone for a text record, past
/// all caches, over UDP and TCP: whether a key can be used is asked of those who publish it.
///
/// The name itself is never asked of a recursive resolver: an answer "does not exist" would stay in its cache
/// after the record is there.
package struct AuthoritativeServers: Sendable {
    /// Zones that hand on to zones, aliases that name aliases: no more than this many steps.
    static let maximumSteps = 8
    /// Addresses asked for one name.
    static let maximumAddresses = 32
    /// For a better explanation.
    private static let maximumAskedForHints = 2
    private static let timeLimitOfHints = Duration.seconds(2)

    private let resolver: UnboundResolver
    private let servers: [ServerAddress]
    private let port: Int

    /// - Parameters:
    ///   - servers: asked instead of the servers that the DNS names, for networks with a DNS of their own.
    ///   - port: of the servers that the DNS names.
    package init(
        resolver: UnboundResolver, servers: [ServerAddress] = [], port: Int = ServerAddress.standardPort
    ) {
        self.resolver = resolver
        self.servers = servers
        self.port = port
    }

    /// What each server says of the text records of `name`, which lies in or below `domain`.
    package func report(onTXT name: String, in domain: String) async -> TextReport {
        guard let first = LdnsName.canonical(name), let domain = LdnsName.canonical(domain) else {
            return TextReport(steps: [], end: .serversNotFound(name, reason: "it is no domain name"))
        }
        var report = TextReport(steps: [], end: .tooManySteps)
        var asked = first
        var found: Targets
        do throws(DNSError) {
            found = try await targets(above: domain)
        } catch {
            report.end = .serversNotFound(domain, reason: error.text)
            return report
        }
        var names: Set = [first]
        while report.steps.count < Self.maximumSteps {
            let step = await ask(found, for: asked)
            report.steps.append(step)
            guard let next = next(after: step.answers) else {
                report.end = .answered
                report.doubled = await doubledTexts(step, found)
                return report
            }
            do throws(DNSError) {
                switch next {
                case .zone(let zone):
                    found = await addresses(of: zone)
                case .alias(let target):
                    asked = target
                    guard names.insert(target).inserted else {
                        report.end = .circle(target)
                        return report
                    }
                    found = try await targets(holding: target, after: found)
                }
            } catch {
                report.end = .serversNotFound(asked, reason: error.text)
                return report
            }
        }
        return report
    }

    /// Servers to ask: one without an address can't be asked.
    private struct Targets: Sendable {
        struct Target: Sendable {
            var host: String?
            var address: ServerAddress?
            /// Why it can't be asked.
            var problem: String?

            var text: String {
                switch (host, address) {
                case (let host?, let address?): "\(host) (\(address))"
                case (let host?, nil): host
                case (nil, let address): address.map(\.description) ?? ""
                }
            }
        }

        /// Nil: not known, the configuration names the servers.
        var zone: String?
        var all: [Target]
    }

    /// Where to go on.
    private enum Next {
        case zone(ZoneSearch.Zone)
        case alias(String)
    }

    private var search: ZoneSearch { ZoneSearch(resolver: resolver, port: port) }

    /// The servers that the configuration names, which stand for all others.
    private var configured: Targets? {
        servers.isEmpty ? nil : Targets(zone: nil, all: servers.map { Targets.Target(address: $0) })
    }

    private func targets(above domain: String) async throws(DNSError) -> Targets {
        if let configured { return configured }
        return await addresses(of: try await search.zone(above: domain))
    }

    private func targets(holding name: String, after last: Targets) async throws(DNSError) -> Targets {
        // A zone below that one is referred to.
        if let configured { return configured }
        if let zone = last.zone, AnswerReading.contains(zone, name) { return last }
        return await addresses(of: try await search.zone(holding: name))
    }

    /// Every address of every server.
    private func addresses(of zone: ZoneSearch.Zone) async -> Targets {
        var targets = Targets(zone: zone.name, all: [])
        for found in await search.addresses(of: zone) {
            switch found.addresses {
            case .success(let addresses):
                targets.all += addresses.map { address in
                    Targets.Target(host: found.host, address: ServerAddress(address: address, port: port))
                }
            case .failure(let error):
                targets.all.append(
                    Targets.Target(host: found.host, problem: "the server's address can't be found: \(error.text)"))
            }
        }
        if targets.all.count > Self.maximumAddresses {
            let left = targets.all.count - Self.maximumAddresses
            targets.all.removeLast(left)
            targets.all.append(
                Targets.Target(
                    host: "\(left) more addresses",
                    problem: "no more than \(Self.maximumAddresses) addresses are asked"))
        }
        if zone.leftOut > 0 {
            targets.all.append(
                Targets.Target(
                    host: "\(zone.leftOut) more servers",
                    problem: "no more than \(ZoneSearch.Zone.maximumServers) servers of a zone are asked"))
        }
        return targets
    }

    /// Where all servers that say something say the same and point away: there.
    ///
    /// One that points away while others answer is wrong, and its answer stays.
    private func next(after answers: [ServerAnswer]) -> Next? {
        let statements = answers.flatMap(\.statements)
        switch statements.first {
        case .alias(let target, _):
            return statements.allSatisfy { $0.saysTheSame(as: statements[0]) } ? .alias(target) : nil
        case .referral(let child, _):
            var servers: [String] = []
            for statement in statements {
                guard case .referral(child, let names) = statement else { return nil }
                servers += names
            }
            // Servers that the configuration names stand for all others.
            return self.servers.isEmpty ? .zone(ZoneSearch.Zone(name: child, servers: servers)) : nil
        default:
            return nil
        }
    }

    // MARK: Asking

    /// All servers at once, each with four questions: for the record over UDP and TCP, for a name that can't exist,
    /// for the SOA record.
    private func ask(_ targets: Targets, for name: String) async -> TextReport.Step {
        let sibling = Self.sibling(of: name)
        var exchanges: [Exchange] = []
        for address in targets.all.compactMap(\.address) {
            for (asked, type, transport) in Self.questions(name, sibling) {
                let message = QueryMessage.octets(name: asked, type: type) ?? []
                exchanges.append(Exchange(server: address, transport: transport, message: message))
            }
        }
        var outcomes = await Exchange.perform(exchanges)[...]
        let answers = targets.all.map { target in
            guard target.address != nil else {
                let kind = ServerAnswer.Kind.unreachable(target.problem ?? "no address")
                return ServerAnswer(server: target.text, host: target.host, udp: kind, tcp: kind)
            }
            let mine = Array(outcomes.prefix(4))
            outcomes = outcomes.dropFirst(4)
            let other = AnswerReading.kind(mine[2], name: sibling, zone: targets.zone)
            return ServerAnswer(
                server: target.text, host: target.host,
                udp: AnswerReading.kind(mine[0], name: name, zone: targets.zone),
                tcp: AnswerReading.kind(mine[1], name: name, zone: targets.zone),
                sibling: other.isStatement ? other : nil,
                authority: AnswerReading.authority(mine[3], of: name)
                    ?? AnswerReading.authority(mine[2], of: sibling))
        }
        return TextReport.Step(
            name: name, zone: answers.lazy.compactMap { $0.authority?.zone }.first ?? targets.zone, answers: answers)
    }

    /// What a server has at the name with the zone behind it once more, if nobody has anything at the name.
    private func doubledTexts(_ step: TextReport.Step, _ targets: Targets) async -> [[UInt8]] {
        let statements = step.answers.flatMap(\.statements)
        guard !statements.isEmpty, statements.allSatisfy({ $0 == .nameError || $0 == .noData }), let zone = step.zone,
            let message = QueryMessage.octets(name: step.name + "." + zone, type: .txt)
        else { return [] }
        let exchanges = targets.all.compactMap(\.address).prefix(Self.maximumAskedForHints).map { address in
            Exchange(server: address, transport: .tcp, message: message)
        }
        for outcome in await Exchange.perform(exchanges, within: Self.timeLimitOfHints) {
            let kind = AnswerReading.kind(outcome, name: step.name + "." + zone, zone: zone)
            if case .records(let texts, _) = kind { return texts }
        }
        return []
    }

    private static func questions(_ name: String, _ sibling: String) -> [(String, RecordType, Exchange.Transport)] {
        [(name, .txt, .udp), (name, .txt, .tcp), (sibling, .txt, .tcp), (name, .soa, .udp)]
    }

    /// A name beside `name` that nobody has made: if there is an answer for it, a wildcard gives it (RFC 4592).
    static func sibling(of name: String) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz")
        let label = String((0..<20).map { _ in letters.randomElement() ?? "x" })
        return label + (name.firstIndex(of: ".").map { name[$0...] } ?? "")
    }
}
