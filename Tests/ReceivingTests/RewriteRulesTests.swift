// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Receiving
import Testing

@Suite("Rewrite rules")
struct RewriteRulesTests {
    private static let rest = "Date: Mon, 23 Nov 2026 09:00:00 +0000\nMessage-ID: <1@example.com>\n"

    private func admit(_ from: String, _ rules: [RewriteRule], isOwn: Bool = false) throws -> (String, AdmittedHeader) {
        let intake = HeaderIntake(
            hostname: "relay.example.com", hidesClientAddress: false, rewriteRules: RewriteRules(rules))
        let admitted = try intake.admit(
            Array("From: \(from)\n\(RewriteRulesTests.rest)".replacing("\n", with: "\r\n").utf8),
            envelope: HeaderIntakeTests.envelope, client: isOwn ? nil : HeaderIntakeTests.client,
            queueID: HeaderIntakeTests.queueID, arrival: HeaderIntakeTests.arrival, random: 7)
        let text = String(decoding: admitted.bytes, as: UTF8.self).replacing("\r\n", with: "\n")
        let start = try #require(text.firstRange(of: "From: ")?.upperBound)
        return (String(text[start...].prefix { $0 != "\n" }), admitted)
    }

    @Test(
        "a pattern covers another where it matches all that the other matches",
        arguments: [
            ("*", "*", true), ("*", "root@localhost", true), ("*", "@*.internal", true), ("*", "root@*", true),
            ("*", "@example.com", false), ("*", "@*.example.com", false), ("*", "@*.com", false),
            ("root@*", "*", false), ("@localhost", "root@localhost", true), ("root@localhost", "@localhost", false),
            ("@*.internal", "@internal", false), ("@*.internal", "a@db.internal", true),
            ("@*.internal", "@*.db.internal", true), ("@*.db.internal", "@*.internal", false),
            ("@db.internal", "@*.db.internal", false), ("@localhost", "*", false), ("@*.internal", "*", false),
        ])
    func covers(wide: String, narrow: String, expected: Bool) throws {
        #expect(try MailboxPattern(wide).covers(try MailboxPattern(narrow)) == expected)
    }

    @Test(
        "patterns match what they say",
        arguments: [
            ("root@localhost", "root@localhost", true), ("root@localhost", "root@LOCALHOST", true),
            ("root@localhost", "Root@localhost", false), ("root@localhost", "cron@localhost", false),
            ("root@localhost", "root@a.localhost", false), ("root@localhost", "root", false),
            ("*@localhost", "cron@localhost", true), ("@localhost", "cron@localhost", true),
            ("*@localhost", "cron@localhost.example", false),
            ("@*.internal", "a@db.internal", true), ("@*.internal", "a@x.db.internal", true),
            ("@*.internal", "a@internal", false), ("@*.internal", "a@notinternal", false),
            ("root@*.internal", "root@db.internal", true), ("root@*.internal", "a@db.internal", false),
            ("*", "root", true), ("*", "root@host", true), ("*", "root@localhost", true),
            ("*", "root@db.internal", true), ("*", "root@nas.local", true), ("*", "root@[192.0.2.1]", true),
            ("*", "root@localhost.localdomain", true), ("*", "root@router.home.arpa", true),
            ("*", "root@example.com", false), ("*", "root@home.example", false), ("*", "root@arpa.example", false),
            ("root@*", "root@host", true), ("root@*", "root", true), ("root@*", "cron", false),
            ("root@*", "root@example.com", false),
            ("@b\u{fc}cher.example", "a@xn--bcher-kva.example", true),
        ])
    func patterns(pattern: String, address: String, matches: Bool) throws {
        let rules = RewriteRules([try RewriteRule(from: pattern, to: "alerts@example.org")])
        let list = try AddressParser.list(in: Array(address.utf8)[...])
        let parsed = try #require(list.addresses.first)
        let result = rules.rewrite(localPart: parsed.localPart, host: parsed.host)
        #expect(result?.description == (matches ? "alerts@example.org" : nil))
        if let mailbox = parsed.mailbox { #expect(rules.rewrite(mailbox) == result) }
    }

    @Test("the first rule that matches counts, and one that changes nothing does not")
    func order() throws {
        let rules = RewriteRules([
            try RewriteRule(from: "alerts@localhost", to: "alerts@localhost"),
            try RewriteRule(from: "root@localhost", to: "root@example.com"),
            try RewriteRule(from: "*@localhost", to: "*@example.net"),
            try RewriteRule(from: "*", to: "@example.org"),
        ])
        #expect(!rules.isEmpty)
        let results = ["root", "cron", "alerts"].map {
            rules.rewrite(localPart: $0, host: Domain("localhost").map { .domain($0) })
        }
        #expect(results.map { $0?.description } == ["root@example.com", "cron@example.net", "alerts@example.net"])
        #expect(rules.rewrite(localPart: "\"a b\"", host: nil)?.description == "\"a b\"@example.org")
        #expect(RewriteRules().rewrite(localPart: "a", host: nil) == nil)
    }

    @Test(
        "rules that make no sense are refused with what to write",
        arguments: [
            ("root", "a@example.com", "has no @"), ("localhost", "a@example.com", "write \"@localhost\""),
            ("", "a@example.com", "has no @"), ("a@", "a@example.com", "where a domain"),
            ("a@b c", "a@example.com", "where a domain"), ("a@*.", "a@example.com", "where a domain"),
            ("a b@localhost", "a@example.com", "local-part"), ("*", "alerts", "is not a mailbox"),
            ("*", "alerts@", "is not a mailbox"), ("*", "a b@example.com", "malformed local-part"),
            ("*", "a..b@example.com", "malformed local-part"), ("*", "a@b@example.com", "malformed local-part"),
            ("*", "j\u{fc}rg@example.com", "malformed local-part"), ("*", "a<b@example.com", "malformed local-part"),
            ("*", String(repeating: "a", count: 65) + "@example.com", "malformed local-part"),
        ])
    func refuses(from: String, to: String, problem: String) {
        #expect {
            try RewriteRule(from: from, to: to)
        } throws: {
            ($0 as? PatternError)?.text.contains(problem) == true
        }
    }

    @Test(
        "only the address changes in From",
        arguments: [
            ("root@localhost", "alerts@example.com", "root@localhost"),
            ("root", "alerts@example.com", "root"),
            ("root (Cron Daemon)", "alerts@example.com (Cron Daemon)", "root"),
            ("\"Cron Daemon\" <root@localhost>", "\"Cron Daemon\" <alerts@example.com>", "root@localhost"),
            ("Cron Daemon <root>", "Cron Daemon <alerts@example.com>", "root"),
            ("\u{dc}ber <root@[192.0.2.1]> (x)", "=?utf-8?q?=C3=9Cber?= <alerts@example.com> (x)", "root@[192.0.2.1]"),
            ("Team: root @ (x) host;", "Team: alerts@example.com;", "root@host"),
        ])
    func author(value: String, expected: String, from: String) throws {
        let (written, admitted) = try admit(value, [try RewriteRule(from: "*", to: "alerts@example.com")])
        #expect(written == expected)
        #expect(admitted.authorDomain.name == "example.com")
        #expect(admitted.rewrittenAuthor?.from == from)
        #expect(admitted.rewrittenAuthor?.to.description == "alerts@example.com")
        #expect(admitted.repairs.contains(.rewrittenMailbox) && !admitted.repairs.contains(.fieldSyntax))
    }

    @Test("an author with a usable domain stays, and so does one of Waxwing's own messages")
    func stays() throws {
        let rules = [try RewriteRule(from: "*", to: "alerts@example.com")]
        let (written, admitted) = try admit("a@example.net", rules)
        #expect(written == "a@example.net" && admitted.repairs.isEmpty && admitted.rewrittenAuthor == nil)
        let own = try admit("MAILER-DAEMON@localhost", rules, isOwn: true)
        #expect(own.0 == "MAILER-DAEMON@localhost" && own.1.repairs.isEmpty)
    }

    @Test("without a rule the refusal says what would help")
    func remedy() {
        for value in ["root", "root@[192.0.2.1]"] {
            #expect {
                try admit(value, [])
            } throws: {
                ($0 as? IntakeRefusal)?.lines.first?.contains("[[rewrite]]") == true
            }
        }
    }
}
