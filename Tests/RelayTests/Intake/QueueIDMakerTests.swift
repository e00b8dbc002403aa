// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Spooling
import Testing

@testable import Relay

@Suite("Queue IDs that are given")
struct QueueIDMakerTests {
    private let now = Timestamp(milliseconds: 1_795_424_700_123)

    @Test("each is greater than the one before, also when the clock goes back", arguments: [0, .max] as [UInt64])
    func ascending(random: UInt64) {
        let maker = QueueIDMaker(after: nil, random: random)
        var last = maker.next(arrival: now)
        #expect(last.milliseconds == now.milliseconds)
        for step in [0, 1, -3_600_000, -1, 0, 5] as [Int64] {
            let next = maker.next(arrival: now.advanced(byMilliseconds: step))
            #expect(next > last)
            last = next
        }
        #expect(last.milliseconds == now.milliseconds + 5)
    }

    @Test("none is given that the spool may hold")
    func afterRestart() {
        let future = QueueID(arrival: now.advanced(bySeconds: 3600), distinguisher: .max)
        let maker = QueueIDMaker(after: future, random: 7)
        let first = maker.next(arrival: now)
        #expect(first > future)
        #expect(maker.next(arrival: now) > first)
        #expect(maker.next(arrival: now.advanced(bySeconds: 7200)).milliseconds == now.milliseconds + 7_200_000)
    }

    @Test("many threads never get the same one")
    func concurrently() async {
        let maker = QueueIDMaker(after: nil, random: 1)
        let ids = await withTaskGroup(of: [QueueID].self) { group in
            for _ in 0..<8 { group.addTask { (0..<1000).map { _ in maker.next(arrival: now) } } }
            return await group.reduce(into: Set<QueueID>()) { $0.formUnion($1) }
        }
        #expect(ids.count == 8000)
    }

    @Test("a message whose ID the clock would give again is accepted under another one")
    func acceptedAfterRestart() async throws {
        let fixture = try IntakeFixture()
        let content = "From: a@example.com\r\n\r\nx\r\n"
        fixture.pass(seconds: 3600)
        let before = try #require(await fixture.submit(content).queueID)
        fixture.pass(seconds: -3600)
        await fixture.spool.close()

        let again = try IntakeFixture(in: fixture.directory)
        let after = try #require(await again.submit(content).queueID)
        #expect(after > before)
        #expect(again.spool.counts.messages == 2)
        await again.spool.close()
        withExtendedLifetime(fixture) {}
    }

    @Test("numbers of chance differ, and another seed gives others")
    func randomness() {
        let first = IntakeRandomness(seed: 1)
        // The first outputs of SplitMix64 for the seed 0, as its reference implementation gives them.
        let zero = IntakeRandomness(seed: 0)
        #expect([zero.next(), zero.next()] == [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4])
        #expect(Set((0..<1000).map { _ in first.next() }).count == 1000)
    }
}
