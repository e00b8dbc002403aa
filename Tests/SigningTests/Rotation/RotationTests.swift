// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import Synchronization
import Testing

@testable import Signing

/// The course of rotations over a real store, with name servers and a clock of the test's.
@Suite struct RotationTests {
    /// A world whose domain has an active, proven Ed25519 key.
    private static func world(_ change: (inout RotationSettings) -> Void = { _ in }) async throws -> (
        RotationWorld, Rotator, String
    ) {
        let world = try RotationWorld(change)
        let rotator = world.rotator()
        _ = try await rotator.advance(domain, wanted: [.ed25519], by: "tester", isAsked: true)
        world.pass(60)
        let first = try #require(try world.keys().first { $0.state == .active }).selector
        return (world, rotator, first)
    }

    private static func advance(_ rotator: Rotator, _ wanted: Set<KeyAlgorithm> = []) async throws
        -> DomainRotation.Result
    {
        try await rotator.advance(domain, wanted: wanted, by: "tester", isAsked: true)
    }

    @Test func theFirstKeySignsAsSoonAsItIsProven() async throws {
        let (world, _, first) = try await Self.world()
        defer { world.scratch.remove() }
        let key = try world.key(first)
        #expect(key.history.filter { $0.isNote != true }.map(\.to) == [.generated, .published, .active])
        #expect(key.history.allSatisfy { $0.by == "tester" } && !key.isUnproven && key.purpose == nil)
    }

    @Test func aSuccessorWaitsUntilNoResolverCanDenyItAndIsLookedAtAgainThen() async throws {
        let (world, rotator, first) = try await Self.world()
        defer { world.scratch.remove() }
        let started = try await Self.advance(rotator, [.ed25519])
        let second = try #require(try world.keys().first { $0.selector != first }).selector
        #expect(try world.key(second).state == .published)
        // The zone's negative TTL of two hours is longer than the wait of one.
        #expect(started.waits.contains { $0.selector == second && $0.until == world.now + 7200 && !$0.isOperator })
        world.pass(7199)
        _ = try await Self.advance(rotator)
        #expect(try world.key(first).state == .active)
        world.pass(1)
        let looks = world.state.withLock { $0.looks.count }
        let done = try await Self.advance(rotator)
        #expect(world.state.withLock { $0.looks.count } > looks)
        #expect(try world.key(second).state == .active && world.key(first).state == .retiring, "\(done.done)")
    }

    @Test func aRecordThatVanishesWhileItsKeyWaitsBeginsTheWaitAnew() async throws {
        let (world, rotator, first) = try await Self.world()
        defer { world.scratch.remove() }
        _ = try await Self.advance(rotator, [.ed25519])
        let second = try #require(try world.keys().first { $0.selector != first }).selector
        world.pass(7000)
        world.set { $0.verdicts[second] = .wrong }
        _ = try await Self.advance(rotator)
        #expect(try world.key(second).state == .generated)
        world.set { $0.verdicts[second] = nil }
        world.pass(1000)
        _ = try await Self.advance(rotator)
        #expect(try world.key(first).state == .active)
        world.pass(7200)
        _ = try await Self.advance(rotator)
        #expect(try world.key(second).state == .active)
    }

    @Test func aServerThatCannotBeAskedKeepsAKeyFromBecomingActive() async throws {
        let (world, rotator, first) = try await Self.world()
        defer { world.scratch.remove() }
        _ = try await Self.advance(rotator, [.ed25519])
        let second = try #require(try world.keys().first { $0.selector != first }).selector
        world.set { $0.verdicts[second] = .unknown }
        for _ in 0..<5 {
            world.pass(7200)
            _ = try await Self.advance(rotator)
            #expect(try world.key(first).state == .active)
        }
        // Nobody contradicted the first proof, so it is not waited for again.
        world.set { $0.verdicts[second] = nil }
        world.pass(60)
        _ = try await Self.advance(rotator)
        #expect(try world.key(second).state == .active)
    }

    @Test func retirementCountsFromTheLastSignatureAndEndsWithRevocationAndRemoval() async throws {
        let (world, rotator, first) = try await Self.world { $0.retention = 0 }
        defer { world.scratch.remove() }
        _ = try await Self.advance(rotator, [.ed25519])
        world.pass(7200)
        _ = try await Self.advance(rotator)
        #expect(try world.key(first).state == .retiring)
        // What was in flight when the key stopped.
        let used = world.now + 600
        world.set { $0.uses[KeyUses.Key(sdid: domain, selector: first)] = used }
        // Five days of queue, seven of x=, an hour of TTL and one of slack.
        let life: Int64 = 12 * 86_400 + 7200
        world.pass(used + life - world.now - 1)
        _ = try await Self.advance(rotator)
        #expect(try world.key(first).state == .retiring)
        world.pass(1)
        _ = try await Self.advance(rotator)
        let revoked = try world.key(first)
        #expect(revoked.state == .revoked)
        #expect(world.state.withLock { $0.records[revoked.recordName] } == "v=DKIM1; k=ed25519; p=")
        world.pass(30 * 86_400)
        _ = try await Self.advance(rotator)
        #expect(try world.key(first).state == .removed && world.key(first).privateKey == .destroyed)
        #expect(world.state.withLock { $0.records[revoked.recordName] } == nil)
        #expect(!world.scratch.names().contains("example.com/\(first)/private.pem"))
    }

    @Test func aKeyIsRemovedThoughAWildcardSaysRevokedForEveryName() async throws {
        let (world, rotator, first) = try await Self.world { $0.retention = 0 }
        defer { world.scratch.remove() }
        world.set { $0.hasRevokingWildcard = true }
        _ = try await Self.advance(rotator, [.ed25519])
        for _ in 0..<60 {
            world.pass(86_400)
            _ = try await Self.advance(rotator)
            // Not before its own record was taken down.
            let hasRecord = try world.state.withLock { try $0.records[world.key(first).recordName] != nil }
            #expect(try !hasRecord || world.key(first).state != .removed)
        }
        #expect(try world.key(first).state == .removed)
    }

    @Test func aKeyCountsAsUsedUntilItStoppedSigningEvenIfNobodyKnowsOfIt() {
        let key = KeyUses.Key(sdid: domain, selector: "s")
        #expect(KeyUses().upperBound(of: key, stopped: 1000) == 1000)
        #expect(KeyUses(last: [key: 10]).upperBound(of: key, stopped: 1000) == 1000)
        #expect(KeyUses(last: [key: 1700]).upperBound(of: key, stopped: 1000) == 1700)
    }

    @Test func aCompromiseMovesToTheStandbyAtOnceAndRevokes() async throws {
        let (world, rotator, first) = try await Self.world { $0.keepsStandby = true }
        defer { world.scratch.remove() }
        _ = try await Self.advance(rotator)
        let standby = try #require(try world.keys().first { $0.purpose == .standby })
        #expect(standby.state == .published)
        var result = DomainRotation.Result()
        try rotator.rotation(of: domain, by: "tester", isAsked: true).compromise(
            among: try world.keys(), { $0.state == .active }, &result)
        #expect(try world.key(first).state == .compromised)
        _ = try await Self.advance(rotator)
        #expect(try world.key(standby.selector).state == .active)
        #expect(try world.key(first).state == .revoked)
        #expect(try world.keys().contains { $0.purpose == .standby }, "and there is another one to stand by")
    }

    @Test func aCompromiseWithoutStandbyWaitsForAProofAndForNothingElse() async throws {
        let (world, rotator, first) = try await Self.world()
        defer { world.scratch.remove() }
        var result = DomainRotation.Result()
        try rotator.rotation(of: domain, by: "tester", isAsked: true).compromise(
            among: try world.keys(), { $0.state == .active }, &result)
        world.set { $0.publisherWorks = false }
        _ = try await Self.advance(rotator)
        #expect(try !world.keys().contains { $0.state == .active })
        world.set { $0.publisherWorks = true }
        world.pass(60)
        _ = try await Self.advance(rotator)
        let active = try #require(try world.keys().first { $0.state == .active })
        #expect(active.selector != first)
        #expect(try world.key(first).state == .revoked)
    }

    @Test func driftIsToldAfterTwoLooksSuspendsTheKeyAndIsMended() async throws {
        let (world, rotator, first) = try await Self.world { $0.checkInterval = 3600 }
        defer { world.scratch.remove() }
        let name = try world.key(first).recordName
        world.set {
            $0.records[name] = nil
            $0.publisherWorks = false
            $0.news = []
        }
        world.pass(4000)
        _ = try await rotator.tend(domain)
        #expect(try world.key(first).suspension == nil, "one look may have met a change")
        world.pass(60)
        _ = try await rotator.tend(domain)
        #expect(try world.key(first).suspension != nil && world.key(first).state == .active)
        #expect(
            world.state.withLock { $0.news.contains { if case .drifted(_, first, _) = $0 { true } else { false } } })
        // The publisher works again, and puts the record back by itself.
        world.set { $0.publisherWorks = true }
        for _ in 0..<4 {
            world.pass(3700)
            _ = try await rotator.tend(domain)
        }
        #expect(world.state.withLock { $0.records[name] } == (try world.key(first).record))
        #expect(try world.key(first).suspension == nil)
        #expect(world.state.withLock { $0.news.contains(.recovered(domain, selector: first)) })
    }

    @Test func serversThatCannotBeAskedSuspendNothing() async throws {
        let (world, rotator, first) = try await Self.world()
        defer { world.scratch.remove() }
        world.set { $0.verdicts[first] = .unknown }
        for _ in 0..<10 {
            world.pass(4000)
            _ = try await rotator.tend(domain)
        }
        #expect(try world.key(first).suspension == nil && world.key(first).state == .active)
    }

    @Test func anIntervalBeginsRotationsByItself() async throws {
        let (world, rotator, first) = try await Self.world { $0.interval = 90 * 86_400 }
        defer { world.scratch.remove() }
        world.pass(89 * 86_400)
        _ = try await rotator.tend(domain)
        #expect(try world.keys().count == 1)
        world.pass(2 * 86_400)
        _ = try await rotator.tend(domain)
        world.pass(8000)
        _ = try await rotator.tend(domain)
        #expect(try world.key(first).state == .retiring)
    }

    @Test func byHandTheRecordIsAskedForOnceAndNothingHappensUntilItIsThere() async throws {
        let world = try RotationWorld { $0.publisher = nil }
        defer { world.scratch.remove() }
        let rotator = Rotator(
            store: world.store, clock: WallClock { Timestamp(seconds: world.now) }, policies: world.policies,
            look: { _ in KeyEvidence(.absent, summary: "no record") }, publish: { _, _ in .byHand("publish it") })
        _ = try await Self.advance(rotator, [.ed25519])
        world.pass(600)
        let later = try await Self.advance(rotator)
        #expect(later.done.isEmpty && later.waits.contains { $0.isOperator })
        #expect(try world.keys().map(\.state) == [.generated])
    }

    @Test func delegatedNamesAreUsedByTurnsAndOnlyWhenTheirLastKeyIsGone() async throws {
        let fixed = try [Selector("wwe1").unwrapped, Selector("wwe2").unwrapped]
        func plan(_ states: [KeyState], isWanted: Bool = true) -> RotationPlan {
            let keys = zip(fixed, states).map { selector, state in
                var key = KeyDescription(
                    domain: domain, selector: selector, algorithm: "ed25519", record: "v=DKIM1; k=ed25519; p=x",
                    at: noon, by: "tester", evidence: nil)
                if state == .retiring { key.move(to: .active, at: noon, by: "tester", evidence: nil) }
                key.move(to: state, at: noon, by: "tester", evidence: nil)
                if state == .removed { key.privateKey = .destroyed }
                return key
            }
            return RotationPlan(
                domain: domain, keys: keys, settings: RotationSettings(), now: noon.seconds,
                wantsRotation: isWanted, fixedSelectors: fixed)
        }
        #expect(plan([]).next() == .generate(.successor, fixed[0]))
        #expect(plan([.active]).next() == .generate(.successor, fixed[1]))
        for state in [KeyState.retiring, .revoked] {
            let busy = plan([state, .active])
            if case .generate = busy.next() { Issue.record("\(state): the name is still in use") }
            #expect(busy.waits().contains { $0.text.contains("delegated") })
        }
        #expect(plan([.removed, .active]).next() == .generate(.successor, fixed[0]))
    }
}
