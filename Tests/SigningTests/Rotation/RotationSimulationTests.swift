// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import Testing

@testable import Signing

/// Years of rotations of many domains, with a clock, name servers and a disk that are simulated and go wrong at random.
@Suite struct RotationSimulationTests {
    static let years = 3

    @Test func mailIsOnlySignedByProvenOrForcedKeysAndNoRotationLeavesADomainWithoutOne() async throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["WAXWING_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64(UInt32.max))
        let count = environment["WAXWING_SIMULATED_DOMAINS"].flatMap { Int($0) } ?? 100
        print("rotation simulation: WAXWING_SEED=\(seed)")
        let domains = try (0..<count).map { number in
            SimulatedDomain(
                try #require(Domain("d\(number).example")), settings: Self.settings(number), start: noon.seconds,
                seed: seed &+ UInt64(number) &* 1000)
        }
        let end = noon.seconds + Int64(Self.years) * 365 * 86_400
        let violations = await withTaskGroup(of: String?.self) { group in
            var violations: [String] = []
            for (number, domain) in domains.enumerated() {
                if number >= 2 { violations += (await group.next() ?? nil).map { [$0] } ?? [] }
                // Behind the other tests, some of which wait for a next thing in time.
                group.addTask(priority: .background) {
                    do { try await domain.run(until: end) } catch { return "\(domain.domain): \(error)" }
                    return nil
                }
            }
            for await violation in group { violations += violation.map { [$0] } ?? [] }
            return violations
        }
        #expect(violations.isEmpty, "WAXWING_SEED=\(seed): \(violations.prefix(5).joined(separator: "\n"))")
        let all = domains.map(\.outcome)
        func sum(_ path: KeyPath<SimulatedDomain.Outcome, Int>) -> Int { all.reduce(0) { $0 + $1[keyPath: path] } }
        print(
            "rotation simulation: \(count) domains, \(sum(\.rotations)) activations, \(sum(\.forced)) forced, "
                + "\(sum(\.compromised)) compromised, \(sum(\.crashes)) crashes, held at \(sum(\.held)) of "
                + "\(sum(\.samples)) moments, \(sum(\.runs)) runs, \(sum(\.looks)) looks")
        // The simulation has to have been one: every domain rotated several times, and things went wrong.
        #expect(sum(\.rotations) > count * Self.years * 3)
        #expect(sum(\.crashes) > count && sum(\.forced) > 0 && sum(\.compromised) > 0)
    }

    private static func settings(_ number: Int) -> RotationSettings {
        var settings = RotationSettings()
        settings.interval = Int64([90, 120, 180][number % 3]) * 86_400
        settings.keepsStandby = number % 2 == 0
        settings.checkInterval = 5 * 86_400
        settings.publisher = "simulated"
        settings.disclosesKeys = number % 5 == 0
        return settings
    }
}
