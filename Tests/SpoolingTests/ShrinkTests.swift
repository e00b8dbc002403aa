// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import GRDB
import Mail
import Testing

@testable import Spooling

@Suite(.timeLimit(.minutes(2))) struct ShrinkTests {
    let fixture: SpoolFixture

    init() throws {
        fixture = try SpoolFixture()
    }

    private func size() -> Int {
        ["", "-wal"].map { suffix in
            let path = fixture.spoolPath + "/spool.db" + suffix
            return (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
        }.reduce(0, +)
    }

    /// Puts 4,000 messages in, delivers those that `isKept` doesn't hold back, and returns the greatest size.
    private func fillAndDrain(_ spool: Spool, isKept: (Int) -> Bool) async throws -> Int {
        let content = StoredContent.inline([UInt8](repeating: 1, count: 8000))
        for _ in 0..<3999 { spool.enqueue(fixture.message(), content: content) { _ in } }
        try await spool.enqueue(fixture.message(), content: content)
        let largest = size()
        for (index, message) in await spool.claimAll().enumerated() where !isKept(index) {
            spool.record(
                AttemptRecord(
                    queueID: message.queueID, results: [RecipientRecord(index: 0, result: .delivered(accepted))]),
                completion: nil)
        }
        return largest
    }

    @Test func `The file of a queue that has drained shrinks`() async throws {
        let spool = try fixture.open()
        let largest = try await fillAndDrain(spool) { _ in false }
        #expect(largest > 30_000_000)
        while size() > 1_000_000 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(spool.counts.messages == 0)
        await spool.close()
    }

    @Test func `The file of a queue in use shrinks to what is in use and some room`() async throws {
        var configuration = fixture.configuration()
        configuration.limits.spareFreePages = 100
        let spool = try fixture.open(configuration)
        let largest = try await fillAndDrain(spool) { $0 % 4 == 0 }
        while size() > largest / 2 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(spool.counts.messages == 1000)
        await spool.close()
        let again = try fixture.open()
        let claimed = await again.claimAll()
        #expect(claimed.count == 1000)
        #expect(claimed.allSatisfy { $0.content == .inline([UInt8](repeating: 1, count: 8000)) })
        #expect(try await again.database.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") } == "ok")
        await again.close()
    }
}
