// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Dispatch

/// AuthoritativeServers is in charge of asking every name server of a zone for a text record, past all
/// caches: whether a key can be used is asked of those who publish it.
///
/// The name itself is never asked of a recursive resolver: an answer "does not exist" would stay in its cache
/// after the record is there.
package struct AuthoritativeServers: Sendable {
    /// Zones that hand on to zones, aliases that name aliases: no more than this many steps.
    static let maximumSteps = 8
    /// Servers asked for one name.
    static let maximumServers = 32

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
    ///
    /// - Throws: `.temporary` when the servers themselves can't be found.
    package func answers(toTXT name: String, in domain: String) async throws(DNSError) -> [ServerAnswer] {
        if !servers.isEmpty { return await ask(servers.map { Target(name: nil, address: $0) }, for: name) }
        var found = try await targets(await nameServers(above: domain))
        var asked = name
        var answers = await ask(found, for: asked)
        for _ in 0..<Self.maximumSteps {
            if let next = referral(in: answers) {
                found = try await targets(next)
            } else if let target = alias(in: answers) {
                asked = target
                found = try await targets(await nameServers(above: target))
            } else {
                break
            }
            answers = await ask(found, for: asked)
        }
        return answers
    }

    /// A server to ask: without an address it is one that can't be asked.
    private struct Target: Sendable {
        var name: String?
        var address: ServerAddress?

        var text: String {
            switch (name, address) {
            case (let name?, let address?): "\(name) (\(address))"
            case (let name?, nil): name
            case (nil, let address): address.map(\.description) ?? ""
            }
        }
    }

    /// The servers of the zone that holds `name`: NS records, looked for from the name upwards.
    private func nameServers(above name: String) async throws(DNSError) -> [String] {
        var labels = name.split(separator: ".")[...]
        while !labels.isEmpty {
            let servers = try await resolver.nameServers(labels.joined(separator: "."))
            if !servers.isEmpty { return servers }
            labels = labels.dropFirst()
        }
        throw .temporary("no name servers are known for \(name)")
    }

    /// Every address of every server.
    private func targets(_ names: [String]) async throws(DNSError) -> [Target] {
        var targets: [Target] = []
        for name in Set(names).sorted() {
            do {
                for address in try await resolver.addresses(name) {
                    targets.append(Target(name: name, address: ServerAddress(address: address, port: port)))
                }
            } catch {
                targets.append(Target(name: name, address: nil))
            }
        }
        return Array(targets.prefix(Self.maximumServers))
    }

    /// Where all servers point to others: those.
    ///
    /// One server that points away while the rest answer is wrong, and its answer stays.
    private func referral(in answers: [ServerAnswer]) -> [String]? {
        var names: [String] = []
        for answer in answers {
            guard case .referral(let servers) = answer.kind else { return nil }
            names += servers
        }
        return names.isEmpty ? nil : names
    }

    /// Where all servers name one alias: its target.
    private func alias(in answers: [ServerAnswer]) -> String? {
        guard case .alias(let target)? = answers.first?.kind,
            answers.allSatisfy({ $0.kind == .alias(target) })
        else { return nil }
        return target
    }

    private func ask(_ targets: [Target], for name: String) async -> [ServerAnswer] {
        await withTaskGroup(of: (Int, ServerAnswer).self) { group in
            for (index, target) in targets.enumerated() {
                group.addTask { (index, await Self.ask(target, for: name)) }
            }
            var answers: [(Int, ServerAnswer)] = []
            for await answer in group { answers.append(answer) }
            return answers.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// ldns blocks, so each server is asked on a thread of Dispatch's.
    private static func ask(_ target: Target, for name: String) async -> ServerAnswer {
        guard let address = target.address else {
            return ServerAnswer(server: target.text, kind: .unreachable("the server's address can't be found"))
        }
        let question = LdnsQuestion(name: name, server: address)
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: ServerAnswer(server: target.text, kind: question.ask()))
            }
        }
    }
}
