// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import TestSupport

@testable import Signing

/// The name servers of one domain in a simulation: a primary that takes changes, secondaries that follow later, and
/// faults of all kinds.
struct SimulatedZone {
    static let servers = 3
    static let negativeTTL: Int64 = 7200
    static let recordTTL: Int64 = 3600

    /// What one server has, and what it will have when its next transfers are done.
    struct Server {
        var records: [String: String] = [:]
        var transfers: [(time: Int64, name: String, text: String?)] = []
        var unreachableUntil: Int64 = 0
    }

    private(set) var servers = [Server](repeating: Server(), count: servers)
    /// The publisher fails until then.
    var publisherFailsUntil: Int64 = 0
    /// Names whose record somebody broke by hand, until when; without end until it is published again.
    private var broken: [String: Int64] = [:]
    private var generator: SeededGenerator

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    /// Brings the secondaries to this moment.
    mutating func settle(at now: Int64) {
        for index in servers.indices {
            while let next = servers[index].transfers.first, next.time <= now {
                servers[index].records[next.name] = next.text
                servers[index].transfers.removeFirst()
            }
        }
    }

    mutating func publish(_ change: RecordChange, at now: Int64) -> PublicationResult {
        guard now >= publisherFailsUntil else { return .failed("the primary refused") }
        settle(at: now)
        servers[0].records[change.name] = change.wanted
        for index in 1..<Self.servers {
            // One after the other, as transfers are.
            let isSlow = Int.random(in: 0..<8, using: &generator) == 0
            let lag = Int64.random(in: 0...(isSlow ? 5400 : 300), using: &generator)
            let time = max(now + lag, servers[index].transfers.last?.time ?? 0)
            servers[index].transfers.append((time, change.name, change.wanted))
            if broken[change.name] != nil { broken[change.name] = max(time, index == 1 ? 0 : broken[change.name] ?? 0) }
        }
        return .submitted("taken by the primary")
    }

    /// A person makes a mistake in the zone, on the primary; the secondaries follow.
    mutating func damage(_ name: String, text: String?, at now: Int64) {
        settle(at: now)
        for index in servers.indices { servers[index].records[name] = text }
        broken[name] = .max
    }

    mutating func cutOff(_ server: Int, until time: Int64) {
        servers[server].unreachableUntil = time
    }

    mutating func look(at key: KeyDescription, at now: Int64) -> KeyEvidence {
        settle(at: now)
        var verdicts: [KeyEvidence.Verdict] = []
        for server in servers {
            guard now >= server.unreachableUntil else {
                verdicts.append(.unknown)
                continue
            }
            switch server.records[key.recordName] {
            case nil: verdicts.append(.absent)
            case key.record?: verdicts.append(.published)
            case key.revokedRecord?: verdicts.append(.revoked)
            default: verdicts.append(.wrong)
            }
        }
        let answered = verdicts.filter { $0 != .unknown }
        let verdict: KeyEvidence.Verdict
        if let first = answered.first, answered.count == Self.servers {
            verdict = answered.allSatisfy { $0 == first } ? first : .wrong
        } else {
            verdict = answered.contains { $0 != .published } ? .wrong : .unknown
        }
        return KeyEvidence(
            verdict, summary: "simulated", recordTTL: Self.recordTTL, negativeTTL: Self.negativeTTL, zone: key.domain)
    }

    /// Whether a receiver that asks any of the servers finds the key, or would if nobody had broken its record.
    func shows(_ name: String, _ record: String, at now: Int64) -> Bool {
        now < broken[name] ?? .min || servers.allSatisfy { $0.records[name] == record }
    }
}
