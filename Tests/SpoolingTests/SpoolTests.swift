// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import GRDB
import Mail
import Synchronization
import Testing

@testable import Spooling

@Suite struct SpoolTests {
    let fixture: SpoolFixture

    init() throws {
        fixture = try SpoolFixture()
    }

    @Test func `A message comes out as it went in`() async throws {
        let spool = try fixture.open()
        var message = fixture.message(recipients: 3, headerLength: 12)
        message.envelope.isEightBit = true
        message.repairs = [.lineEnds, .addedFields]
        try await spool.enqueue(message, content: .inline(Array("Subject: a\r\n\r\nbody".utf8)))
        let claimed = await spool.claim(maximumMessages: 10, maximumOctets: 1 << 20)
        #expect(claimed.map(\.message) == [message])
        #expect(claimed.first?.content == .inline(Array("Subject: a\r\n\r\nbody".utf8)))
        #expect(claimed.first?.recipients.map(\.index) == [0, 1, 2])
        #expect(claimed.first?.recipients.map(\.attempts) == [0, 0, 0])
        #expect(claimed.first?.recipients.map(\.mailbox) == message.envelope.recipients)
        await spool.close()
    }

    @Test func `A message comes out as it went in after the daemon started again`() async throws {
        let spool = try fixture.open()
        var first = fixture.message(recipients: 2)
        first.envelope.reversePath = .null
        first.bodyHashes.append(BodyHash(canonicalization: .simple, digest: Array(repeating: 9, count: 32)))
        first.repairs = Repair.allCases
        var second = fixture.message()
        second.envelope.recipients = [
            Mailbox(localPart: "\"a@[b]\"", host: .literal("[IPv6:2001:db8::1]")),
            Mailbox(localPart: "\"x@y\"", host: .domain(domain)),
        ]
        try await spool.enqueue(first, content: .inline([1, 2, 3]))
        try await spool.enqueue(second, content: .inline([]))
        await spool.close()
        let again = try fixture.open()
        #expect(again.counts == SpoolCounts(queued: 2, octets: 3))
        let claimed = await again.claimAll()
        #expect(claimed.map(\.message) == [first, second])
        #expect(claimed.map(\.content) == [.inline([1, 2, 3]), .inline([])])
        await again.close()
    }

    @Test func `The success of an enqueue means that the message is on disk`() async throws {
        let spool = try fixture.open()
        var messages: [NewMessage] = []
        for _ in 0..<20 {
            let message = fixture.message()
            messages.append(message)
            try await spool.enqueue(message, content: .inline([UInt8](repeating: 7, count: 5000)))
            // What a crash at this very moment would leave.
            let after = try fixture.copy(of: spool)
            let survivor = try after.open()
            let claimed = await survivor.claimAll()
            #expect(claimed.map(\.message) == messages)
            #expect(claimed.allSatisfy { $0.content == .inline([UInt8](repeating: 7, count: 5000)) })
            await survivor.close()
        }
        await spool.close()
    }

    @Test func `Commits are synced, and the file can shrink`() async throws {
        for _ in 0..<2 {
            let spool = try fixture.open()
            let settings = try await spool.database.read { database in
                try ["synchronous", "auto_vacuum", "secure_delete"].map { name in
                    try Int.fetchOne(database, sql: "PRAGMA \(name)")
                }
            }
            #expect(settings == [2, 2, 0])
            #expect(try await spool.database.read { try String.fetchOne($0, sql: "PRAGMA journal_mode") } == "wal")
            await spool.close()
        }
    }

    @Test func `A queue ID that is taken is refused, and its neighbours in the batch are not`() async throws {
        let spool = try fixture.open()
        let first = fixture.message()
        try await spool.enqueue(first, content: .inline([1]))
        let results = Mutex<[QueueID: [Bool]]>([:])
        let neighbours = [fixture.message(), first, fixture.message()]
        let gate = DispatchSemaphore(value: 0)
        spool.writer.async { gate.wait() }
        for message in neighbours {
            spool.enqueue(message, content: .inline([2])) { result in
                results.withLock { $0[message.queueID, default: []].append((try? result.get()) != nil) }
            }
        }
        gate.signal()
        await spool.settle()
        await spool.settle()
        #expect(
            results.withLock { $0 } == [
                neighbours[0].queueID: [true], first.queueID: [false], neighbours[2].queueID: [true],
            ])
        #expect(await spool.claimAll().count == 3)
        #expect(spool.counts == SpoolCounts(active: 3, octets: 3))
        await spool.close()
    }

    @Test func `A recipient that would become two is refused`() async throws {
        let spool = try fixture.open()
        var message = fixture.message()
        message.envelope.recipients = [Mailbox(localPart: "\"a\nb@example.com\"", host: .domain(domain))]
        await #expect(throws: SpoolError.self) { try await spool.enqueue(message, content: .inline([])) }
        #expect(spool.counts.messages == 0)
        await spool.close()
    }

    @Test func `Sessions that finish together share a commit`() async throws {
        let commits = Mutex(0)
        var configuration = fixture.configuration()
        configuration.beforeWrite = { point in if point == .commit { commits.withLock { $0 += 1 } } }
        let spool = try fixture.open(configuration)
        let gate = DispatchSemaphore(value: 0)
        spool.writer.async { gate.wait() }
        let done = Mutex(0)
        for _ in 0..<1200 {
            spool.enqueue(fixture.message(), content: .inline([0])) { _ in done.withLock { $0 += 1 } }
        }
        gate.signal()
        while done.withLock({ $0 }) < 1200 { await spool.settle() }
        // 500 messages a transaction at most.
        #expect(commits.withLock { $0 } == 3)
        await spool.close()
    }

    @Test func `One daemon to a spool, and the second is told who has it`() async throws {
        let spool = try fixture.open()
        do {
            _ = try fixture.open()
            Issue.record("opened twice")
        } catch let error as SpoolError {
            #expect(error.kind == .locked(processID: getpid()))
            #expect(error.text.contains("in use by process \(getpid())"))
        }
        await spool.close()
        await (try fixture.open()).close()
    }

    @Test func `A closed spool takes nothing, gives nothing, and says so`() async throws {
        let spool = try fixture.open()
        let waiting = Task { await spool.claim(maximumMessages: 1, maximumOctets: 1) }
        while spool.state.withLock({ $0.waiters.isEmpty }) { await Task.yield() }
        await spool.close()
        #expect(await waiting.value.isEmpty)
        #expect(await spool.claim(maximumMessages: 1, maximumOctets: 1).isEmpty)
        await #expect(throws: SpoolError.isClosed) { try await spool.enqueue(fixture.message(), content: .inline([])) }
        await #expect(throws: SpoolError.isClosed) { try await spool.record(fixture.message().queueID, []) }
        await spool.close()
    }

    @Test func `A full queue refuses with 452, aware of the size`() async throws {
        var configuration = fixture.configuration()
        configuration.maximumMessages = 2
        configuration.maximumOctets = 100
        let spool = try fixture.open(configuration)
        #expect(spool.admission(ofSize: nil) == nil)
        #expect(spool.admission(ofSize: 100) == nil)
        #expect(spool.admission(ofSize: 101)?.replyCode == 452)
        #expect(spool.admission(ofSize: .max)?.status == EnhancedStatusCode(4, 3, 1))
        try await spool.enqueue(fixture.message(), content: .inline([UInt8](repeating: 0, count: 60)))
        #expect(spool.admission(ofSize: 40) == nil)
        #expect(spool.admission(ofSize: 41)?.replyCode == 452)
        try await spool.enqueue(fixture.message(), content: .inline([]))
        #expect(spool.admission(ofSize: 1)?.replyCode == 452)
        let claimed = await spool.claimAll()
        try await spool.record(claimed[0].queueID, [.delivered(accepted)])
        #expect(spool.admission(ofSize: 41) == nil)
        await spool.close()
    }

    @Test func `Too little free space refuses, aware of the size`() {
        let space = FreeSpace(path: "/", minimum: .fraction(0.05)) { _ in .init(free: 60, size: 1000) }
        #expect(space.holds(10))
        #expect(!space.holds(11))
        #expect(!space.holds(.max))
        let octets = FreeSpace(path: "/", minimum: .octets(50)) { _ in .init(free: 60, size: 1000) }
        #expect(octets.holds(10))
        #expect(!octets.holds(11))
        #expect(FreeSpace.statistics("/")?.size ?? 0 > 0)
    }
}
