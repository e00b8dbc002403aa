// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import GRDB
import Mail
import Synchronization
import Testing

@testable import Spooling

@Suite struct KeyUseTests {
    let fixture: SpoolFixture

    init() throws {
        fixture = try SpoolFixture()
    }

    private func use(_ selector: String, after seconds: Int64 = 0) -> KeyUse {
        KeyUse(sdid: domain, selector: selector, time: fixture.time.advanced(bySeconds: seconds))
    }

    /// One message comes, is signed with some keys, and an attempt ends.
    private func attempt(
        on spool: Spool, _ uses: [KeyUse], _ results: [RecipientResult] = [.delivered(accepted)]
    ) async throws {
        try await spool.enqueue(fixture.message(), content: .inline([1]))
        let claimed = await spool.claimNow(maximumMessages: 1)
        let id = try #require(claimed.first?.queueID)
        let records = results.enumerated().map { RecipientRecord(index: $0, result: $1) }
        try await spool.record(AttemptRecord(queueID: id, results: records, keyUses: uses))
    }

    private func uses(_ spool: Spool) -> Set<KeyUse> { Set(spool.keyUses()) }

    private func usesOnDisk(_ fixture: SpoolFixture) throws -> Set<KeyUse> {
        Set(try SpoolReader.open(directory: fixture.spoolPath).keyUses())
    }

    @Test func `Whatever an attempt led to, its keys are on disk with its result`() async throws {
        let spool = try fixture.open()
        #expect(spool.keyUses() == [])
        let results: [RecipientResult] = [
            .delivered(accepted), .failed(unknownUser), .deferred(greylisted, until: fixture.time),
            .unreported(unknownUser, until: fixture.time), .unsignable(greylisted, until: fixture.time),
        ]
        var expected: Set<KeyUse> = []
        for (number, result) in results.enumerated() {
            expected.formUnion([use("r\(number)"), use("e\(number)")])
            try await attempt(on: spool, [use("r\(number)"), use("e\(number)")], [result])
            #expect(uses(spool) == expected)
            let crashed = try fixture.copy(of: spool)
            #expect(try usesOnDisk(crashed) == expected)
            let again = try crashed.open()
            #expect(uses(again) == expected)
            await again.close()
        }
        await spool.close()
        #expect(try usesOnDisk(fixture) == expected)
    }

    @Test func `Keys of the same selector under different domains are told apart`() async throws {
        let spool = try fixture.open()
        let other = KeyUse(sdid: try #require(Domain("example.org")), selector: "s", time: fixture.time)
        try await attempt(on: spool, [use("s"), other])
        #expect(uses(spool) == [use("s"), other])
        await spool.close()
        #expect(try usesOnDisk(fixture) == [use("s"), other])
    }

    @Test func `A use is written when it is a minute later than the one on disk, and never goes back`() async throws {
        let spool = try fixture.open()
        let steps: [(Int64, Int64)] = [(0, 0), (59, 0), (60, 60), (119, 60), (30, 60), (-999, 60), (500, 500)]
        for (seconds, expected) in steps {
            try await attempt(on: spool, [use("s", after: seconds)])
            #expect(uses(spool) == [use("s", after: expected)], "after \(seconds) s")
            #expect(try usesOnDisk(fixture) == [use("s", after: expected)], "after \(seconds) s")
        }
        await spool.close()
        let again = try fixture.open()
        try await attempt(on: again, [use("s", after: 559)])
        #expect(uses(again) == [use("s", after: 500)])
        try await attempt(on: again, [use("s", after: 560)])
        #expect(uses(again) == [use("s", after: 560)])
        await again.close()
    }

    @Test func `Of the uses in one transaction the latest is written, once for each key`() async throws {
        var configuration = fixture.configuration()
        let writes = Counter()
        configuration.beforeWrite = { if $0 == .writeKeyUse { writes.increment() } }
        let spool = try fixture.open(configuration)
        for _ in 0..<50 { try await spool.enqueue(fixture.message(), content: .inline([1])) }
        let claimed = await spool.claimAll()
        // The writer is kept busy, so that all results share a transaction.
        spool.writer.suspend()
        for (number, message) in claimed.enumerated() {
            spool.record(
                AttemptRecord(
                    queueID: message.queueID, results: [RecipientRecord(index: 0, result: .delivered(accepted))],
                    keyUses: [use("a", after: Int64(100 - number)), use("b", after: Int64(number))]),
                completion: nil)
        }
        spool.writer.resume()
        _ = await spool.claimAll()
        #expect(spool.counts.messages == 0)
        #expect(uses(spool) == [use("a", after: 100), use("b", after: 49)])
        #expect(writes.value == 2)
        await spool.close()
    }

    @Test func `An attempt that gave its message back still tells its keys, and the message is due as before`()
        async throws
    {
        let spool = try fixture.open()
        try await attempt(on: spool, [use("s")], [])
        #expect(uses(spool) == [use("s")])
        #expect(try usesOnDisk(fixture) == [use("s")])
        #expect(spool.counts == SpoolCounts(queued: 1, octets: 1))
        let claimed = await spool.claimAll()
        #expect(claimed.map { $0.recipients.map(\.attempts) } == [[0]])
        // With nothing new to tell, nothing is written.
        let generation = spool.state.withLock { $0.generation }
        let id = try #require(claimed.first?.queueID)
        try await spool.record(AttemptRecord(queueID: id, results: [], keyUses: [use("s", after: 59)]))
        #expect(spool.state.withLock { $0.generation } == generation)
        #expect(await spool.claimAll().map(\.queueID) == [id])
        await spool.close()
    }

    @Test func `What was in flight when the daemon was killed is in no record, and leaves again`() async throws {
        let spool = try fixture.open()
        try await attempt(on: spool, [use("s")])
        fixture.pass(seconds: 1000, spool)
        try await spool.enqueue(fixture.message(), content: .inline([1]))
        let claimed = await spool.claimAll()
        // It is signed and leaves now; before that is recorded, the machine stops.
        let crashed = try fixture.copy(of: spool)
        crashed.now.wrappingAdd(5000, ordering: .relaxed)
        let again = try crashed.open()
        #expect(uses(again) == [use("s", after: -1000)])
        #expect(await again.claimAll().map(\.queueID) == claimed.map(\.queueID))
        await again.close()
        await spool.close()
    }

    @Test func `A use that could not be written is not taken for written`() async throws {
        var configuration = fixture.configuration()
        let isBroken = Counter()
        configuration.beforeWrite = { point in
            if point == .writeKeyUse, isBroken.value > 0 { throw FaultTests.DiskFault() }
        }
        let spool = try fixture.open(configuration)
        isBroken.increment()
        try await spool.enqueue(fixture.message(), content: .inline([1]))
        let claimed = await spool.claimAll()
        let id = try #require(claimed.first?.queueID)
        async let result: Void = spool.record(
            AttemptRecord(
                queueID: id, results: [RecipientRecord(index: 0, result: .delivered(accepted))], keyUses: [use("s")]))
        while spool.state.withLock({ $0.failedRecords.isEmpty }) { await Task.yield() }
        #expect(spool.keyUses() == [])
        // The result did not get down without the use.
        #expect(try SpoolReader.open(directory: fixture.spoolPath).counts().messages == 1)
        isBroken.reset()
        try await result
        #expect(uses(spool) == [use("s")])
        #expect(try usesOnDisk(fixture) == [use("s")])
        await spool.close()
    }

    @Test func `A key that was not used for 400 days is forgotten at the next start`() async throws {
        let day: Int64 = 86_400
        let spool = try fixture.open()
        try await attempt(on: spool, [use("old"), use("young", after: day)])
        await spool.close()
        fixture.now.wrappingAdd(400 * day * 1000, ordering: .relaxed)
        for expected in [["old", "young"], ["young"]] {
            let again = try fixture.open()
            #expect(Set(again.keyUses().map(\.selector)) == Set(expected))
            await again.close()
            #expect(Set(try usesOnDisk(fixture).map(\.selector)) == Set(expected))
            fixture.now.wrappingAdd(1000, ordering: .relaxed)
        }
    }
}
