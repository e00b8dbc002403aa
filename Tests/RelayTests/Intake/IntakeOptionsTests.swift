// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Relay
import Spooling
import Testing

@Suite struct IntakeOptionsTests {
    private static let content = "From: a@example.com\r\n\r\nx\r\n"

    private func submission(_ change: (inout MessageOptions) -> Void) -> Submission {
        var submission = IntakeFixture.submission()
        submission.principal = Principal(application: "shop", name: "shop", isAuthenticated: false)
        change(&submission.options)
        return submission
    }

    @Test func `What is asked for is stored, and the life of a message counts from its release`() async throws {
        let fixture = try IntakeFixture(configuring: { $0.routes = ["mx", "bulk"] })
        let submission = submission { options in
            options.release = fixture.time.advanced(bySeconds: 50)
            options.route = "bulk"
            options.tags = ["t"]
        }
        #expect(await fixture.submit(IntakeOptionsTests.content, submission).queueID != nil)
        fixture.pass(seconds: 50)
        let claimed = try #require(await fixture.claim())
        #expect(claimed.options == submission.options)
        #expect(claimed.message.principal == submission.principal)
        #expect(claimed.expiry == fixture.time.advanced(bySeconds: 5 * 86_400))
        await fixture.spool.close()
    }

    @Test func `A wish for an end shortens a message's life and never prolongs it`() async throws {
        let fixture = try IntakeFixture()
        let lifetime: Int64 = 5 * 86_400
        for wanted in [600, lifetime, lifetime + 1] {
            let submission = submission { $0.expiry = fixture.time.advanced(bySeconds: wanted) }
            #expect(await fixture.submit(IntakeOptionsTests.content, submission).queueID != nil)
            #expect(await fixture.claim()?.expiry == fixture.time.advanced(bySeconds: min(wanted, lifetime)))
        }
        await fixture.spool.close()
    }

    @Test func `What can't be done is refused, and says why`() async throws {
        let fixture = try IntakeFixture(configuring: { $0.routes = ["mx", "bulk"] })
        let route = await fixture.submit(IntakeOptionsTests.content, submission { $0.route = "bulky\n" }).refusal
        #expect(route?.replyCode == 550)
        #expect(route?.status == EnhancedStatusCode(5, 7, 1))
        #expect(
            route?.lines == ["Message refused: no [[route]] is called \"bulky?\"; there are \"mx\", \"bulk\""])
        let expired = submission { options in
            options.release = fixture.time.advanced(bySeconds: 9)
            options.expiry = options.release
        }
        #expect(
            await fixture.submit(IntakeOptionsTests.content, expired).refusal?.status == EnhancedStatusCode(5, 4, 7))
        await fixture.spool.close()
    }

    @Test func `A message that comes again with its key gets the same queue ID and is told of once`() async throws {
        let fixture = try IntakeFixture()
        let submission = submission { $0.idempotencyKey = "order-7" }
        let first = try #require(await fixture.submit(IntakeOptionsTests.content, submission).queueID)
        #expect(await fixture.submit(IntakeOptionsTests.content, submission).queueID == first)
        #expect(fixture.events.all.count == 1)
        #expect(fixture.spool.counts.messages == 1)
        await fixture.spool.close()
    }
}
