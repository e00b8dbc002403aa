// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import GRDB
import Mail
import Testing

@testable import Spooling

/// A spool that the first version made goes on under this one.
@Suite struct UpgradeTests {
    let fixture: SpoolFixture

    init() throws {
        fixture = try SpoolFixture()
    }

    /// A message as the first version wrote it, deferred once.
    private func makeFirstSpool() throws -> QueueID {
        let id = QueueID(arrival: fixture.time, distinguisher: 1)
        let directory = try SpoolDirectory.make(fixture.spoolPath)
        try directory.prepareDatabaseFile()
        let queue = try DatabaseQueue(path: directory.database)
        try queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            _ = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
        }
        try DatabaseFile.migrator.migrate(queue, upTo: "1")
        try queue.write { database in
            let time = fixture.time.milliseconds
            try database.execute(
                sql: """
                    INSERT INTO messages (id, arrival, expiry, reverse_path, recipients, recipient_count, eight_bit,
                        author_domain, body_hashes, length, header_length, file, content)
                    VALUES (?, ?, ?, 'a@example.com', 'b@example.net', 1, 0, 'example.com', ?, 7, 3, NULL, ?)
                    """,
                arguments: [
                    id.rawValue, time, time + 1000, Data([1] + [UInt8](repeating: 5, count: 32)),
                    Data("a: \r\n\r\n".utf8),
                ])
            try database.execute(
                sql: """
                    INSERT INTO recipients VALUES (?, 0, 1, 1, ?, 451, '4.7.1', 'later', NULL, NULL, 'network');
                    """, arguments: [id.rawValue, time])
            try database.execute(
                sql: """
                    INSERT INTO due VALUES (?, ?);
                    UPDATE totals SET messages = 1, deferred = 1, octets = 7;
                    """, arguments: [time, id.rawValue])
        }
        try queue.close()
        return id
    }

    @Test func `Its messages are delivered, and new ones beside them`() async throws {
        let id = try makeFirstSpool()
        for isFirst in [true, false] {
            let spool = try fixture.open()
            #expect(spool.newestQueueID == (isFirst ? id : QueueID(arrival: fixture.time, distinguisher: 9)))
            let claimed = await spool.claimAll()
            let old = try #require(claimed.first { $0.queueID == id })
            #expect(old.message.repairs == [])
            #expect(old.message.options == .none)
            #expect(old.message.principal == nil)
            #expect(old.envelope.notices == .none)
            #expect(old.message.bodyHashes.map(\.digest) == [[UInt8](repeating: 5, count: 32)])
            #expect(old.content == .inline(Array("a: \r\n\r\n".utf8)))
            #expect(old.recipients.map(\.attempts) == [1])
            if isFirst {
                var message = fixture.message()
                message.queueID = QueueID(arrival: fixture.time, distinguisher: 9)
                message.repairs = [.finalLineEnd]
                try await spool.enqueue(message, content: .inline([1]))
            } else {
                #expect(claimed.map(\.message.repairs) == [[], [.finalLineEnd]])
                try await spool.record(id, [.delivered(accepted)])
            }
            await spool.close()
        }
        #expect(try SpoolReader.open(directory: fixture.spoolPath).list(limit: 9).count == 1)
    }

    @Test func `It is read before a daemon of this version has opened it`() async throws {
        let id = try makeFirstSpool()
        for _ in 0..<2 {
            let reader = try SpoolReader.open(directory: fixture.spoolPath)
            #expect(try reader.list(limit: 9).map(\.queueID) == [id])
            #expect(try reader.show(id)?.repairs == [])
            #expect(try reader.show(id)?.options == MessageOptions.none)
            #expect(try reader.counts().deferred == 1)
            // The second time it has been upgraded.
            await (try fixture.open()).close()
        }
    }

    @Test func `The uses of keys begin with this version`() async throws {
        let id = try makeFirstSpool()
        #expect(try SpoolReader.open(directory: fixture.spoolPath).keyUses() == [])
        let spool = try fixture.open()
        #expect(spool.keyUses() == [])
        #expect(await spool.claimAll().map(\.queueID) == [id])
        let use = KeyUse(sdid: domain, selector: "s", time: fixture.time)
        let wanting = RecipientRecord(
            index: 0, result: .unsignable(greylisted, until: fixture.time.advanced(bySeconds: 1)))
        try await spool.record(AttemptRecord(queueID: id, results: [wanting], keyUses: [use]))
        #expect(try SpoolReader.open(directory: fixture.spoolPath).keyUses() == [use])
        spool.retry(authorDomain: domain)
        // What was counted before stays.
        #expect(await spool.claimAll().map { $0.recipients.map(\.attempts) } == [[1]])
        await spool.close()
    }

    @Test func `A message with a repair that this version does not know is delivered`() async throws {
        let spool = try fixture.open()
        try await spool.enqueue(fixture.message(), content: .inline([1]))
        await spool.close()
        let queue = try DatabaseQueue(path: fixture.spoolPath + "/spool.db")
        try await queue.write { try $0.execute(sql: "UPDATE messages SET repairs = 'of-tomorrow final-line-end'") }
        try queue.close()
        let next = try fixture.open()
        #expect(await next.claimAll().map(\.message.repairs) == [[.finalLineEnd]])
        await next.close()
    }

    @Test func `One of a version to come is left alone`() async throws {
        await (try fixture.open()).close()
        let queue = try DatabaseQueue(path: fixture.spoolPath + "/spool.db")
        try await queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('of tomorrow')") }
        try queue.close()
        #expect { try fixture.open() } throws: { ($0 as? SpoolError)?.text.contains("newer version") == true }
        #expect(throws: SpoolError.self) { try SpoolReader.open(directory: fixture.spoolPath) }
    }
}
