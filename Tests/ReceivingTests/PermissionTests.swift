// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Receiving
import Testing

/// What an application may use in From and MAIL FROM.
@Suite struct PermissionTests {
    private func intake() throws -> HeaderIntake {
        HeaderIntake(
            hostname: "relay.example.com", hidesClientAddress: false,
            applications: [
                try ApplicationFields(
                    name: "news", from: ["shop.example", "ads@example.org"], isKnown: true,
                    feedbackID: "{app}:mail:example"),
                try ApplicationFields(name: "any", from: [], isKnown: true),
                try ApplicationFields(name: "fields", from: ["shop.example"], feedbackID: "{app}:other:example"),
            ])
    }

    private func admit(_ author: String, _ application: String?) throws -> AdmittedHeader {
        let principal = Principal(application: application, name: "x", isAuthenticated: true)
        return try intake().admit(
            Array("From: \(author)\r\n".utf8), envelope: Envelope(reversePath: .null, recipients: []),
            client: ClientDescription(heloName: "app", address: "192.0.2.7", protocolName: "ESMTPSA"),
            principal: principal, queueID: QueueID(arrival: Timestamp(milliseconds: 1), distinguisher: 1),
            arrival: Timestamp(milliseconds: 1), random: 1)
    }

    private func text(_ header: AdmittedHeader) -> String { String(decoding: header.bytes, as: UTF8.self) }

    @Test func anAuthorThatTheApplicationMayNotUseIsRefusedByName() throws {
        #expect(throws: Never.self) { try admit("a@shop.example", "news") }
        #expect(throws: Never.self) { try admit("ads@example.org", "news") }
        #expect(throws: Never.self) { try admit("a@anything.example", "any") }
        let refusal = #expect(throws: IntakeRefusal.self) { try admit("boss@example.org", "news") }
        #expect(refusal?.replyCode == 550 && refusal?.status == EnhancedStatusCode(5, 7, 1))
        let text =
            "Message refused: application news may not use <boss@example.org> in From; `from` of its [[app]] says what"
            + " it may use"
        #expect(refusal?.lines == [text])
    }

    @Test func headerFieldsComeFromTheApplicationThatSubmitsNotFromTheAuthor() throws {
        #expect(text(try admit("a@shop.example", "news")).contains("Feedback-ID: news:mail:example\r\n"))
        #expect(!text(try admit("a@shop.example", "any")).contains("Feedback-ID"))
        #expect(text(try admit("a@shop.example", nil)).contains("Feedback-ID: fields:other:example\r\n"))
    }

    @Test func theReversePathIsHeldToTheSame() throws {
        let intake = try intake()
        func refusal(_ mailbox: String, _ application: String?) throws -> IntakeRefusal? {
            let parts = mailbox.split(separator: "@").map(String.init)
            let path = Mailbox(localPart: parts[0], host: .domain(try #require(Domain(parts[1]))))
            return intake.refusal(
                of: .mailbox(path), principal: Principal(application: application, name: "x", isAuthenticated: false))
        }
        #expect(try refusal("bounces@shop.example", "news") == nil)
        #expect(try refusal("bounces@example.org", "news")?.lines.first?.contains("in MAIL FROM;") == true)
        #expect(try refusal("bounces@example.org", "any") == nil)
        #expect(try refusal("bounces@example.org", nil) == nil)
        #expect(
            intake.refusal(of: .null, principal: Principal(application: "news", name: "x", isAuthenticated: true))
                == nil)
    }
}
