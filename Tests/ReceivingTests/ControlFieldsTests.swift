// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Receiving
import Testing

@Suite("Control fields")
struct ControlFieldsTests {
    private static let arrival = Timestamp(seconds: 1_795_424_700)  // 2026-11-23T09:05:00Z
    private static let rest =
        "From: a@example.com\r\nDate: Mon, 23 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n"

    private func admit(_ fields: String) throws -> AdmittedHeader {
        let intake = HeaderIntake(
            hostname: "relay.example.com", hidesClientAddress: false, routes: ["internet", "smarthost"])
        return try intake.admit(
            Array((fields.replacing("\n", with: "\r\n") + ControlFieldsTests.rest).utf8),
            envelope: Envelope(reversePath: .null, recipients: []),
            client: ClientDescription(heloName: "app", address: "127.0.0.1", protocolName: "ESMTP"),
            queueID: QueueID(arrival: ControlFieldsTests.arrival, distinguisher: 1),
            arrival: ControlFieldsTests.arrival, random: 7)
    }

    private func controls(_ fields: String) throws -> ControlFields { try admit(fields).controls }

    private func whyRefused(_ fields: String) -> String? {
        do {
            _ = try admit(fields)
            return nil
        } catch {
            guard let refusal = error as? IntakeRefusal else { return "\(error)" }
            #expect(refusal.lines.allSatisfy { $0.utf8.count <= 480 && $0.utf8.allSatisfy { (32...126).contains($0) } })
            return "\(refusal.replyCode) \(refusal.status) \(refusal.lines.joined(separator: " "))"
        }
    }

    @Test("a message without them asks for nothing")
    func none() throws {
        #expect(try controls("Subject: x\nWaxwing: 1\nX-Wax: 2\n") == ControlFields())
    }

    @Test("they are gone from the header section, wherever they stand and however they are written")
    func removed() throws {
        let plain = try admit("").bytes
        let field = "x-WAXWING-tag : a,\n b,\n\tc\n"
        #expect(try admit(field).bytes == plain)
        #expect(try admit(field).controls.tags == ["a", "b", "c"])
        #expect(
            try admit("Subject: x\n" + field + "To: b@example.net\n").bytes
                == admit("Subject: x\nTo: b@example.net\n").bytes)
        #expect(try admit("X-Waxwing-Priority: 9\n" + field + "X-Waxwing-Test: yes\n").bytes == plain)
    }

    @Test("they don't count as part of a resending")
    func resent() throws {
        let header = "X-Waxwing-Tag: a\nResent-From: b@example.net\nX-Waxwing-Test: no\nResent-Date: x\n"
        let plain = "Resent-From: b@example.net\nResent-Date: x\n"
        #expect(try admit(header).bytes == admit(plain).bytes)
    }

    @Test("tags are collected in their order, each once, up to ten")
    func tags() throws {
        #expect(
            try controls("X-Waxwing-Tag: news\nX-Waxwing-Tag: a.b-c_d:e/f+9, news\nX-Waxwing-Tag: Z\n").tags
                == ["news", "a.b-c_d:e/f+9", "Z"])
        let ten = (0..<10).map { "X-Waxwing-Tag: t\($0)\n" }.joined()
        #expect(try controls(ten + "X-Waxwing-Tag: t0\n").tags.count == 10)
        #expect(whyRefused(ten + "X-Waxwing-Tag: t10\n")?.contains("more than 10 tags") == true)
        for value in ["", "a b", "a,,b", "a,", "ä", String(repeating: "t", count: 65), "a;b"] {
            #expect(
                whyRefused("X-Waxwing-Tag: \(value)\n")?.contains("which must be 1 to 64 letters") == true, "\(value)")
        }
        #expect(try controls("X-Waxwing-Tag: \(String(repeating: "t", count: 64))\n").tags.count == 1)
    }

    @Test(
        "an expiry is a duration from now, or a date",
        arguments: [
            ("10 min", 600), ("10min", 600), ("45 s", 45), ("2 h", 7200), ("30 d", 2_592_000), ("1 MIN", 60),
            ("Mon, 23 Nov 2026 09:15:00 +0000", 600), ("2026-11-23T10:15:00+01:00", 600),
        ])
    func expiry(value: String, seconds: Int64) throws {
        #expect(
            try controls("X-Waxwing-Expires: \(value)\n").expiry
                == ControlFieldsTests.arrival.advanced(bySeconds: seconds))
    }

    @Test("a duration counts from the moment when the message may leave")
    func expiryAfterRelease() throws {
        let fields = "X-Waxwing-Expires: 10 min\nX-Waxwing-Send-At: 2026-11-24T09:05:00Z\n"
        let controls = try controls(fields)
        #expect(controls.release == ControlFieldsTests.arrival.advanced(bySeconds: 86_400))
        #expect(controls.expiry == ControlFieldsTests.arrival.advanced(bySeconds: 87_000))
        let before = "X-Waxwing-Expires: 2026-11-24T09:05:00Z\nX-Waxwing-Send-At: 2026-11-24T09:05:00Z\n"
        #expect(whyRefused(before)?.contains("before the message leaves by X-Waxwing-Send-At") == true)
    }

    @Test(
        "an expiry that makes no sense is refused",
        arguments: [
            ("", "a duration such as"), ("soon", "a duration such as"), ("10", "a duration such as"),
            ("10 m", "a duration such as"), ("-5 min", "a duration such as"), ("1.5 h", "a duration such as"),
            ("0 s", "in the past"), ("2026-11-23T09:05:00Z", "in the past"), ("31 d", "more than 30 days ahead"),
            ("99999999999999999999 d", "more than 30 days ahead"), ("9223372036854775807 d", "more than 30 days ahead"),
            ("2027-11-23T09:05:00Z", "more than 30 days ahead"),
        ])
    func badExpiry(value: String, problem: String) throws {
        let refusal = try #require(whyRefused("X-Waxwing-Expires: \(value)\n"))
        #expect(refusal.hasPrefix("550 5.6.0 ") && refusal.contains(problem), "\(refusal)")
    }

    @Test("a date of sending that has passed asks for nothing, one too far ahead is refused")
    func release() throws {
        #expect(try controls("X-Waxwing-Send-At: 2026-11-23T09:05:00Z\n").release == nil)
        #expect(try controls("X-Waxwing-Send-At: Mon, 1 Jan 2024 00:00:00 +0000\n").release == nil)
        #expect(
            try controls("X-Waxwing-Send-At: 2026-12-23T09:05:00Z\n").release
                == ControlFieldsTests.arrival.advanced(bySeconds: 30 * 86_400))
        #expect(whyRefused("X-Waxwing-Send-At: 2026-12-23T09:05:01Z\n")?.contains("more than 30 days") == true)
        #expect(whyRefused("X-Waxwing-Send-At: 10 min\n")?.contains("which must be a date as in") == true)
    }

    @Test(
        "priorities",
        arguments: [
            ("low", -4), ("Normal", 0), ("HIGH", 4), ("-9", -9), ("9", 9), ("0", 0), ("+3", 3), ("10", nil),
            ("-10", nil), ("", nil), ("urgent", nil), ("1.0", nil), ("٣", nil),
        ] as [(String, Int?)])
    func priority(value: String, priority: Int?) throws {
        let fields = "X-Waxwing-Priority: \(value)\n"
        if let priority {
            #expect(try controls(fields).priority == priority)
        } else {
            #expect(whyRefused(fields)?.contains("a whole number from -9 to 9, or low, normal or high") == true)
        }
    }

    @Test("keys, routes and tests")
    func others() throws {
        #expect(try controls("X-Waxwing-Idempotency-Key: order-17/receipt\n").idempotencyKey == "order-17/receipt")
        for value in ["", "a b", String(repeating: "k", count: 256), "ä"] {
            #expect(whyRefused("X-Waxwing-Idempotency-Key: \(value)\n")?.contains("printable US-ASCII") == true)
        }
        #expect(try controls("X-Waxwing-Route: smarthost\n").route == "smarthost")
        let unknown = try #require(whyRefused("X-Waxwing-Route: Smarthost\n"))
        #expect(unknown.contains("internet, smarthost"))
        for (value, isTest) in [("yes", true), ("TRUE", true), ("1", true), ("no", false), ("0", false)] {
            #expect(try controls("X-Waxwing-Test: \(value)\n").isTest == isTest)
        }
        #expect(whyRefused("X-Waxwing-Test: maybe\n")?.contains("yes or no") == true)
    }

    @Test(
        "an unknown one is refused with the list of those that there are",
        arguments: ["X-Waxwing-Tags", "X-Waxwing", "x-waxwing-", "X-WaxwingTag", "X-Waxwing-Captured-For"])
    func unknown(name: String) throws {
        let refusal = try #require(whyRefused("\(name): x\n"))
        #expect(refusal.hasPrefix("550 5.6.0 Message refused: there is no control field \(name)."))
        for known in ["Tag", "Expires", "Send-At", "Priority", "Idempotency-Key", "Route", "Test"] {
            #expect(refusal.contains("X-Waxwing-\(known)"))
        }
    }

    @Test(
        "all but the tag may stand once",
        arguments: [
            "Expires: 1 h", "Send-At: 2026-11-24T09:05:00Z", "Priority: 1", "Idempotency-Key: k", "Route: internet",
            "Test: no",
        ])
    func repeated(field: String) throws {
        let refusal = try #require(whyRefused("X-Waxwing-\(field)\nx-waxwing-\(field)\n"))
        #expect(refusal.contains("stands more than once"))
    }

    @Test("what a client wrote stands in the refusal only as far as it is short and printable")
    func quoted() throws {
        let long = String(repeating: "x", count: 900)
        #expect(whyRefused("X-Waxwing-Test: \(long)\n")?.contains("xxx...\"") == true)
        #expect(whyRefused("X-Waxwing-Test: \u{1B}[31m\n")?.contains("?[31m") == true)
    }

    @Test("of the field and the envelope the narrower bounds hold, and the field's priority")
    func apply() throws {
        let fields =
            "X-Waxwing-Expires: 10 min\nX-Waxwing-Send-At: 2026-11-23T09:06:00Z\nX-Waxwing-Tag: a, b\n"
            + "X-Waxwing-Priority: high\nX-Waxwing-Test: yes\nX-Waxwing-Route: internet\n"
        let controls = try controls(fields)
        var options = MessageOptions()
        options.release = ControlFieldsTests.arrival.advanced(bySeconds: 90)
        options.expiry = ControlFieldsTests.arrival.advanced(bySeconds: 120)
        options.priority = -2
        options.tags = ["b", "z"]
        controls.apply(to: &options)
        #expect(options.release == ControlFieldsTests.arrival.advanced(bySeconds: 90))
        #expect(options.expiry == ControlFieldsTests.arrival.advanced(bySeconds: 120))
        #expect(options.priority == 4)
        #expect(options.tags == ["b", "z", "a"])
        #expect(options.isTest && options.route == "internet" && options.idempotencyKey == nil)
        let before = options
        ControlFields().apply(to: &options)
        #expect(options == before)
    }
}
