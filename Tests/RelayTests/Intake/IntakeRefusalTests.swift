// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Relay
import Signing
import Spooling
import Testing

@Suite("What intake refuses for others' reasons")
struct IntakeRefusalTests {
    private static let content = "From: a@example.org\r\n\r\nx\r\n"

    @Test("an author domain without any key is refused for good, and the command that mends it is named")
    func noKeys() async throws {
        let fixture = try IntakeFixture()
        let refusal = try #require(await fixture.submit(IntakeRefusalTests.content).refusal)
        #expect(refusal.replyCode == 550)
        #expect(refusal.status == EnhancedStatusCode(5, 7, 1))
        #expect(refusal.lines.joined().contains("`waxwing keys generate example.org`"))
        #expect(fixture.events.all == ["refused 550 5.7.1 of example.org"])
        #expect(fixture.log.all.isEmpty)
        await fixture.spool.close()
    }

    @Test(
        "with a key that is not active it is refused for now, the next step is named, and the log is told once a minute"
    )
    func notActive() async throws {
        let fixture = try IntakeFixture()
        let domain = try #require(Domain("example.org"))
        let selector = try #require(try fixture.addKey(to: domain))
        fixture.keyRing.reload()
        for _ in 0..<3 {
            let refusal = try #require(await fixture.submit(IntakeRefusalTests.content).refusal)
            #expect(refusal.replyCode == 451)
            #expect(refusal.status == EnhancedStatusCode(4, 7, 5))
            #expect(refusal.lines.joined().contains("`waxwing keys activate example.org"))
        }
        #expect(fixture.events.all == Array(repeating: "refused 451 4.7.5 of example.org", count: 3))
        #expect(fixture.log.all.count == 1)
        #expect(fixture.log.all[0].contains("domain=example.org next-step=no key of example.org is active"))
        fixture.pass(seconds: 60)
        #expect(await fixture.submit(IntakeRefusalTests.content).refusal != nil)
        #expect(fixture.log.all.count == 2)

        try fixture.activate(selector, of: domain)
        #expect(await fixture.submit(IntakeRefusalTests.content).queueID != nil)
        #expect(await fixture.claim()?.authorDomain == domain)
        #expect(fixture.log.all.count == 2)
        await fixture.spool.close()
    }

    @Test("the first reason holds, whatever follows")
    func firstReason() async throws {
        let fixture = try IntakeFixture()
        let transaction = fixture.intake.begin(IntakeFixture.submission())
        _ = transaction.append(Array("no field\r\n\r\n".utf8))
        for _ in 0..<1000 { #expect(!transaction.append([UInt8](repeating: 65, count: 1000))) }
        #expect(await transaction.finish().refusal?.lines[0].contains("line 1 ") == true)
        #expect(fixture.events.all.count == 1)
        await fixture.spool.close()
    }

    @Test("a spool that is too full is said at MAIL")
    func full() async throws {
        let fixture = try IntakeFixture(minimumFree: .fraction(1))
        let refusal = try #require(fixture.intake.refusal(ofSize: nil))
        #expect(refusal.replyCode == 452)
        #expect(refusal.status == EnhancedStatusCode(4, 3, 1))
        #expect(fixture.events.all == ["refused 452 4.3.1 of nobody"])
        await fixture.spool.close()
    }

    @Test("a spool with room has nothing against a message, nor is that an event")
    func room() async throws {
        let fixture = try IntakeFixture()
        #expect(fixture.intake.refusal(ofSize: 1000) == nil)
        #expect(fixture.intake.refusal(ofSize: nil) == nil)
        #expect(fixture.events.all.isEmpty)
        await fixture.spool.close()
    }

    @Test("a spool that does not take the message makes it a refusal for now, and an error in the log")
    func enqueueFails() async throws {
        let fixture = try IntakeFixture()
        let transaction = fixture.intake.begin(IntakeFixture.submission())
        _ = transaction.append(Array("From: a@example.com\r\n\r\nx\r\n".utf8))
        await fixture.spool.close()
        let refusal = try #require(await transaction.finish().refusal)
        #expect(refusal.replyCode == 451)
        #expect(refusal.status == EnhancedStatusCode(4, 3, 0))
        #expect(fixture.events.all == ["refused 451 4.3.0 of example.com"])
        #expect(fixture.log.all.count == 1 && fixture.log.all[0].contains("step=enqueue"))
    }
}
