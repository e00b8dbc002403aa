// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Receiving
import TestSupport
import Testing

@Suite("Repairs of the header section")
struct HeaderRepairTests {
    private static let rest = "Date: Mon, 23 Nov 2026 09:00:00 +0000\nMessage-ID: <1@example.com>\n"
    private static let from = "From: a@example.com\n"

    private func admit(_ header: String, rules: [RewriteRule] = [], isOwn: Bool = false) throws -> AdmittedHeader {
        let intake = HeaderIntake(
            hostname: "relay.example.com", hidesClientAddress: false, rewriteRules: RewriteRules(rules))
        return try intake.admit(
            Array(header.replacing("\n", with: "\r\n").utf8), envelope: HeaderIntakeTests.envelope,
            client: isOwn ? nil : HeaderIntakeTests.client, queueID: HeaderIntakeTests.queueID,
            arrival: HeaderIntakeTests.arrival, random: 7)
    }

    /// What became of the fields that were handed in.
    private func fields(_ admitted: AdmittedHeader) -> String {
        let text = String(decoding: admitted.bytes, as: UTF8.self).replacing("\r\n", with: "\n")
        #expect(text.hasPrefix(HeaderIntakeTests.trace))
        return String(text.dropFirst(HeaderIntakeTests.trace.count))
    }

    private func whyRefused(_ header: String) -> String? {
        do {
            _ = try admit(header)
            return nil
        } catch let refusal as IntakeRefusal {
            #expect(refusal.replyCode == 550 && refusal.status == EnhancedStatusCode(5, 6, 0))
            #expect(refusal.lines.allSatisfy { $0.utf8.allSatisfy { (32...126).contains($0) } && $0.utf8.count < 300 })
            return refusal.lines.joined(separator: " ")
        } catch {
            return "\(error)"
        }
    }

    @Test("nothing is repaired where nothing is wrong")
    func whole() throws {
        let header = HeaderRepairTests.from + HeaderRepairTests.rest + "Subject:  x  \n\ty \nX:\n"
        let admitted = try admit(header)
        #expect(fields(admitted) == header)
        #expect(admitted.repairs.isEmpty && admitted.rewrittenAuthor == nil && admitted.oneClickFault == nil)
    }

    @Test(
        "each repair is made and named",
        arguments: [
            ("Subject: Gr\u{fc}n\n", "Subject: =?utf-8?q?Gr=C3=BCn?=\n", [Repair.encodedHeader]),
            ("Subject \t: x\n y\n", "Subject: x\n y\n", [.fieldSyntax]),
            ("To : J\u{fc}rg <j@b>\n", "To: =?utf-8?q?J=C3=BCrg?= <j@b>\n", [.fieldSyntax, .encodedHeader]),
            ("Received-SPF: pass (\u{fc})\n", "Received-SPF: pass (=?utf-8?b?w7w=?=)\n", [.encodedHeader]),
            (
                "X: a \(String(repeating: "b", count: 996))\n", "X: a\n \(String(repeating: "b", count: 996))\n",
                [.foldedHeader]
            ),
            // Nothing may look like the empty line that ends the header section.
            ("X: a\n\(String(repeating: " ", count: 1000))\n b\n", "X: a\n b\n", [.foldedHeader]),
            ("X: a\n\(String(repeating: "\t", count: 1000))\n", "X: a\n", [.foldedHeader]),
            ("Bcc: \u{fc}\n", "", []), ("Bcc : x@y\n", "", []),
        ])
    func repairs(field: String, expected: String, repairs: [Repair]) throws {
        for header in [
            field + HeaderRepairTests.from + HeaderRepairTests.rest,
            HeaderRepairTests.from + HeaderRepairTests.rest + field,
        ] {
            let admitted = try admit(header)
            #expect(fields(admitted) == header.replacing(field, with: expected))
            #expect(admitted.repairs == repairs)
            #expect(admitted.bytes.allSatisfy { $0 < 128 })
        }
    }

    @Test("a field of a resending is repaired in its place")
    func resent() throws {
        let header = "Resent-From : J\u{fc}rg <j@b.example>\n" + HeaderRepairTests.from + HeaderRepairTests.rest
        let text = fields(try admit(header))
        #expect(text.hasPrefix("Resent-Date: "))
        #expect(text.contains(">\nResent-From: =?utf-8?q?J=C3=BCrg?= <j@b.example>\nFrom: "))
    }

    @Test(
        "of the author the address is written plainly, and nothing else changes",
        arguments: [
            (
                "J\u{fc}rg <a@EXAMPLE.com>", "=?utf-8?q?J=C3=BCrg?= <a@EXAMPLE.com>", "example.com",
                [Repair.encodedHeader]
            ),
            (
                "\"x\" <a@B\u{fc}cher.example>", "\"x\" <a@xn--bcher-kva.example>", "xn--bcher-kva.example",
                [.encodedHeader]
            ),
            ("A (c) <a@machine(c). example> (d)", "A (c) <a@machine.example> (d)", "machine.example", [.fieldSyntax]),
            ("a (b) @ (c) example.com (d)", "a@example.com (d)", "example.com", [.fieldSyntax]),
            (
                "(\u{fc}) a . b@example.com", "(=?utf-8?b?w7w=?=) a.b@example.com", "example.com",
                [.fieldSyntax, .encodedHeader]
            ),
            // A reader that knows no routes takes the first domain.
            ("<@route.example:a@example.com>", "<a@example.com>", "example.com", [.fieldSyntax]),
            (
                "\u{fc} <,@b\u{fc}.example:a@example.com> ", "=?utf-8?b?w7w=?= <a@example.com>", "example.com",
                [.encodedHeader]
            ),
            ("Team: A <a@Example.COM>;", "Team: A <a@Example.COM>;", "example.com", []),
            (
                "=?utf-8?q?x_y.z?= <a@example.com>", "=?utf-8?q?x_y.z?= <a@example.com>", "example.com", []
            ),
            // A reader that knows no encoded words takes what is in it for an address, or for a comment.
            (
                "=?utf-8?q?<x@evil.example>?= <a@example.com>",
                "=?utf-8?q?=3Cx=40evil.example=3E?= <a@example.com>", "example.com", [.fieldSyntax]
            ),
            (
                "=?utf-8?Q?(=41?= \u{fc} <a@example.com>", "=?utf-8?Q?=28=41?= =?utf-8?b?IMO8?= <a@example.com>",
                "example.com", [.fieldSyntax, .encodedHeader]
            ),
            ("\"two words\"@example.com", "\"two words\"@example.com", "example.com", []),
        ])
    func author(value: String, expected: String, domain: String, repairs: [Repair]) throws {
        let admitted = try admit("From: \(value)\n\(HeaderRepairTests.rest)")
        #expect(fields(admitted) == "From: \(expected)\n\(HeaderRepairTests.rest)")
        #expect(admitted.authorDomain.name == domain)
        #expect(admitted.repairs == repairs)
    }

    @Test(
        "what can't be repaired is refused, and the field is named",
        arguments: [
            ("X-Token: \(String(repeating: "t", count: 1200))\n", "the X-Token field has a line of more than 998"),
            ("To: j\u{fc}rg@example.com\n", "the To field has octets above 127 and a local-part outside ASCII"),
            ("DKIM-Signature: v=1; n=\u{fc}\n", "the DKIM-Signature field has octets above 127 where no encoded word"),
            ("S\u{fc}bject: x\n", "line 4 of the header section is malformed: not a header field"),
            ("Hello there\n", "line 4 of the header section is malformed: white space in a field name"),
            (": x\n", "line 4 of the header section is malformed: no field name"),
            ("X: a\u{0}b\n", "line 4 of the header section is malformed: a NUL"),
            ("X: a\rb\n", "line 4 of the header section is malformed: a CR without LF"),
            ("\(String(repeating: "N", count: 900)): \u{fc}@\n To: \u{fc} =?x?q?\u{fc}?=\n", "the NNN"),
        ])
    func refuses(field: String, problem: String) throws {
        let reason = try #require(whyRefused(HeaderRepairTests.from + HeaderRepairTests.rest + field))
        #expect(reason.contains(problem), "\(reason)")
    }

    @Test(
        "the author's own oddities are refused",
        arguments: [
            "j\u{fc}rg@example.com", "\u{fc}", "a@\u{2665}.example", "=?utf-8?b?<x@evil.example>?= <a@example.com>",
            "=?<x@evil.example>?q?a?= <a@example.com>", "x=?utf-8?q?evil=40bank.example?=@example.com",
            "\"=?utf-8?q?evil=40bank.example?=\"@example.com",
        ])
    func refusesAuthor(value: String) throws {
        #expect(whyRefused("From: \(value)\n\(HeaderRepairTests.rest)")?.contains("From field has") == true)
    }

    @Test(
        "a field that may stand once is refused when it stands twice, whatever its case and place",
        arguments: [
            "Date", "Sender", "Reply-To", "To", "Cc", "Message-ID", "In-Reply-To", "References", "Subject",
            "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
        ])
    func unique(name: String) throws {
        let one = "\(name): x\n"
        let header = HeaderRepairTests.from + one + "X: y\n" + "\(name.uppercased()) : x\n"
        #expect(whyRefused(HeaderRepairTests.from + one) == nil)
        let reason = try #require(whyRefused(header))
        #expect(reason.contains("the message has 2 \(name) fields, where at most one may stand"), "\(reason)")
        #expect(whyRefused(header + one)?.contains("has 3 \(name) fields") == true)
    }

    @Test(
        "other fields may stand as often as they like",
        arguments: ["Received", "Comments", "Keywords", "X-A", "List-ID"])
    func repeatable(name: String) {
        #expect(whyRefused(HeaderRepairTests.from + "\(name): x\n\(name): x\n") == nil)
    }

    @Test(
        "within one resending no name stands twice",
        arguments: [
            ("Resent-From: a@b\nResent-To: c@d\nResent-To: e@f\n", "Resent-To"),
            ("Resent-To: c@d\nresent-to: e@f\nResent-From: a@b\n", "resent-to"),
            ("Resent-From: a@b\nResent-Date: x\nResent-Date: y\nX: z\nResent-From: a@b\n", "Resent-Date"),
            ("Resent-From: a@b\nResent-From: c@d\nResent-To: x@y\nResent-To: z@y\n", "Resent-To"),
            ("Resent-From: a@b\nResent-To: c@d\nX: y\nResent-From: a@b\nResent-To: c@d\n", nil),
            ("Resent-From: a@b\nResent-To: c@d\nResent-From: a@b\nResent-To: c@d\n", nil),
            ("Resent-To: c@d\nX: y\nResent-To: c@d\n", nil),
            ("Resent-Bcc: c@d\nResent-Bcc: c@d\nResent-From: a@b\n", nil),
        ] as [(String, String?)])
    func resentBlocks(block: String, name: String?) {
        let reason = whyRefused(block + HeaderRepairTests.from + HeaderRepairTests.rest)
        #expect((reason == nil) == (name == nil))
        if let name { #expect(reason?.contains("\(name) stands twice") == true) }
    }

    @Test("random faulty header sections end as a refusal or in normal form, and admitting again changes nothing")
    func random() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let names = ["Subject", "To ", "X", "X-Long", "Cc", "Comments", "Content-Type", "Date", "Resent-From", "Bcc"]
        let pieces = [
            "a@b.example", "J\u{fc}rg", "<c@d.example>", ",", " ", "\n ", "(\u{fc} x)", "\"\u{e9}\"",
            "=?utf-8?q?=C3=BC?=",
            String(repeating: "w", count: 300), " ", "\t", ";", "name=\u{fc}", "=?", "\u{1F600}", ":",
        ]
        var admittedCount = 0
        for _ in 0..<3000 {
            var header = ""
            for _ in 0..<Int.random(in: 0...4, using: &generator) {
                let value = (0..<Int.random(in: 0...9, using: &generator)).map { _ in
                    pieces.randomElement(using: &generator) ?? ""
                }
                header += "\(names.randomElement(using: &generator) ?? ""): \(value.joined())x\n"
            }
            header += HeaderRepairTests.from + HeaderRepairTests.rest
            guard let admitted = try? admit(header) else { continue }
            admittedCount += 1
            let lines = admitted.bytes.split(separator: UInt8(ascii: "\n")).map { $0.dropLast() }
            #expect(admitted.bytes.allSatisfy { $0 < 128 }, "seed \(seed): \(header)")
            #expect(lines.allSatisfy { $0.count <= 998 }, "seed \(seed): \(header)")
            let again = try admit(fields(admitted))
            #expect(again.repairs.isEmpty && fields(again) == fields(admitted), "seed \(seed): \(header)")
        }
        #expect(admittedCount > 300, "seed \(seed)")
    }
}
