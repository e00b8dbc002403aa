// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import GRDB
import Mail
import Synchronization
import Testing

@testable import Spooling

@Suite struct ClaimTests {
    let fixture: SpoolFixture

    init() throws {
        fixture = try SpoolFixture()
    }

    private func enqueue(_ count: Int, octets: Int = 1, into spool: Spool) async throws -> [QueueID] {
        var ids: [QueueID] = []
        for _ in 0..<count {
            let message = fixture.message()
            ids.append(message.queueID)
            try await spool.enqueue(message, content: .inline([UInt8](repeating: 1, count: octets)))
        }
        return ids
    }

    @Test func `A claim waits for a message`() async throws {
        let spool = try fixture.open()
        async let claimed = spool.claim(maximumMessages: 5, maximumOctets: 100)
        let ids = try await enqueue(1, into: spool)
        #expect(await claimed.map(\.queueID) == ids)
        await spool.close()
    }

    @Test func `A cancelled claim returns nothing and takes nothing`() async throws {
        let spool = try fixture.open()
        let claim = Task { await spool.claim(maximumMessages: 5, maximumOctets: 100) }
        while spool.state.withLock({ $0.waiters.isEmpty }) { await Task.yield() }
        claim.cancel()
        #expect(await claim.value.isEmpty)
        let ids = try await enqueue(1, into: spool)
        #expect(await spool.claim(maximumMessages: 5, maximumOctets: 100).map(\.queueID) == ids)
        await spool.close()
    }

    @Test func `A leased message is nobody else's until it is released`() async throws {
        let spool = try fixture.open()
        let ids = try await enqueue(2, into: spool)
        #expect(await spool.claimNow().map(\.queueID) == [ids[0]])
        #expect(spool.isActive(ids[0]))
        #expect(!spool.isActive(ids[1]))
        #expect(await spool.claimAll().map(\.queueID) == [ids[1]])
        #expect(spool.counts == SpoolCounts(active: 2, octets: 2))
        spool.release(ids[0])
        spool.release(ids[0])
        #expect(spool.counts == SpoolCounts(queued: 1, active: 1, octets: 2))
        #expect(await spool.claimAll().map(\.queueID) == [ids[0]])
        await spool.close()
    }

    @Test func `A claim keeps to its limits, but one message always fits`() async throws {
        let spool = try fixture.open()
        let ids = try await enqueue(6, octets: 100, into: spool)
        #expect(await spool.claimNow(maximumMessages: 10, maximumOctets: 50).map(\.queueID) == [ids[0]])
        #expect(await spool.claimNow(maximumMessages: 10, maximumOctets: 299).map(\.queueID) == Array(ids[1...2]))
        #expect(await spool.claimNow(maximumMessages: 2).map(\.queueID) == Array(ids[3...4]))
        #expect(await spool.claim(maximumMessages: 0, maximumOctets: 10).isEmpty)
        for recipients in [3, 4, 2] {
            try await spool.enqueue(fixture.message(recipients: recipients), content: .inline([1]))
        }
        #expect(await spool.claimNow().map(\.queueID) == [ids[5]])
        let counts = await spool.claimNow(maximumMessages: 10, maximumRecipients: 2).map(\.recipients.count)
        #expect(counts == [3])
        #expect(await spool.claimNow(maximumMessages: 10, maximumRecipients: 6).map(\.recipients.count) == [4, 2])
        await spool.close()
    }

    @Test func `A lease does not outlive the daemon`() async throws {
        let spool = try fixture.open()
        let ids = try await enqueue(3, into: spool)
        #expect(await spool.claimAll().count == 3)
        let crashed = try fixture.copy(of: spool)
        let again = try crashed.open()
        #expect(await again.claimAll().map(\.queueID) == ids)
        await again.close()
        await spool.close()
    }

    @Test func `20,000 messages come out of the disk once each`() async throws {
        var configuration = fixture.configuration()
        configuration.limits.handoffMessages = 100
        let spool = try fixture.open(configuration)
        var expected: Set<QueueID> = []
        for _ in 0..<19_999 {
            let message = fixture.message()
            expected.insert(message.queueID)
            spool.enqueue(message, content: .inline([3])) { _ in }
        }
        let last = fixture.message()
        try await spool.enqueue(last, content: .inline([3]))
        expected.insert(last.queueID)
        var seen: Set<QueueID> = []
        while seen.count < expected.count {
            let claimed = await spool.claim(maximumMessages: 300, maximumOctets: 1 << 20)
            for message in claimed {
                #expect(seen.insert(message.queueID).inserted)
                spool.record(
                    AttemptRecord(
                        queueID: message.queueID, results: [RecipientRecord(index: 0, result: .delivered(accepted))]),
                    completion: nil)
            }
        }
        #expect(seen == expected)
        #expect(await spool.claimAll().isEmpty)
        #expect(spool.counts == SpoolCounts())
        await spool.close()
        let again = try fixture.open()
        #expect(again.counts == SpoolCounts())
        #expect(await again.claimAll().isEmpty)
        await again.close()
    }

    @Test func `Deferred messages are not starved by fresh ones, nor fresh ones by them`() async throws {
        let spool = try fixture.open()
        let old = try await enqueue(10, into: spool)
        for message in await spool.claimAll() {
            try await spool.record(
                message.queueID, [.deferred(greylisted, until: fixture.time.advanced(bySeconds: 60))])
        }
        fixture.pass(seconds: 61, spool)
        let fresh = try await enqueue(10, into: spool)
        let claimed = await spool.claimNow(maximumMessages: 8).map(\.queueID)
        #expect(Set(claimed) == Set(old.prefix(4) + fresh.prefix(4)))
        await spool.close()
    }

    @Test func `A content that has lost octets is never handed out`() async throws {
        let spool = try fixture.open()
        let ids = try await enqueue(2, octets: 100, into: spool)
        await spool.close()
        let queue = try DatabaseQueue(path: fixture.spoolPath + "/spool.db")
        try await queue.write { database in
            try database.execute(sql: "UPDATE messages SET content = NULL WHERE id = ?", arguments: [ids[0].rawValue])
        }
        try queue.close()
        let again = try fixture.open()
        #expect(await again.claimAll().map(\.queueID) == [ids[1]])
        #expect(again.counts.messages == 2)
        await again.close()
    }
}
