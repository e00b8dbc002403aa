// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import Synchronization
import Testing

@testable import Signing

/// What operators ask for in the middle of something else, and what goes wrong on our side.
@Suite struct RotationMishapTests {
    private static func world(_ change: (inout RotationSettings) -> Void = { _ in }) async throws -> (
        RotationWorld, KeyCommands, String
    ) {
        let world = try RotationWorld(change)
        let rotator = world.rotator()
        _ = try await rotator.advance(domain, wanted: [.ed25519], by: "tester", isAsked: true)
        world.pass(60)
        let first = try #require(try world.keys().first { $0.state == .active }).selector
        return (world, KeyCommands(rotator: rotator), first)
    }

    private static func rotate(_ commands: KeyCommands, _ change: (inout KeyRequest) -> Void = { _ in }) async
        -> KeyResponse
    {
        var request = KeyRequest(.rotate, domain: domain.name)
        change(&request)
        return await commands.perform(request)
    }

    @Test func aRotationThatIsTakenToItsEndBeginsNoOther() async throws {
        let (world, commands, _) = try await Self.world()
        defer { world.scratch.remove() }
        _ = await Self.rotate(commands)
        world.pass(7200)
        let done = await Self.rotate(commands)
        #expect(done.isFinished == true && !done.isError, "\(done.text)")
        #expect(try world.states() == [.retiring, .active])
    }

    @Test func aKeyWhoseRevocationHasBegunGetsItsRecordBackBeforeItSignsAgain() async throws {
        let (world, commands, first) = try await Self.world()
        defer { world.scratch.remove() }
        _ = await Self.rotate(commands)
        world.pass(7200)
        _ = await Self.rotate(commands)
        let name = try world.key(first).recordName
        // The revocation is handed over, and some server still shows the key.
        world.set { $0.verdicts[first] = .published }
        let revoked = await commands.perform(
            KeyRequest(.revoke, domain: domain.name, selector: first, isForced: true))
        #expect(!revoked.isError, "\(revoked.text)")
        #expect(try world.key(first).state == .retiring)
        #expect(world.state.withLock { $0.records[name] } == (try world.key(first).revokedRecord))
        world.set { $0.verdicts[first] = nil }
        _ = await commands.perform(KeyRequest(.activate, domain: domain.name, selector: first))
        world.pass(7200)
        _ = await commands.perform(KeyRequest(.activate, domain: domain.name, selector: first))
        let again = try world.key(first)
        #expect(again.state == .active && again.publication?.purpose == .publish)
        #expect(world.state.withLock { $0.records[name] } == again.record)
        for _ in 0..<3 {
            world.pass(8000)
            _ = try await commands.rotator.tend(domain)
        }
        #expect(world.state.withLock { $0.records[name] } == again.record)
    }

    @Test func aSuccessorThatIsRevokedNeverSigns() async throws {
        let (world, commands, first) = try await Self.world()
        defer { world.scratch.remove() }
        _ = await Self.rotate(commands)
        let second = try #require(try world.keys().first { $0.selector != first }).selector
        world.set { $0.verdicts[second] = .published }
        _ = await commands.perform(KeyRequest(.revoke, domain: domain.name, selector: second))
        for _ in 0..<4 {
            world.pass(8000)
            _ = try await commands.rotator.tend(domain)
            #expect(try world.key(second).state == .retiring && world.key(first).state == .active)
        }
    }

    @Test func aCompromiseHoldsMailUntilAnotherKeyIsThereAlsoWhenTheOldRecordIsGone() async throws {
        let (world, commands, first) = try await Self.world()
        defer { world.scratch.remove() }
        let ring = KeyRing(store: world.store, logger: .none)
        // Whatever is made for it stays unseen; the old key's revocation is seen at once.
        world.set { $0.publisherWorks = false }
        _ = await Self.rotate(commands) { $0.isCompromised = true }
        let name = try world.key(first).recordName
        world.set { $0.records[name] = "v=DKIM1; k=ed25519; p=" }
        world.pass(60)
        _ = await Self.rotate(commands) { $0.onlyContinues = true }
        #expect(try world.key(first).state == .revoked)
        ring.reload()
        guard case .held = ring.signability(of: domain) else {
            Issue.record("mail would be refused: \(ring.signability(of: domain))")
            return
        }
    }

    @Test func aStandbyIsUsedThoughASuccessorThatNobodySeesIsOnItsWay() async throws {
        let (world, commands, _) = try await Self.world { $0.keepsStandby = true }
        defer { world.scratch.remove() }
        _ = try await commands.rotator.tend(domain)
        world.pass(60)
        _ = try await commands.rotator.tend(domain)
        let standby = try #require(try world.keys().first { $0.purpose == .standby })
        let made = await commands.perform(KeyRequest(.generate, domain: domain.name, algorithm: "ed25519"))
        #expect(!made.isError)
        let waiting = try #require(try world.keys().first { $0.purpose == nil && $0.state == .generated })
        world.set { $0.verdicts[waiting.selector] = .absent }
        _ = await commands.perform(KeyRequest(.activate, domain: domain.name, selector: waiting.selector))
        _ = await Self.rotate(commands) { $0.isCompromised = true }
        #expect(try world.key(standby.selector).state == .active)
        #expect(try world.key(waiting.selector).purpose == nil, "and the other does not follow")
    }

    @Test func aPublisherThatIsConfiguredLaterTakesOver() async throws {
        let world = try RotationWorld()
        defer { world.scratch.remove() }
        var byHand = world.policies
        byHand.general.publisher = nil
        let rotator = world.rotator()
        rotator.replace(byHand)
        world.set { $0.publisherWorks = false }
        _ = try await rotator.advance(domain, wanted: [.ed25519], by: "tester", isAsked: true)
        #expect(try world.keys().map(\.state) == [.generated])
        world.set { $0.publisherWorks = true }
        rotator.replace(world.policies)
        world.pass(1)
        _ = try await rotator.tend(domain)
        #expect(try world.keys().first?.publication?.publisher == "primary")
        world.pass(60)
        _ = try await rotator.tend(domain)
        #expect(try world.keys().map(\.state) == [.active])
    }

    @Test func aForcedKeyIsPublishedAllTheSame() async throws {
        let world = try RotationWorld()
        defer { world.scratch.remove() }
        let commands = KeyCommands(rotator: world.rotator())
        _ = await commands.perform(KeyRequest(.generate, domain: domain.name, algorithm: "ed25519"))
        let forced = await commands.perform(KeyRequest(.activate, domain: domain.name, isForced: true))
        #expect(!forced.isError, "\(forced.text)")
        let key = try #require(try world.keys().first)
        #expect(key.state == .active && world.state.withLock { $0.records[key.recordName] } == key.record)
    }

    @Test func notWaitingIsMeantForTheNamedKindAlone() async throws {
        let (world, commands, _) = try await Self.world()
        defer { world.scratch.remove() }
        _ = await Self.rotate(commands) { $0.algorithm = "rsa-2048" }
        let rsa = try #require(try world.keys().first { !$0.isEd25519 })
        #expect(rsa.state == .active, "the first of its kind")
        _ = await Self.rotate(commands) { $0.algorithm = "rsa-2048" }
        let second = try #require(try world.keys().first { !$0.isEd25519 && $0.selector != rsa.selector })
        _ = await Self.rotate(commands) {
            $0.algorithm = "ed25519"
            $0.skipsWait = true
        }
        #expect(try world.key(second.selector).state == .published)
        #expect(try world.keys().contains { $0.isEd25519 && $0.state == .retiring })
    }

    @Test(arguments: [false, true])
    func aRotationWithoutAFreeNameIsAnErrorAlsoWithoutWaiting(skipsWait: Bool) async throws {
        let names = try ["wwe1", "wwe2"].map { try Selector($0).unwrapped }
        let world = try RotationWorld(
            delegation: .init(zone: "keys.example.net", rsaSelectors: [], ed25519Selectors: names))
        defer { world.scratch.remove() }
        let rotator = world.rotator()
        _ = try await rotator.advance(domain, wanted: [.ed25519], by: "tester", isAsked: true)
        let commands = KeyCommands(rotator: rotator)
        let second = await Self.rotate(commands) { $0.skipsWait = true }
        #expect(second.isFinished == true && !second.isError, "\(second.text)")
        #expect(try world.states() == [.retiring, .active])
        let third = await Self.rotate(commands) { $0.skipsWait = skipsWait }
        #expect(third.isError && third.text.contains("no rotation has begun") && third.text.contains(" UTC"))
    }

    @Test func aKeyThatCannotBeReadStopsNeitherACompromiseNorTheOtherKind() async throws {
        let (world, commands, first) = try await Self.world()
        defer { world.scratch.remove() }
        _ = await commands.perform(KeyRequest(.generate, domain: domain.name, selector: "broken"))
        let file = "\(world.scratch.keys)/\(domain)/broken/key.json"
        try Data("{".utf8).write(to: URL(fileURLWithPath: file))
        _ = await Self.rotate(commands) { $0.isCompromised = true }
        #expect(try world.key(first).state == .compromised)
    }

    @Test func aDelegatedNameIsNotFreeBeforeThePrivateKeyIsGone() throws {
        let name = try Selector("wwe1").unwrapped
        var removed = KeyDescription(
            domain: domain, selector: name, algorithm: "ed25519", record: "v=DKIM1; k=ed25519; p=x", at: noon,
            by: "tester", evidence: nil)
        removed.move(to: .removed, at: noon, by: "tester", evidence: nil)
        let plan = RotationPlan(
            domain: domain, keys: [removed], settings: RotationSettings(), now: noon.seconds, wantsRotation: true,
            fixedSelectors: [name])
        #expect(plan.next() == .dispose("wwe1", .destroyed))
    }
}
