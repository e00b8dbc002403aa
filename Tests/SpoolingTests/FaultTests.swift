// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import Synchronization
import Testing

@testable import Spooling

/// The n-th write fails, for n = 1, 2, … until a run needs fewer than n; each time the contract of QueueStates.md holds.
@Suite struct FaultTests {
    struct DiskFault: Error {}

    /// What the callers were told in one run.
    struct Told: Sendable {
        var accepted: Set<QueueID> = []
        var refused: Set<QueueID> = []
        var finished: Set<QueueID> = []
        /// Of keys whose use was recorded.
        var selectors: Set<String> = []
    }

    /// Fails one write, or this and all that follow.
    final class Fault: Sendable {
        let count = Mutex(0)
        let number: Int
        let isLasting: Bool
        init(number: Int, isLasting: Bool) {
            self.number = number
            self.isLasting = isLasting
        }

        var isReached: Bool { count.withLock { $0 >= number } }

        func next() throws {
            let count = count.withLock { count in
                count += 1
                return count
            }
            if count == number || isLasting && count > number { throw DiskFault() }
        }
    }

    @Test func `One failing write loses nothing that was accepted and accepts nothing that was refused`() async throws {
        var number = 0
        var isReached = true
        while isReached {
            number += 1
            let fixture = try SpoolFixture()
            let fault = Fault(number: number, isLasting: false)
            let told = try await run(fixture, fault)
            isReached = fault.isReached
            try await check(fixture, told, "write \(number)")
        }
        // Each of the eight commits alone has four writes and more.
        #expect(number > 40)
    }

    @Test func `A disk that fails from some write on loses nothing that was accepted`() async throws {
        var number = 0
        var isReached = true
        while isReached {
            number += 1
            let fixture = try SpoolFixture()
            let fault = Fault(number: number, isLasting: true)
            let told = try await run(fixture, fault)
            isReached = fault.isReached
            try await check(fixture, told, "from write \(number) on")
        }
        #expect(number > 40)
    }

    /// Small and large messages come, are delivered, deferred and failed.
    private func run(_ fixture: SpoolFixture, _ fault: Fault) async throws -> Told {
        var configuration = fixture.configuration()
        configuration.beforeWrite = { _ in try fault.next() }
        configuration.limits.resultRetryDelay = 1
        // Upkeep comes when it comes, which would make the numbers differ from run to run.
        configuration.limits.idleDelay = 1_000_000
        let spool = try fixture.open(configuration)
        var told = Told()
        for index in 0..<6 {
            let message = fixture.message(recipients: 2)
            do throws(SpoolError) {
                let writer = spool.contentWriter()
                defer { if index == 5 { writer.discard() } }
                let length = index % 3 == 2 ? StoredContent.inlineLimit + 1 : 100
                _ = try writer.append([UInt8](repeating: 1, count: length))
                let content = try writer.finish()
                if index == 5 { continue }
                try await spool.enqueue(message, content: content)
                told.accepted.insert(message.queueID)
            } catch {
                #expect(error.refusal.replyCode == 451)
                told.refused.insert(message.queueID)
            }
        }
        var seen = 0
        for message in await spool.claimAll() {
            seen += 1
            let until = fixture.time.advanced(bySeconds: 60)
            let results: [RecipientResult] =
                switch seen % 3 {
                case 0 where seen == 3: [.unsignable(greylisted, until: until), .failed(unknownUser)]
                case 0: [.deferred(greylisted, until: until), .failed(unknownUser)]
                case 1: [.delivered(accepted), .delivered(accepted)]
                default: [.failed(unknownUser), .delivered(accepted)]
                }
            let records = results.enumerated().map { RecipientRecord(index: $0, result: $1) }
            let attempt = AttemptRecord(
                queueID: message.queueID, results: records, keptFields: seen % 3 == 0 ? [1] : nil,
                keyUses: [KeyUse(sdid: domain, selector: "s\(seen)", time: fixture.time)])
            if fault.isLasting {
                spool.record(attempt, completion: nil)
            } else {
                // With a disk that works again the spool gets every result down, however often it must try.
                try await spool.record(attempt)
                told.selectors.insert("s\(seen)")
                if seen % 3 != 0 { told.finished.insert(message.queueID) }
            }
        }
        await spool.close()
        return told
    }

    private func check(_ fixture: SpoolFixture, _ told: Told, _ comment: Comment) async throws {
        let spool = try fixture.open()
        #expect(told.selectors.isSubset(of: spool.keyUses().map(\.selector)), comment)
        fixture.pass(seconds: 61, spool)
        let claimed = await spool.claimAll()
        let found = Set(claimed.map(\.queueID))
        #expect(found.count == claimed.count, comment)
        #expect(found.isDisjoint(with: told.refused), comment)
        #expect(found.isDisjoint(with: told.finished), comment)
        #expect(found.isSubset(of: told.accepted), comment)
        let fault = told.accepted.subtracting(told.finished).subtracting(found)
        // With a lasting fault a result may have got down before it, or not.
        if !told.finished.isEmpty { #expect(fault.isEmpty, comment) }
        #expect(spool.counts.messages == claimed.count, comment)
        for message in claimed {
            guard case .file(let path, let length) = message.content else { continue }
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
            #expect(size == length, comment)
        }
        for _ in 0...ContentFiles.shardCount + 1 { await spool.settle() }
        let files = (FileManager.default.subpaths(atPath: fixture.spoolPath + "/content") ?? []).filter {
            $0.contains("/")
        }
        #expect(files.count == claimed.count { if case .file = $0.content { true } else { false } }, comment)
        await spool.close()
    }
}
