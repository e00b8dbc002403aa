// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import TestSupport
import Testing

@Suite("Address parser")
struct AddressParserTests {
    private func mailboxes(_ value: String) throws -> [String] {
        try AddressParser.mailboxes(in: Array(value.utf8)[...]).map(\.description)
    }

    @Test(
        "the mailboxes of a From value",
        arguments: [
            (" a@example.com", ["a@example.com"]),
            ("Ann <a@example.com>", ["a@example.com"]),
            ("<a@EXAMPLE.com>", ["a@example.com"]),
            ("\"a@b\" <x@c.example>", ["x@c.example"]),
            ("\"a@b.example, c@d.example\" <x@c.example>", ["x@c.example"]),
            ("\"quote \\\" <no@where.example>\" <x@c.example>", ["x@c.example"]),
            ("John Q. Public <j@example.com>", ["j@example.com"]),
            ("a@example.com (Ann <b@example.org>)", ["a@example.com"]),
            ("(one (two) \\) three) a (b) @ (c) example.com (d)", ["a@example.com"]),
            ("Ann\r\n <a@example.com>", ["a@example.com"]),
            ("Ann <\r\n\ta@example.com\r\n >", ["a@example.com"]),
            ("\"two words\"@example.com", ["\"two words\"@example.com"]),
            ("\"folded\r\n word\"@example.com", ["\"folded word\"@example.com"]),
            ("=?utf-8?Q?J=C3=BCrg?= <j@example.com>", ["j@example.com"]),
            ("=?utf-8?Q?a@evil.example?= <j@example.com>", ["j@example.com"]),
            ("=?utf-8?Q?a?= =?utf-8?B?YQ==?= <j@example.com>", ["j@example.com"]),
            ("J\u{fc}rg <j@example.com>", ["j@example.com"]),
            ("a@example.com, b@example.org", ["a@example.com", "b@example.org"]),
            (", a@example.com,, b@example.org,", ["a@example.com", "b@example.org"]),
            ("Team: a@example.com, Bob <b@example.org>;", ["a@example.com", "b@example.org"]),
            ("Team:a@example.com;, c@example.net", ["a@example.com", "c@example.net"]),
            ("undisclosed-recipients:;", []),
            ("Nobody: (nobody at all) ;", []),
            ("<@hop.example,@hop2.example:a@example.com>", ["a@example.com"]),
            ("<,@hop.example,,@hop2.example:a@example.com>", ["a@example.com"]),
            ("a@[192.0.2.1]", ["a@[192.0.2.1]"]),
            ("a+b=c!d@xn--bcher-kva.example", ["a+b=c!d@xn--bcher-kva.example"]),
            ("a@b\u{fc}cher.example", ["a@xn--bcher-kva.example"]),
            ("a@(c) B\u{fc}cher . example", ["a@xn--bcher-kva.example"]),
            ("a@example .com", ["a@example.com"]),
            ("John Doe <jdoe@machine(comment).  example>", ["jdoe@machine.example"]),
            ("a . b@example.com", ["a.b@example.com"]),
            ("a.\"b c\".\r\n \"d\\\"\"@example.com", ["\"a.b c.d\\\"\"@example.com"]),
            ("Q. a@example.com", ["Q.a@example.com"]),
            ("", []),
            ("(only a comment)", []),
        ])
    func reads(value: String, expected: [String]) throws {
        #expect(try mailboxes(value) == expected)
    }

    @Test(
        "what is not an address list is refused with a reason",
        arguments: [
            ("root", "an address without a domain"),
            ("Ann <root>", "an address without a domain"),
            ("Ann <>", "no address between the angle brackets"),
            ("a@example.com <b@example.org>", "more than an address between its commas"),
            ("Ann a@example.com", "an @ outside quotes or angle brackets"),
            ("<a@example.com> Ann", "more than an address between its commas"),
            ("<a@example.com> <b@example.com>", "more than an address between its commas"),
            ("<a@example.com", "more than an address between the angle brackets"),
            ("a@", "an address without a domain"),
            ("@example.com", "an address that starts with a character that must be quoted"),
            ("a@example.com.", "a domain that is not a domain name"),
            ("a@exa mple.com", "more than an address between its commas"),
            ("a@example..com", "a domain that is not a domain name"),
            ("a@b\u{ff41}.example", "a domain that is not a domain name"),
            ("a@example.com .", "a domain that is not a domain name"),
            ("a@example. .com", "a domain that is not a domain name"),
            ("\"a\"b@example.com", "an @ outside quotes or angle brackets"),
            ("\"a\"..b@example.com", "a misplaced dot in a local-part"),
            ("Q. Public a@example.com", "an @ outside quotes or angle brackets"),
            ("a..b@example.com", "a misplaced dot in a local-part"),
            (".a@example.com", "a misplaced dot in a local-part"),
            ("a.@example.com", "a misplaced dot in a local-part"),
            ("\"Ann <a@example.com>", "a quoted string that does not end"),
            ("(Ann a@example.com", "a comment that does not end"),
            ("a@[192.0.2.1", "an address literal that does not end"),
            ("Ann) <a@example.com>", "a character that must be quoted"),
            ("Team: a@example.com", "a group without its semicolon"),
            ("Team: Inner: a@example.com;;", "a group within a group"),
            ("a@example.com; b@example.com", "more than an address between its commas"),
            ("=?utf-8?Q?a@evil.example?=", "an address without a domain"),
            ("=?utf-8?Q?a?=@example.com", "an encoded word for a local-part"),
            ("a@=?utf-8?Q?example.com?=", "an address without a domain"),
            ("a@\"example.com\"", "an address without a domain"),
            ("<@hop.example a@example.com>", "a malformed route"),
            ("a\u{0}@example.com", "a character that must be quoted"),
            ("\"a\u{1}\" <a@example.com>", "a control character"),
            ("a\\@b@example.com", "a character that must be quoted"),
        ])
    func refuses(value: String, reason: String) {
        #expect(throws: AddressError(reason: reason)) { try mailboxes(value) }
    }

    @Test("an address may lack its domain, and everything's place is known")
    func list() throws {
        let value = Array(" \"B. C\" J\u{fc}rg =?utf-8?q?x?= <root(a)> (b (c)), r@[1]".utf8)
        let list = try AddressParser.list(in: value[...])
        #expect(list.addresses.map(\.description) == ["root", "r@[1]"])
        #expect(list.addresses.map { String(decoding: value[$0.octets], as: UTF8.self) } == ["root", "r@[1]"])
        #expect(list.addresses.map { $0.mailbox == nil } == [true, false])
        let texts = list.phrases.map { String(decoding: value[$0.octets], as: UTF8.self) }
        #expect(texts == ["\"B. C\"", "J\u{fc}rg", "=?utf-8?q?x?=", "(a)", "(b (c))"])
        #expect(list.phrases.map(\.kind) == [.quotedString, .atom, .encodedWord, .comment, .comment])
    }

    @Test(
        "what readers may read differently is known",
        arguments: [
            ("a@Example.COM", true), ("=?utf-8?q?a=40b?= (<x@y>) <a@b\u{fc}.example>", true),
            ("\"<x@y>\" <\"a b\"@b>, root", true), ("<@r:a@b>", false), ("a . b@c", false), ("a@b (x) .c", false),
            ("=?utf-8?q?a@b?= <c@d>", false), ("=?utf-8?b?(?= <c@d>", false), ("c@d, x=?a?q?b?=@c", false),
        ])
    func unmistakable(value: String, expected: Bool) throws {
        let value = Array(value.utf8)
        #expect(try AddressParser.list(in: value[...]).isUnmistakable(in: value[...]) == expected)
    }

    @Test("phrases stand between commas")
    func phrases() throws {
        let value = Array("one two, \"three\",, four (five)".utf8)
        let words = try AddressParser.phrases(in: value[...]).phrases
        #expect(
            words.map { String(decoding: value[$0.octets], as: UTF8.self) }
                == ["one", "two", "\"three\"", "four", "(five)"])
        #expect(throws: AddressError(reason: "a character that must be quoted")) {
            try AddressParser.phrases(in: Array("one <two>".utf8)[...])
        }
    }

    @Test("deep nesting is only a matter of length")
    func nesting() throws {
        let value = String(repeating: "(", count: 100_000) + String(repeating: ")", count: 100_000) + "a@example.com"
        #expect(try mailboxes(value) == ["a@example.com"])
    }

    @Test("a mailbox that is written out and decorated at random reads back")
    func roundTrip() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let locals = ["a", "a.b", "\"a b\"", "\"@\"", "\"\\\"\"", "x+y", "o'brien"]
        let names = ["", "Ann ", "\"b@c\" ", "(x@y) ", "A. B ", "=?a?q?b@c?= ", "\"\\\\\" ", "\r\n "]
        let comments = ["", " ", "(c)", "\r\n\t", " (a (b) \\( <x@y>) "]
        for _ in 0..<5000 {
            func pick(_ values: [String]) -> String { values.randomElement(using: &generator) ?? "" }
            let expected = (0..<Int.random(in: 1...4, using: &generator)).map { _ in "\(pick(locals))@example.com" }
            let value = expected.map { mailbox in
                "\(pick(comments))\(pick(names))<\(pick(comments))\(mailbox)\(pick(comments))>\(pick(comments))"
            }.joined(separator: ",")
            #expect(try mailboxes(value) == expected, "seed \(seed): \(value)")
        }
    }

    @Test("random octets end in mailboxes or an error, and domains are domain names")
    func noise() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("ab.@<>,:;()\"\\[]=? \t\r\n\u{0}\u{fc}".utf8)
        var read = 0
        for _ in 0..<50000 {
            let value = (0..<Int.random(in: 0..<16, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            guard let mailboxes = try? AddressParser.mailboxes(in: value[...]) else { continue }
            read += mailboxes.count
            for mailbox in mailboxes where mailbox.domain == nil {
                #expect(mailbox.description.hasSuffix("]"), "seed \(seed): \(value)")
            }
        }
        #expect(read > 0, "seed \(seed)")
    }
}
