// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Testing

@Suite("Delivery status notification")
struct DeliveryStatusNotificationTests {
    private static let arrival = Timestamp(seconds: 1_795_424_700)
    private static let now = Timestamp(seconds: 1_795_424_760)
    private static let plainHeader = "From: app@example.com\r\nTo: x@example.net\r\nSubject: A folded\r\n subject\r\n"

    private func mailbox(_ localPart: String, _ domain: String) throws -> Mailbox {
        Mailbox(localPart: localPart, host: .domain(try #require(Domain(domain))))
    }

    private func notification(
        header: [UInt8] = Array(plainHeader.utf8), recipient: Mailbox? = nil,
        reports: [DeliveryStatusNotification.RecipientReport]
    ) throws -> DeliveryStatusNotification {
        DeliveryStatusNotification(
            recipient: try recipient ?? mailbox("app", "example.com"), sender: try #require(Domain("example.com")),
            reportingHost: "relay.example.com", queueID: try #require(QueueID(rawValue: 33)),
            arrival: DeliveryStatusNotificationTests.arrival, originalHeaderSection: header, reports: reports)
    }

    private func refusal(_ text: String = "User unknown", status: EnhancedStatusCode = .init(5, 1, 1)) -> Diagnostic {
        Diagnostic(
            replyCode: 550, status: status, text: text, remote: "mx.example.net:25", command: "RCPT", owner: .recipient)
    }

    private func content(_ notification: DeliveryStatusNotification) -> String {
        String(decoding: notification.content(now: DeliveryStatusNotificationTests.now, random: 5), as: UTF8.self)
    }

    @Test("it is this message")
    func golden() throws {
        let unreachable = Diagnostic(
            status: EnhancedStatusCode(4, 4, 1), text: "connection refused", remote: "192.0.2.1:25", owner: .network)
        let notification = try notification(reports: [
            .init(mailbox: mailbox("x", "example.net"), diagnostic: refusal()),
            .init(
                mailbox: mailbox("\"two  spaces\"", "example.org"), diagnostic: unreachable, action: .failed,
                lastAttempt: DeliveryStatusNotificationTests.now),
        ])
        #expect(notification.envelope.reversePath == .null)
        #expect(notification.envelope.recipients == [try mailbox("app", "example.com")])
        #expect(!notification.envelope.isEightBit)
        #expect(content(notification) == DeliveryStatusNotificationTests.golden.replacing("\n", with: "\r\n"))
    }

    @Test("a report of delays only does not speak of failure")
    func delayed() throws {
        let text = content(
            try notification(reports: [
                .init(mailbox: mailbox("x", "example.net"), diagnostic: refusal(), action: .delayed)
            ]))
        #expect(text.contains("\r\nAction: delayed\r\n"))
        #expect(text.contains("\r\nSubject: Delivery delayed\r\n"))
        #expect(!text.contains("Undelivered"))
    }

    @Test("an enhanced status code that the reply carried is not written twice")
    func statusOnce() throws {
        let text = content(
            try notification(reports: [
                .init(mailbox: mailbox("x", "example.net"), diagnostic: refusal("5.1.1 No such user"))
            ]))
        #expect(text.contains("\r\nDiagnostic-Code: smtp; 550 5.1.1 No such user\r\n"))
    }

    @Test("a hostile reply stays inside its field, in printable ASCII and short lines")
    func hostileReply() throws {
        let hostile = "bad\r\nFinal-Recipient: rfc822; evil@example.org\r\n\r\n--=_0000000000011_5\r\n \u{7}gr\u{fc}n "
        let long = String(repeating: "x", count: 5000) + " " + String(repeating: "word ", count: 500)
        let text = content(
            try notification(reports: [
                .init(mailbox: mailbox("x", "example.net"), diagnostic: refusal(hostile + long))
            ]))
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        #expect(lines.filter { $0.hasPrefix("Final-Recipient:") }.count == 1)
        #expect(lines.filter { $0 == "--=_0000000000011_5" }.count == 3)
        #expect(lines.allSatisfy { $0.utf8.count <= 998 })
        #expect(text.utf8.allSatisfy { $0 == 13 || $0 == 10 || (32...126).contains($0) })
        #expect(text.contains("gr?n"))
        #expect(text.unicodeScalars.filter { $0 == "x" }.count > 10_000, "the reply is there whole, twice")
    }

    @Test(
        "a next hop becomes the name of an MTA",
        arguments: [
            ("mx.example.net:25", "mx.example.net"), ("mx.example.net", "mx.example.net"),
            ("192.0.2.1:2525", "[192.0.2.1]"), ("192.0.2.1", "[192.0.2.1]"),
            ("mx.example.net[192.0.2.1]:25", "mx.example.net"), ("mx.example.net[2001:db8::1]:25", "mx.example.net"),
            ("[2001:db8::1]:25", "[IPv6:2001:db8::1]"), ("2001:db8::1", "[IPv6:2001:db8::1]"),
        ])
    func remoteMTA(remote: String, name: String) throws {
        var diagnostic = refusal()
        diagnostic.remote = remote
        let text = content(
            try notification(reports: [.init(mailbox: mailbox("x", "example.net"), diagnostic: diagnostic)]))
        #expect(text.contains("\r\nRemote-MTA: dns; \(name)\r\n"))
    }

    @Test("an 8-bit or long-lined header section is returned in quoted-printable")
    func encodedHeader() throws {
        for subject in ["gr\u{fc}n", String(repeating: "x", count: 1000)] {
            let header = "From: app@example.com\r\nSubject: \(subject)\r\n"
            let output = try notification(header: Array(header.utf8), reports: []).content(
                now: DeliveryStatusNotificationTests.now, random: 5)
            let text = String(decoding: output, as: UTF8.self)
            let marker = "Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
            let start = try #require(text.firstRange(of: marker)?.upperBound)
            let end = try #require(text.firstRange(of: "\r\n--=_0000000000011_5--\r\n")?.lowerBound)
            #expect(QuotedPrintableTests.decode(Array(text[start..<end].utf8)) == Array(header.utf8))
            #expect(output.allSatisfy { $0 < 127 })
            #expect(text.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 998 })
        }
    }

    @Test("of a huge header section whole fields are returned")
    func hugeHeader() throws {
        let field = "X-Field: " + String(repeating: "y", count: 80) + "\r\n continued\r\n"
        let header = String(repeating: field, count: 2000)
        let text = content(try notification(header: Array(header.utf8), reports: []))
        let returned = DeliveryStatusNotification.maximumReturnedOctets / field.utf8.count * field.utf8.count
        let whole = String(repeating: field, count: returned / field.utf8.count)
        #expect(text.contains("\r\n\r\n\(whole)\r\n--"))
        #expect(text.utf8.count < returned + 2000)
    }

    @Test("its header section passes the parsers of intake")
    func ownHeader() throws {
        let output = try notification(recipient: mailbox("\"a@b\"", "example.com"), reports: []).content(
            now: DeliveryStatusNotificationTests.now, random: 5)
        let text = String(decoding: output, as: UTF8.self)
        let end = try #require(text.firstRange(of: "\r\n\r\n")?.lowerBound)
        let header = try HeaderSection(Array((text[..<end] + "\r\n").utf8))
        let from = try #require(header.first(FieldName("From")))
        #expect(
            try AddressParser.mailboxes(in: header.bytes[from.value]).map(\.description) == [
                "MAILER-DAEMON@example.com"
            ])
        let to = try #require(header.first(FieldName("To")))
        #expect(try AddressParser.mailboxes(in: header.bytes[to.value]).map(\.description) == ["\"a@b\"@example.com"])
    }

    private static let golden = """
        From: Mail Delivery System <MAILER-DAEMON@example.com>
        To: <app@example.com>
        Subject: Undelivered mail returned to sender
        Date: Mon, 23 Nov 2026 09:06:00 +0000
        Message-ID: <0000000000011.5000000000000@example.com>
        Auto-Submitted: auto-replied
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status;
         boundary="=_0000000000011_5"

        --=_0000000000011_5
        Content-Type: text/plain; charset=us-ascii

        This is the mail system at relay.example.com.

        Your message of Mon, 23 Nov 2026 09:05:00 +0000 could not be delivered to the
        recipients below. It will not be tried again.

        <x@example.net>:
            mx.example.net:25 said: 550 5.1.1 User unknown

        <"two  spaces"@example.org>:
            192.0.2.1:25: connection refused

        --=_0000000000011_5
        Content-Type: message/delivery-status

        Reporting-MTA: dns; relay.example.com
        X-Waxwing-Queue-ID: 0000000000011
        Arrival-Date: Mon, 23 Nov 2026 09:05:00 +0000

        Final-Recipient: rfc822; x@example.net
        Action: failed
        Status: 5.1.1
        Remote-MTA: dns; mx.example.net
        Diagnostic-Code: smtp; 550 5.1.1 User unknown

        Final-Recipient: rfc822; "two  spaces"@example.org
        Action: failed
        Status: 4.4.1
        Remote-MTA: dns; [192.0.2.1]
        Diagnostic-Code: x-waxwing; connection refused
        Last-Attempt-Date: Mon, 23 Nov 2026 09:06:00 +0000

        --=_0000000000011_5
        Content-Type: text/rfc822-headers

        From: app@example.com
        To: x@example.net
        Subject: A folded
         subject

        --=_0000000000011_5--

        """
}
