// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import Synchronization
import TestSupport
import Testing

@testable import Spooling

/// Random operations, with the spool beside a model of a few lines that must agree with it after each.
@Suite struct ModelTests {
    /// What the queue holds, as its contract says.
    struct Model {
        struct Message {
            var message: NewMessage
            var content: StoredContent
            /// The recipients that were given out; nil without a lease.
            var claimed: [ClaimedRecipient]?
            /// Those that wait for a key may be given out once, ahead of their time.
            var isRetried = false
            /// Of each recipient deferrals, next attempt, and whether it waits for a key; nil once finished.
            var open: [(attempts: Int, next: Timestamp, isUnsignable: Bool)?]

            var isLeased: Bool { claimed != nil }

            func due(_ now: Timestamp) -> [ClaimedRecipient] {
                open.indices.compactMap { index in
                    guard let recipient = open[index], recipient.next <= now || isRetried && recipient.isUnsignable
                    else { return nil }
                    return ClaimedRecipient(
                        index: index, mailbox: message.envelope.recipients[index], attempts: recipient.attempts)
                }
            }
        }

        var messages: [QueueID: Message] = [:]
        /// Messages are still to be read of those that wait for a key.
        var isRetrying = false

        mutating func retry() {
            isRetrying = true
            for id in messages.keys { messages[id]?.isRetried = true }
        }

        /// A lease ended: the message is read once more, if the retry has not passed it.
        mutating func end(_ id: QueueID) {
            messages[id]?.claimed = nil
            messages[id]?.isRetried = isRetrying
        }

        /// Leases and retries are not on disk.
        mutating func restart() {
            isRetrying = false
            for id in messages.keys { end(id) }
        }
    }

    @Test(arguments: 0..<6)
    func `Whatever happens in whatever order, the spool holds what the model holds`(_: Int) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var fixture = try SpoolFixture()
        var configuration = fixture.configuration()
        configuration.limits.handoffMessages = 5
        configuration.limits.pageMessages = 8
        configuration.limits.spareFreePages = 4
        var spool = try fixture.open(configuration)
        var model = Model()
        for step in 0..<400 {
            let comment: Comment = "seed \(seed), step \(step)"
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<40:
                let message = fixture.message(recipients: .random(in: 1...4, using: &random))
                let content = try content(of: UInt8(step & 255), in: spool, &random)
                try await spool.enqueue(message, content: content)
                model.messages[message.queueID] = Model.Message(
                    message: message, content: content,
                    open: message.envelope.recipients.map { _ in (0, message.arrival, false) })
            case 40..<60:
                for claimed in await spool.claimNow(maximumMessages: .random(in: 1...6, using: &random)) {
                    expectEqual(claimed, model.messages[claimed.queueID], fixture.time, comment)
                    model.messages[claimed.queueID]?.claimed = claimed.recipients
                }
            case 60..<85:
                guard let id = leased(model, &random) else { continue }
                let attempt = attempt(on: id, &model, fixture.time, &random)
                try await spool.record(attempt)
            case 85..<90:
                guard let id = leased(model, &random) else { continue }
                spool.release(id)
                model.end(id)
            case 90..<92:
                spool.retry(authorDomain: domain)
                model.retry()
            case 92..<96:
                fixture.pass(seconds: .random(in: 1...400, using: &random), spool)
            default:
                // A start after a crash, or after an orderly end.
                if Bool.random(using: &random) {
                    let crashed = try fixture.copy(of: spool)
                    await spool.close()
                    fixture = crashed
                } else {
                    await spool.close()
                }
                configuration.directory = fixture.spoolPath
                spool = try fixture.open(configuration)
                model.restart()
            }
            await spool.settle()
            if spool.state.withLock({ $0.schedule.retries.isEmpty }) { model.isRetrying = false }
            #expect(spool.counts.messages == model.messages.count, comment)
            #expect(spool.counts.active == model.messages.values.count(where: \.isLeased), comment)
        }
        // In the end everything that is due comes out, and nothing else.
        spool.retry(authorDomain: domain)
        model.retry()
        let due = model.messages.values.filter { !$0.isLeased && !$0.due(fixture.time).isEmpty }
        let claimed = await spool.claimAll()
        #expect(Set(claimed.map(\.queueID)) == Set(due.map(\.message.queueID)), "seed \(seed)")
        for message in claimed {
            expectEqual(message, model.messages[message.queueID], fixture.time, "seed \(seed), at the end")
        }
        await spool.close()
    }

    private func content(
        of octet: UInt8, in spool: Spool, _ random: inout SeededGenerator
    ) throws -> StoredContent {
        let isLarge = Int.random(in: 0..<30, using: &random) == 0
        let count = isLarge ? StoredContent.inlineLimit + 1 : Int.random(in: 0...9000, using: &random)
        let writer = spool.contentWriter()
        _ = try writer.append([UInt8](repeating: octet, count: count))
        return try writer.finish()
    }

    private func expectEqual(
        _ claimed: ClaimedMessage, _ expected: Model.Message?, _ now: Timestamp, _ comment: Comment
    ) {
        #expect(expected?.isLeased == false, comment)
        #expect(claimed.message == expected?.message, comment)
        // What came due between reading a page and the claim is due at the next claim.
        // So is what waits for a key, if a retry finds the message in memory already.
        let due = expected?.due(now) ?? []
        #expect(!claimed.recipients.isEmpty && claimed.recipients.allSatisfy(due.contains), comment)
        guard case .file(let path, let length) = claimed.content else {
            #expect(claimed.content == expected?.content, comment)
            return
        }
        #expect((try? Data(contentsOf: URL(fileURLWithPath: path)).count) == length, comment)
        #expect(length == expected?.content.length, comment)
    }

    private func leased(_ model: Model, _ random: inout SeededGenerator) -> QueueID? {
        model.messages.values.filter(\.isLeased).map(\.message.queueID).sorted().randomElement(using: &random)
    }

    /// Random results for some of the recipients that are due, done to the model too.
    private func attempt(
        on id: QueueID, _ model: inout Model, _ now: Timestamp, _ random: inout SeededGenerator
    ) -> AttemptRecord {
        var attempt = AttemptRecord(queueID: id, results: [])
        guard var message = model.messages[id], let claimed = message.claimed else { return attempt }
        for recipient in claimed where Int.random(in: 0..<4, using: &random) > 0 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                let until = now.advanced(bySeconds: .random(in: 0...500, using: &random))
                attempt.results.append(
                    RecipientRecord(index: recipient.index, result: .deferred(greylisted, until: until)))
                message.open[recipient.index] = (recipient.attempts + 1, until, false)
            case 3:
                let until = now.advanced(bySeconds: 100_000)
                attempt.results.append(
                    RecipientRecord(index: recipient.index, result: .unsignable(greylisted, until: until)))
                message.open[recipient.index] = (recipient.attempts, until, true)
            case 1:
                attempt.results.append(RecipientRecord(index: recipient.index, result: .delivered(accepted)))
                message.open[recipient.index] = nil
            default:
                attempt.results.append(RecipientRecord(index: recipient.index, result: .failed(unknownUser)))
                message.open[recipient.index] = nil
            }
        }
        let isFinished = message.open.allSatisfy { $0 == nil }
        model.messages[id] = isFinished ? nil : message
        model.end(id)
        return attempt
    }
}
