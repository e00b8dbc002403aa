// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import Synchronization
import Testing

@testable import Relay
@testable import Spooling

/// The n-th access to the disk fails, for n = 1, 2, … until a run needs fewer.
@Suite("Intake on a failing disk", .timeLimit(.minutes(2)))
struct IntakeFaultTests {
    private struct DiskFault: Error {}

    private final class Counter: Sendable {
        let value = Atomic(0)
    }

    @Test("a message whose lines are encoded is on disk as it should be, or refused for now", arguments: [100, 30_000])
    func encoding(lines: Int) async throws {
        let header = Array("From: a@example.com\r\nSubject: x\r\n\r\n".utf8)
        let body =
            Array((String(repeating: "long ", count: 300) + "\r\n").utf8)
            + Array(String(repeating: "short line\r\n", count: lines).utf8)
        var expected: Int?
        var number = 0
        var isReached = true
        while isReached {
            let counter = Counter()
            let failing = number
            let fixture = try IntakeFixture(preparing: { configuration in
                configuration.limits.idleDelay = 1_000_000
                configuration.beforeWrite = { _ in
                    if counter.value.wrappingAdd(1, ordering: .relaxed).newValue == failing { throw DiskFault() }
                }
            })
            let result = await fixture.submit([header, body])
            isReached = number == 0 || counter.value.load(ordering: .relaxed) >= number
            await fixture.spool.close()

            let again = try IntakeFixture(in: fixture.directory)
            for _ in 0...ContentFiles.shardCount + 1 { await settle(again.spool) }
            let files = (FileManager.default.subpaths(atPath: again.directory + "/spool/content") ?? [])
                .count { $0.contains("/") }
            if let queueID = result.queueID {
                let message = try #require(await again.claim())
                #expect(message.queueID == queueID)
                #expect(message.message.repairs == [.encodedLongLines])
                let octets = try message.octets
                if number == 0 { expected = octets.count }
                #expect(octets.count == expected)
                #expect(octets.split(separator: 10).allSatisfy { $0.count <= 999 })
                #expect(files == (octets.count > StoredContent.inlineLimit ? 1 : 0), "access \(number)")
            } else {
                #expect(number > 0)
                #expect(result.refusal?.replyCode == 451)
                #expect(again.spool.counts.messages == 0)
                #expect(files == 0, "access \(number)")
            }
            await again.spool.close()
            withExtendedLifetime(fixture) {}
            number += 1
        }
        #expect(number > (lines > 1000 ? 20 : 4))
    }

    private func settle(_ spool: Spool) async {
        await withCheckedContinuation { continuation in spool.writer.async { continuation.resume() } }
    }
}
