// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Spooling
import Testing

@testable import Forwarding

@Suite struct RetryTests {
    @Test("the wait doubles from five minutes to four hours, ten percent to both sides")
    func waits() {
        let schedule = RetrySchedule()
        let minutes = [5, 10, 20, 40, 80, 160, 240, 240, 240]
        let seed = UInt64.random(in: .min ... .max)
        let randomness = SeededNumbers(seed: seed).randomness
        for (attempts, minutes) in minutes.enumerated() {
            let usual = Int64(minutes) * 60_000
            var seen: Set<Int64> = []
            for _ in 0..<200 {
                let wait = schedule.wait(afterAttempts: attempts, randomness)
                #expect(wait >= usual * 9 / 10 && wait <= usual * 11 / 10, "seed \(seed)")
                seen.insert(wait)
            }
            #expect(seen.count > 100, "seed \(seed)")
        }
        let far = schedule.wait(afterAttempts: .max, randomness)
        #expect(far <= 4 * 3_600_000 * 11 / 10)
    }

    @Test("the longest and shortest settings don't overflow")
    func extremes() {
        let randomness = Randomness { .max }
        #expect(RetrySchedule(firstMilliseconds: 1, maximumMilliseconds: 1).wait(afterAttempts: 9, randomness) == 1)
        let huge = RetrySchedule(firstMilliseconds: .max / 4, maximumMilliseconds: .max / 2)
        #expect(huge.wait(afterAttempts: 99, randomness) > 0)
    }

    @Test("the last attempt is made at the expiry, and after it there is none")
    func expiry() {
        let schedule = RetrySchedule()
        let randomness = Randomness { 0 }
        let now = Timestamp(seconds: 1000)
        let soon = now.advanced(bySeconds: 60)
        #expect(schedule.next(afterAttempts: 0, now: now, expiry: soon, randomness) == soon)
        #expect(schedule.next(afterAttempts: 0, now: soon, expiry: soon, randomness) == nil)
        #expect(
            schedule.next(afterAttempts: 0, now: now, expiry: now.advanced(bySeconds: 86_400), randomness)
                == now.advanced(bySeconds: 270))
    }

    @Test("a deferral counts the attempts before it; expired, it fails with what the last attempt met")
    func recorded() async throws {
        let peer = try await ScriptedPeer.start([["MAIL": .reply("451 4.3.0 later")]], on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        for (attempts, minutes) in [(0, 5), (3, 40)] {
            let record = await bench.deliver(bench.message(to: ["b@example.net"], attempts: attempts))
            guard case .deferred(_, let until)? = record?.results.first?.result else {
                Issue.record("not deferred")
                continue
            }
            let wait = until.milliseconds - Bench.now.milliseconds
            #expect((Int64(minutes) * 54_000...Int64(minutes) * 66_000).contains(wait))
        }
        let expired = await bench.deliver(bench.message(to: ["b@example.net"], expiry: Bench.now))
        guard case .failed(let diagnostic)? = expired?.results.first?.result else {
            Issue.record("not failed")
            return
        }
        #expect(diagnostic.status == EnhancedStatusCode(5, 4, 7))
        #expect(diagnostic.replyCode == 451)
        #expect(diagnostic.text.hasSuffix("4.3.0 later"))
        bench.parts.sites.stop()
        await peer.stop()
    }
}
