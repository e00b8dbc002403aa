// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Logging
import Mail
import Testing

@testable import Spooling

@Suite struct RecordTests {
    let fixture: SpoolFixture

    init() throws {
        fixture = try SpoolFixture()
    }

    private func later(_ seconds: Int64) -> Timestamp { fixture.time.advanced(bySeconds: seconds) }

    @Test func `A message goes when its last recipient is finished`() async throws {
        let spool = try fixture.open()
        try await spool.enqueue(fixture.message(recipients: 2), content: .inline([1, 2]))
        let id = await spool.claimAll()[0].queueID
        try await spool.record(id, [.delivered(accepted), .failed(unknownUser)])
        #expect(spool.counts == SpoolCounts())
        await spool.close()
        let reader = try SpoolReader.open(directory: fixture.spoolPath)
        #expect(try reader.show(id) == nil)
        #expect(try reader.counts() == SpoolCounts())
    }

    @Test func `A deferred recipient is due again at its time, the others at theirs`() async throws {
        let spool = try fixture.open()
        try await spool.enqueue(fixture.message(recipients: 4), content: .inline([1]))
        let id = await spool.claimAll()[0].queueID
        try await spool.record(
            id,
            [
                .deferred(greylisted, until: later(300)), .delivered(accepted),
                .deferred(greylisted, until: later(100)), .failed(unknownUser),
            ])
        #expect(spool.counts == SpoolCounts(deferred: 1, octets: 1))
        fixture.pass(seconds: 99, spool)
        #expect(await spool.claimAll().isEmpty)
        fixture.pass(seconds: 1, spool)
        let second = await spool.claimAll()
        #expect(second.map(\.recipients) == [[ClaimedRecipient(index: 2, mailbox: mailbox("r2"), attempts: 1)]])
        #expect(spool.counts == SpoolCounts(active: 1, octets: 1))
        try await spool.record(
            AttemptRecord(
                queueID: id, results: [RecipientRecord(index: 2, result: .deferred(greylisted, until: later(1000)))]))
        fixture.pass(seconds: 200, spool)
        #expect(
            await spool.claimAll().map(\.recipients) == [
                [ClaimedRecipient(index: 0, mailbox: mailbox("r0"), attempts: 1)]
            ])
        try await spool.record(id, [.delivered(accepted)])
        fixture.pass(seconds: 800, spool)
        #expect(
            await spool.claimAll().map(\.recipients) == [
                [ClaimedRecipient(index: 2, mailbox: mailbox("r2"), attempts: 2)]
            ])
        try await spool.record(
            AttemptRecord(queueID: id, results: [RecipientRecord(index: 2, result: .failed(unknownUser))]))
        #expect(spool.counts == SpoolCounts())
        await spool.close()
    }

    @Test func `Recipients without a result are due again as they were`() async throws {
        let spool = try fixture.open()
        try await spool.enqueue(fixture.message(recipients: 3), content: .inline([1]))
        let id = await spool.claimAll()[0].queueID
        try await spool.record(
            AttemptRecord(queueID: id, results: [RecipientRecord(index: 1, result: .delivered(accepted))]))
        let claimed = await spool.claimAll()
        #expect(claimed.map { $0.recipients.map(\.index) } == [[0, 2]])
        #expect(claimed.map { $0.recipients.map(\.attempts) } == [[0, 0]])
        try await spool.record(AttemptRecord(queueID: id, results: []))
        #expect(await spool.claimAll().map { $0.recipients.map(\.index) } == [[0, 2]])
        await spool.close()
    }

    @Test func `Kept fields come back until others are kept`() async throws {
        let spool = try fixture.open()
        try await spool.enqueue(fixture.message(), content: .inline([1]))
        let first = await spool.claimAll()[0]
        #expect(first.keptFields == nil)
        try await spool.record(first.queueID, [.deferred(greylisted, until: fixture.time)], keptFields: [1, 2, 3])
        #expect(await spool.claimAll()[0].keptFields == [1, 2, 3])
        try await spool.record(first.queueID, [.deferred(greylisted, until: fixture.time)])
        #expect(await spool.claimAll()[0].keptFields == [1, 2, 3])
        try await spool.record(first.queueID, [.deferred(greylisted, until: fixture.time)], keptFields: [4])
        #expect(await spool.claimAll()[0].keptFields == [4])
        await spool.close()
    }

    @Test func `A failure that was not reported comes back as one, also after the daemon started again`() async throws {
        let spool = try fixture.open()
        try await spool.enqueue(fixture.message(recipients: 3), content: .inline([1]))
        let id = await spool.claimAll()[0].queueID
        try await spool.record(
            id,
            [
                .unreported(unknownUser, until: later(300)), .failed(unknownUser),
                .deferred(greylisted, until: later(300)),
            ])
        #expect(spool.counts == SpoolCounts(deferred: 1, octets: 1))
        await spool.close()
        let detail = try #require(try SpoolReader.open(directory: fixture.spoolPath).show(id))
        #expect(detail.recipients.map(\.state) == [.unreported, .failed, .deferred])
        #expect(detail.recipients.map(\.nextAttempt) == [later(300), nil, later(300)])
        #expect(detail.entry.openCount == 2)
        #expect(detail.entry.lastDiagnostic == unknownUser)

        let again = try fixture.open()
        fixture.pass(seconds: 300, again)
        #expect(
            await again.claimAll().map(\.recipients) == [
                [
                    ClaimedRecipient(index: 0, mailbox: mailbox("r0"), attempts: 0, failure: unknownUser),
                    ClaimedRecipient(index: 2, mailbox: mailbox("r2"), attempts: 1),
                ]
            ])
        try await again.record(
            AttemptRecord(
                queueID: id,
                results: [
                    RecipientRecord(index: 0, result: .failed(unknownUser)),
                    RecipientRecord(index: 2, result: .delivered(accepted)),
                ]))
        #expect(again.counts == SpoolCounts())
        await again.close()
    }

    @Test func `Deferrals are there after the daemon started again`() async throws {
        let spool = try fixture.open()
        try await spool.enqueue(fixture.message(recipients: 2), content: .inline([1]))
        let id = await spool.claimAll()[0].queueID
        try await spool.record(
            id, [.deferred(greylisted, until: later(50)), .delivered(accepted)], keptFields: [9])
        await spool.close()
        let again = try fixture.open()
        #expect(again.counts == SpoolCounts(deferred: 1, octets: 1))
        #expect(await again.claimAll().isEmpty)
        fixture.pass(seconds: 50, again)
        let claimed = await again.claimAll()
        #expect(claimed.map(\.recipients) == [[ClaimedRecipient(index: 0, mailbox: mailbox("r0"), attempts: 1)]])
        #expect(claimed.map(\.keptFields) == [[9]])
        await again.close()
    }

    @Test func `A deferral wakes up by itself`() async throws {
        let spool = try Spool.open(fixture.configuration(), clock: .system, logger: .init(label: "test"))
        var message = fixture.message()
        message.arrival = WallClock.system.now()
        try await spool.enqueue(message, content: .inline([1]))
        _ = await spool.claimAll()
        let until = WallClock.system.now().advanced(byMilliseconds: 50)
        try await spool.record(message.queueID, [.deferred(greylisted, until: until)])
        let claimed = await spool.claim(maximumMessages: 1, maximumOctets: 1)
        #expect(claimed.map(\.queueID) == [message.queueID])
        #expect(WallClock.system.now() >= until)
        await spool.close()
    }

    @Test func `Only a lease can be recorded`() async throws {
        let spool = try fixture.open()
        let message = fixture.message()
        try await spool.enqueue(message, content: .inline([1]))
        await #expect(throws: SpoolError.self) { try await spool.record(message.queueID, [.delivered(accepted)]) }
        let id = await spool.claimAll()[0].queueID
        try await spool.record(id, [.delivered(accepted)])
        await #expect(throws: SpoolError.self) { try await spool.record(id, [.delivered(accepted)]) }
        await spool.close()
    }
}
