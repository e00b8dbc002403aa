// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import GRDB
import Mail
import TestSupport
import Testing

@testable import Spooling

/// What was asked for a message stays with it; a release and an idempotency key are kept to.
@Suite struct OptionsTests {
    let fixture: SpoolFixture

    init() throws {
        fixture = try SpoolFixture()
    }

    private var everything: MessageOptions {
        var options = MessageOptions()
        options.release = fixture.time.advanced(bySeconds: -5)
        options.expiry = fixture.time.advanced(bySeconds: 600)
        options.priority = -4
        options.tags = ["a", "two words", "100%\n\u{E9}"]
        options.route = "internet"
        options.isTest = true
        options.idempotencyKey = "order %41 7"
        options.requiresTLS = true
        return options
    }

    @Test func `All that was asked is read back, from memory, from disk and by readers`() async throws {
        let spool = try fixture.open()
        var message = fixture.message(recipients: 3)
        message.options = everything
        message.principal = Principal(application: "shop", name: "shop at 10.0.0.7", isAuthenticated: true)
        message.envelope.notices = DeliveryNotices(
            returned: .headers, envelopeID: "QQ+2B",
            recipients: [
                0: RecipientNotice(occasions: []), 2: RecipientNotice(occasions: [.success, .delay]),
                1: RecipientNotice(originalRecipient: "rfc822;a+2Bb@example.net"),
            ])
        try await spool.enqueue(message, content: .inline([]))
        #expect(await spool.claimAll().map(\.message) == [message])
        let detail = try #require(try SpoolReader.open(directory: fixture.spoolPath).show(message.queueID))
        #expect(detail.options == everything)
        #expect(detail.principal == message.principal)
        #expect(detail.envelope == message.envelope)
        #expect(detail.entry.release == everything.release)
        await spool.close()
        let next = try fixture.open()
        #expect(await next.claimAll().map(\.message) == [message])
        await next.close()
    }

    @Test(arguments: 0..<4)
    func `Whatever the words hold, the text gives them back`(_: Int) {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            func word() -> String {
                String(
                    decoding: (0..<Int.random(in: 1...6, using: &random)).map { _ in
                        [UInt8](arrayLiteral: 0, 10, 13, 32, 37, 48, 65, 127).randomElement(using: &random) ?? 0
                    }, as: UTF8.self)
            }
            var options = MessageOptions()
            if Bool.random(using: &random) {
                options.release = Timestamp(milliseconds: .random(in: -9...9, using: &random))
            }
            options.priority = .random(in: -9...9, using: &random)
            options.tags = (0..<Int.random(in: 0...2, using: &random)).map { _ in word() }
            if Bool.random(using: &random) { options.idempotencyKey = word() }
            #expect(OptionsText.options(in: OptionsText.text(of: options)) == options, "seed \(seed)")
            let principal = Principal(
                application: Bool.random(using: &random) ? word() : nil, name: word(),
                isAuthenticated: Bool.random(using: &random))
            #expect(OptionsText.principal(in: OptionsText.text(of: principal)) == principal, "seed \(seed)")
        }
        #expect(OptionsText.text(of: .none as MessageOptions).isEmpty)
        #expect(OptionsText.options(in: "of-tomorrow x\npriority 3").priority == 3)
    }

    @Test func `A message is due at its release and not before, also after a restart`() async throws {
        var spool = try fixture.open()
        var later = fixture.message()
        later.options.release = fixture.time.advanced(bySeconds: 100)
        let now = fixture.message()
        try await spool.enqueue(later, content: .inline([1]))
        try await spool.enqueue(now, content: .inline([2]))
        #expect(await spool.claimAll().map(\.queueID) == [now.queueID])
        #expect(spool.counts == SpoolCounts(queued: 1, active: 1, octets: 2))
        let reader = try SpoolReader.open(directory: fixture.spoolPath)
        #expect(try reader.show(later.queueID)?.entry.nextAttempt == later.options.release)
        fixture.pass(seconds: 99, spool)
        await spool.settle()
        #expect(await spool.claimAll().isEmpty)
        await spool.close()
        spool = try fixture.open()
        #expect(await spool.claimAll().map(\.queueID) == [now.queueID])
        fixture.pass(seconds: 1, spool)
        let claimed = await spool.claimAll()
        #expect(claimed.map(\.queueID) == [later.queueID])
        #expect(claimed.first?.recipients.map(\.attempts) == [0])
        try await spool.record(later.queueID, [.delivered(accepted)])
        #expect(spool.counts.messages == 1)
        await spool.close()
    }

    @Test func `A message that waits for its release is found when its time comes by itself`() async throws {
        let spool = try fixture.open()
        var message = fixture.message()
        message.options.release = fixture.time.advanced(bySeconds: 3600)
        try await spool.enqueue(message, content: .inline([1]))
        let claim = Task { await spool.claim(maximumMessages: 1, maximumOctets: 1000) }
        fixture.pass(seconds: 3600, spool)
        #expect(await claim.value.map(\.queueID) == [message.queueID])
        await spool.close()
    }

    @Test func `What is urgent and has just come is given out before all else that waits`() async throws {
        let spool = try fixture.open()
        let messages = [0, -3, 0, 4, 0, 1].map { priority in
            var message = fixture.message()
            message.options.priority = priority
            return message
        }
        for message in messages { try await spool.enqueue(message, content: .inline([1])) }
        var claimed: [QueueID] = []
        for _ in messages { claimed += await spool.claimNow().map(\.queueID) }
        #expect(claimed == [3, 5, 0, 1, 2, 4].map { messages[$0].queueID })
        #expect(await spool.claimAll().isEmpty)
        await spool.close()
    }

    @Test func `A crowd that fills the memory does not keep what is urgent waiting`() async throws {
        var configuration = fixture.configuration()
        configuration.limits.handoffMessages = 2
        let spool = try fixture.open(configuration)
        var messages = (0..<6).map { _ in fixture.message() }
        messages[4].options.priority = 9
        messages[5].options.priority = 1
        for message in messages { try await spool.enqueue(message, content: .inline([1])) }
        #expect(await spool.claimNow(maximumMessages: 2).map(\.queueID) == messages[4...].map(\.queueID))
        #expect(Set(await spool.claimAll().map(\.queueID)) == Set(messages[..<4].map(\.queueID)))
        await spool.close()
    }

    private func keyed(_ key: String, _ application: String? = "shop") -> NewMessage {
        var message = fixture.message()
        message.options.idempotencyKey = key
        message.principal = Principal(application: application, name: "shop", isAuthenticated: false)
        return message
    }

    @Test func `The same key of the same principal is one message for a day`() async throws {
        var spool = try fixture.open()
        let first = keyed("k")
        #expect(try await spool.enqueue(first, content: .inline([1])) == first.queueID)
        #expect(try await spool.enqueue(keyed("k"), content: .inline([2, 3])) == first.queueID)
        let others = [keyed("K"), keyed("k", "other"), keyed("k", nil), fixture.message()]
        for other in others { #expect(try await spool.enqueue(other, content: .inline([4])) == other.queueID) }
        #expect(spool.counts == SpoolCounts(queued: 5, octets: 5))
        // Long gone, and not taken in again all the same.
        #expect(await spool.claimAll().count == 5)
        try await spool.record(first.queueID, [.delivered(accepted)])
        await spool.close()
        spool = try fixture.open()
        fixture.pass(seconds: IdempotencyKey.lifetimeSeconds - 1, spool)
        #expect(try await spool.enqueue(keyed("k"), content: .inline([5])) == first.queueID)
        fixture.pass(seconds: 1, spool)
        let again = keyed("k")
        #expect(try await spool.enqueue(again, content: .inline([6])) == again.queueID)
        #expect(spool.counts.octets == 5)
        await spool.close()
        // What nobody asks for any more is gone.
        let queue = try DatabaseQueue(path: fixture.spoolPath + "/spool.db")
        #expect(try await queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM idempotency_keys") } == 1)
        try queue.close()
    }

    @Test func `Of many at once with one key one is stored, and no file of the others stays`() async throws {
        let spool = try fixture.open()
        let ids = try await withThrowingTaskGroup(of: QueueID.self) { group in
            for _ in 0..<20 {
                let message = keyed("burst")
                let writer = spool.contentWriter()
                _ = try writer.append([UInt8](repeating: 7, count: StoredContent.inlineLimit + 1))
                let content = try writer.finish()
                group.addTask { try await spool.enqueue(message, content: content) }
            }
            return try await group.reduce(into: Set<QueueID>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        #expect(spool.counts.octets == Int64(StoredContent.inlineLimit + 1))
        await spool.close()
        let names = FileManager.default.enumerator(atPath: fixture.spoolPath + "/content")?.allObjects as? [String]
        #expect(names?.filter { $0.contains("/") }.count == 1)
    }

    @Test func `A key is remembered only with its message`() async throws {
        struct DiskFault: Error {}
        for point in [WritePoint.insertIdempotencyKey, .deleteIdempotencyKeys, .commit] {
            let fixture = try SpoolFixture()
            let failures = Counter()
            var configuration = fixture.configuration()
            configuration.beforeWrite = { reached in
                guard reached == point, failures.value == 0 else { return }
                failures.increment()
                throw DiskFault()
            }
            let spool = try fixture.open(configuration)
            await #expect(throws: SpoolError.self) { try await spool.enqueue(keyed("f"), content: .inline([1])) }
            #expect(failures.value == 1)
            let second = keyed("f")
            #expect(try await spool.enqueue(second, content: .inline([1])) == second.queueID)
            #expect(spool.counts.messages == 1)
            await spool.close()
        }
    }
}
