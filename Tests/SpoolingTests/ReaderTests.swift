// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import Testing

@testable import Spooling

@Suite struct ReaderTests {
    let fixture: SpoolFixture

    init() throws {
        fixture = try SpoolFixture()
    }

    @Test func `The queue is read beside a daemon and without one`() async throws {
        let spool = try fixture.open()
        let header = Array("From: a@example.com\r\n".utf8)
        var waiting = fixture.message(recipients: 1, headerLength: header.count)
        waiting.repairs = [.foldedHeader, .encodedLongLines]
        let tried = fixture.message(recipients: 3, headerLength: header.count)
        try await spool.enqueue(tried, content: .inline(header + Array("\r\nbody".utf8)))
        _ = await spool.claimAll()
        let until = fixture.time.advanced(bySeconds: 600)
        try await spool.record(tried.queueID, [.delivered(accepted), .deferred(greylisted, until: until)])
        try await spool.enqueue(waiting, content: .inline(header + Array("\r\nother".utf8)))

        for isRunning in [true, false] {
            if !isRunning { await spool.close() }
            let reader = try SpoolReader.open(directory: fixture.spoolPath)
            #expect(try reader.counts() == SpoolCounts(queued: 1, deferred: 1, octets: Int64(2 * header.count + 13)))
            let entries = try reader.list(limit: 10)
            #expect(Set(entries.map(\.queueID)) == [waiting.queueID, tried.queueID])
            let entry = try #require(entries.first { $0.queueID == tried.queueID })
            #expect(entry.isDeferred)
            #expect(entry.openCount == 2)
            #expect(entry.lastDiagnostic == greylisted)
            #expect(entry.nextAttempt == tried.arrival)
            #expect(entry.octets == header.count + 6)

            let detail = try #require(try reader.show(tried.queueID))
            #expect(detail.envelope == tried.envelope)
            #expect(detail.headerSection == header)
            #expect(detail.repairs == [])
            #expect(try reader.show(waiting.queueID)?.repairs == waiting.repairs)
            #expect(detail.recipients.map(\.state) == [.delivered, .deferred, .queued])
            #expect(detail.recipients.map(\.attempts) == [0, 1, 0])
            #expect(detail.recipients.map(\.nextAttempt) == [nil, until, tried.arrival])
            #expect(detail.recipients.map(\.lastDiagnostic) == [accepted, greylisted, nil])
            #expect(try reader.show(fixture.message().queueID) == nil)
        }
        // The reader left nothing behind that keeps a daemon from its work.
        let again = try fixture.open()
        #expect(await again.claimAll().count == 2)
        await again.close()
    }

    @Test func `The header section of a large message comes from its file`() async throws {
        let spool = try fixture.open()
        let header = Array("Subject: large\r\n".utf8)
        let writer = spool.contentWriter()
        _ = try writer.append(header)
        _ = try writer.append([UInt8](repeating: 65, count: StoredContent.inlineLimit))
        let message = fixture.message(headerLength: header.count)
        try await spool.enqueue(message, content: try writer.finish())
        #expect(try SpoolReader.open(directory: fixture.spoolPath).show(message.queueID)?.headerSection == header)
        await spool.close()
    }

    @Test func `A long queue is read in pages`() async throws {
        let spool = try fixture.open()
        var ids: [QueueID] = []
        for index in 0..<250 {
            let message = fixture.message()
            ids.append(message.queueID)
            if index < 249 {
                spool.enqueue(message, content: .inline([])) { _ in }
            } else {
                try await spool.enqueue(message, content: .inline([]))
            }
        }
        let reader = try SpoolReader.open(directory: fixture.spoolPath)
        var seen: [QueueID] = []
        while case let page = try reader.list(limit: 100, after: seen.last), !page.isEmpty {
            #expect(page.count <= 100)
            seen += page.map(\.queueID)
        }
        #expect(seen == ids)
        await spool.close()
    }

    @Test func `A reader sees whole messages while the daemon writes`() async throws {
        let spool = try fixture.open()
        try await spool.enqueue(fixture.message(), content: .inline([]))
        let reader = try SpoolReader.open(directory: fixture.spoolPath)
        let messages = (0..<100).map { _ in fixture.message(recipients: 2) }
        let writing = Task {
            for message in messages { try await spool.enqueue(message, content: .inline([])) }
            for message in await spool.claimAll() where message.recipients.count == 2 {
                try await spool.record(message.queueID, [.delivered(accepted), .failed(unknownUser)])
            }
        }
        var most = 0
        for _ in 0..<60 {
            let entries = try reader.list(limit: 1000)
            most = max(most, entries.count)
            #expect(entries.dropFirst().allSatisfy { $0.openCount == 2 && $0.recipientCount == 2 })
            await Task.yield()
        }
        try await writing.value
        #expect(most > 0)
        #expect(try reader.list(limit: 1000).count == 1)
        await spool.close()
    }

    @Test func `Without a spool the error says so`() throws {
        #expect(throws: SpoolError.self) { try SpoolReader.open(directory: fixture.spoolPath) }
        #expect { try SpoolReader.open(directory: fixture.directory) } throws: { error in
            (error as? SpoolError)?.text.contains("There is no spool in \(fixture.directory)") == true
        }
    }
}
