// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import GRDB
import Mail
import Testing

@testable import Spooling

/// Messages that wait for a key.
@Suite struct UnsignableTests {
    let fixture: SpoolFixture
    private let wanting = Diagnostic(status: EnhancedStatusCode(4, 7, 5), text: "no key", owner: .operator)

    init() throws {
        fixture = try SpoolFixture()
    }

    private var never: Timestamp { fixture.time.advanced(bySeconds: 5 * 86_400) }

    /// Messages with one recipient that wait for a key of their author domain.
    @discardableResult
    private func wait(_ count: Int, in spool: Spool, of author: Domain = domain) async throws -> [QueueID] {
        var ids: [QueueID] = []
        for _ in 0..<count {
            var message = fixture.message()
            message.authorDomain = author
            ids.append(message.queueID)
            try await spool.enqueue(message, content: .inline([1]))
        }
        #expect(await spool.claimAll().count == count)
        for id in ids { try await spool.record(id, [.unsignable(wanting, until: never)]) }
        return ids
    }

    private func rows(_ fixture: SpoolFixture) throws -> Int? {
        let queue = try DatabaseQueue(path: fixture.spoolPath + "/spool.db")
        defer { try? queue.close() }
        return try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM unsignable") }
    }

    @Test func `It is due when it is retried, and no deferral was counted`() async throws {
        let spool = try fixture.open()
        let ids = try await wait(1, in: spool)
        #expect(spool.counts == SpoolCounts(deferred: 1, octets: 1))
        #expect(spool.unsignableDomains == [domain])
        fixture.pass(seconds: 5 * 86_400 - 1, spool)
        #expect(await spool.claimAll().isEmpty)
        let entry = try #require(try SpoolReader.open(directory: fixture.spoolPath).show(ids[0]))
        #expect(entry.recipients.map(\.state) == [.unsignable])
        #expect(entry.recipients.map(\.lastDiagnostic) == [wanting])
        #expect(entry.recipients.map(\.nextAttempt) == [nil])
        #expect(entry.entry.nextAttempt == nil)
        #expect(entry.entry.openCount == 1)

        spool.retry(authorDomain: domain)
        let claimed = await spool.claimAll()
        #expect(claimed.map(\.queueID) == ids)
        #expect(claimed.map { $0.recipients.map(\.attempts) } == [[0]])
        try await spool.record(ids[0], [.delivered(accepted)])
        #expect(spool.counts == SpoolCounts())
        #expect(try rows(fixture) == 0)
        spool.retry(authorDomain: domain)
        #expect(await spool.claimAll().isEmpty)
        #expect(spool.unsignableDomains == [])
        await spool.close()
    }

    @Test func `Without a retry it is due at its time`() async throws {
        let spool = try fixture.open()
        let ids = try await wait(1, in: spool)
        fixture.pass(seconds: 5 * 86_400, spool)
        #expect(await spool.claimAll().map(\.queueID) == ids)
        try await spool.record(ids[0], [.failed(unknownUser)])
        #expect(try rows(fixture) == 0)
        await spool.close()
    }

    @Test func `A retry is for one author domain, and for recipients that wait for a key`() async throws {
        let spool = try fixture.open()
        let other = try #require(Domain("example.org"))
        try await wait(2, in: spool, of: other)
        let message = fixture.message(recipients: 4)
        try await spool.enqueue(message, content: .inline([1]))
        #expect(await spool.claimAll().count == 1)
        let later = fixture.time.advanced(bySeconds: 600)
        try await spool.record(
            message.queueID,
            [
                .unsignable(wanting, until: never), .deferred(greylisted, until: later), .delivered(accepted),
                .unreported(unknownUser, until: later),
            ])
        let entry = try #require(try SpoolReader.open(directory: fixture.spoolPath).show(message.queueID))
        #expect(entry.recipients.map(\.nextAttempt) == [nil, later, nil, later])
        #expect(entry.entry.nextAttempt == later)
        spool.retry(authorDomain: try #require(Domain("example.net")))
        #expect(await spool.claimAll().isEmpty)
        spool.retry(authorDomain: domain)
        let claimed = await spool.claimAll()
        #expect(claimed.map(\.queueID) == [message.queueID])
        #expect(claimed.map { $0.recipients.map(\.index) } == [[0]])
        // What is deferred now by the schedule waits for no key any more.
        try await spool.record(message.queueID, [.deferred(greylisted, until: later)])
        spool.retry(authorDomain: domain)
        #expect(await spool.claimAll().isEmpty)
        #expect(spool.unsignableDomains == [other])
        fixture.pass(seconds: 600, spool)
        let due = await spool.claimAll()
        #expect(due.map { $0.recipients.map(\.index) } == [[0, 1, 3]])
        #expect(due.map { $0.recipients.map(\.attempts) } == [[1, 1, 0]])
        await spool.close()
    }

    @Test func `It waits on after a crash, also when it was retried before`() async throws {
        let spool = try fixture.open()
        let ids = try await wait(3, in: spool)
        spool.retry(authorDomain: domain)
        #expect(await spool.claimAll().count == 3)
        spool.release(ids[0])
        #expect(await spool.claimAll().isEmpty)
        let crashed = try fixture.copy(of: spool)
        await spool.close()
        let again = try crashed.open()
        #expect(await again.claimAll().isEmpty)
        #expect(again.unsignableDomains == [domain])
        again.retry(authorDomain: domain)
        #expect(await again.claimAll().map(\.queueID) == ids)
        await again.close()
    }

    @Test func `Domains of the spool are found at the start, each once`() async throws {
        let spool = try fixture.open()
        let domains = try ["b.example", "a.example", "a.a.example", "aa.example"].map { try #require(Domain($0)) }
        for domain in domains { try await wait(3, in: spool, of: domain) }
        await spool.close()
        let again = try fixture.open()
        #expect(again.unsignableDomains == Set(domains))
        await again.close()
    }

    @Test func `A retry gives out each message once, however many there are and wherever they go`() async throws {
        var configuration = fixture.configuration()
        configuration.limits.pageMessages = 8
        let spool = try fixture.open(configuration)
        let other = try #require(Domain("example.org"))
        let ids = try await wait(100, in: spool)
        let others = try await wait(20, in: spool, of: other)
        for _ in 1...2 {
            spool.writer.suspend()
            spool.retry(authorDomain: domain)
            spool.retry(authorDomain: other)
            // A second call before anything was read changes nothing.
            spool.retry(authorDomain: domain)
            spool.writer.resume()
            var order: [QueueID] = []
            while true {
                let claimed = await spool.claimNow(maximumMessages: 5)
                guard !claimed.isEmpty else { break }
                for message in claimed {
                    order.append(message.queueID)
                    // Still no key: due at a time that is near, and so far from being read again in this retry.
                    let until = fixture.time.advanced(bySeconds: 1)
                    try await spool.record(message.queueID, [.unsignable(wanting, until: until)])
                }
            }
            #expect(Set(order) == Set(ids + others))
            #expect(order.count == ids.count + others.count)
            // The small domain did not wait for the large one.
            let last = try #require(order.lastIndex { others.contains($0) })
            #expect(last < 60)
        }
        await spool.close()
    }

    @Test func `A retry during a retry begins again when that is through`() async throws {
        var configuration = fixture.configuration()
        configuration.limits.pageMessages = 4
        let spool = try fixture.open(configuration)
        let ids = try await wait(20, in: spool)
        spool.retry(authorDomain: domain)
        var order: [QueueID] = []
        while true {
            let claimed = await spool.claimNow(maximumMessages: 1)
            guard let message = claimed.first else { break }
            order.append(message.queueID)
            try await spool.record(message.queueID, [.unsignable(wanting, until: never)])
            if order.count == 10 { spool.retry(authorDomain: domain) }
        }
        #expect(order == ids + ids)
        await spool.close()
    }

    @Test func `Mail that is due and mail that is retried come by turns`() async throws {
        var configuration = fixture.configuration()
        configuration.limits.pageMessages = 4
        configuration.limits.handoffMessages = 0
        let spool = try fixture.open(configuration)
        let waiting = try await wait(40, in: spool)
        var due: [QueueID] = []
        for _ in 0..<40 {
            let message = fixture.message()
            due.append(message.queueID)
            try await spool.enqueue(message, content: .inline([1]))
        }
        spool.retry(authorDomain: domain)
        var order: [QueueID] = []
        for _ in 0..<200 where order.count < 40 {
            for message in await spool.claimNow(maximumMessages: 4) {
                order.append(message.queueID)
                try await spool.record(message.queueID, [.delivered(accepted)])
            }
        }
        #expect(order.count >= 40)
        #expect((12...28).contains(order.count { waiting.contains($0) }))
        #expect((12...28).contains(order.count { due.contains($0) }))
        await spool.close()
    }

    @Test func `A held message is not retried`() async throws {
        let spool = try fixture.open()
        let ids = try await wait(2, in: spool)
        await spool.close()
        let queue = try DatabaseQueue(path: fixture.spoolPath + "/spool.db")
        try await queue.write { database in
            try database.execute(sql: "UPDATE messages SET held = 1 WHERE id = ?", arguments: [ids[0].rawValue])
            try database.execute(sql: "DELETE FROM due WHERE message_id = ?", arguments: [ids[0].rawValue])
        }
        try queue.close()
        let again = try fixture.open()
        again.retry(authorDomain: domain)
        #expect(await again.claimAll().map(\.queueID) == [ids[1]])
        await again.close()
    }
}
