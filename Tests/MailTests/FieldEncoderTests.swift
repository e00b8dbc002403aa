// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import TestSupport
import Testing

@Suite("Field encoder")
struct FieldEncoderTests {
    private func encode(_ field: String) throws -> String {
        let encoded = try FieldEncoder.encode(Array((field.replacing("\n", with: "\r\n") + "\r\n").utf8))
        let text = String(decoding: encoded, as: UTF8.self)
        #expect(text.hasSuffix("\r\n"))
        return String(text.replacing("\r\n", with: "\n").dropLast())
    }

    @Test(
        "text becomes encoded words where it must, and stays where it can",
        arguments: [
            ("Subject: Gr\u{fc}n", "Subject: =?utf-8?q?Gr=C3=BCn?="),
            ("Subject:Gr\u{fc}n", "Subject: =?utf-8?q?Gr=C3=BCn?="),
            ("Subject: one gr\u{fc}n two", "Subject: one =?utf-8?q?gr=C3=BCn?= two"),
            ("Subject: Gr\u{fc}n  und\tBl\u{e4}u", "Subject: =?utf-8?q?Gr=C3=BCn?=  und\t=?utf-8?q?Bl=C3=A4u?="),
            ("Subject: Gr\u{fc}n  Bl\u{e4}u", "Subject: =?utf-8?q?Gr=C3=BCn__Bl=C3=A4u?="),
            ("Subject: Gr\u{fc}n\n\tBl\u{e4}u", "Subject: =?utf-8?q?Gr=C3=BCn=09Bl=C3=A4u?="),
            ("Subject: \u{65e5}\u{672c}\u{8a9e}", "Subject: =?utf-8?b?5pel5pys6Kqe?="),
            ("Subject: abcdefg\u{20ac}_=?!", "Subject: =?utf-8?q?abcdefg=E2=82=AC=5F=3D=3F!?="),
            ("Subject: =?utf-8?q?a?= \u{20ac}b", "Subject: =?utf-8?q?a?= =?utf-8?b?IOKCrGI=?="),
            ("Subject: b\u{fc}b =?utf-8?q?a?=", "Subject: =?utf-8?q?b=C3=BCb_?= =?utf-8?q?a?="),
            ("X-Anything: b\u{fc}b (c)", "X-Anything: =?utf-8?q?b=C3=BCb?= (c)"),
            ("Subject: b\u{fc}b \t", "Subject: =?utf-8?q?b=C3=BCb?="),
        ])
    func text(field: String, expected: String) throws {
        #expect(try encode(field) == expected)
    }

    @Test(
        "of address fields the names, the comments and the domains change",
        arguments: [
            ("To: J\u{fc}rg <j@example.com>", "To: =?utf-8?q?J=C3=BCrg?= <j@example.com>"),
            ("To: J\u{fc}rg<j@example.com>", "To: =?utf-8?q?J=C3=BCrg?= <j@example.com>"),
            ("To: \"J\u{fc}rg \\\"M\\\", X\"<j@example.com>", "To: =?utf-8?q?J=C3=BCrg_=22M=22=2C_X?= <j@example.com>"),
            (
                "To: J\u{fc}rg van \"M\u{fc}ll\" <j@example.com>",
                "To: =?utf-8?q?J=C3=BCrg?= van =?utf-8?q?M=C3=BCll?= <j@example.com>"
            ),
            ("To: J\u{fc}rg \"Sch\u{f6}n\" <j@e.com>", "To: =?utf-8?q?J=C3=BCrg_Sch=C3=B6n?= <j@e.com>"),
            ("Cc: j@example.com (J\u{fc}rg)", "Cc: j@example.com (=?utf-8?q?J=C3=BCrg?=)"),
            (
                "Cc: j@example.com(a (J\u{fc}rg)b), k@example.com",
                "Cc: j@example.com(a (=?utf-8?q?J=C3=BCrg?=) b), k@example.com"
            ),
            (
                "Cc: j@example.com(J\u{fc}rg),k@example.com",
                "Cc: j@example.com (=?utf-8?q?J=C3=BCrg?=), k@example.com"
            ),
            ("Cc: j@example.com (J\\\u{fc}rg \\))", "Cc: j@example.com (=?utf-8?q?J=C3=BCrg?= \\))"),
            ("To: Gr\u{fc}ppe: a@b.com, c@d.com;", "To: =?utf-8?q?Gr=C3=BCppe?= : a@b.com, c@d.com;"),
            ("To: a@b\u{fc}cher.example", "To: a@xn--bcher-kva.example"),
            ("To: <a(\u{fc})@b\u{fc}cher.example>, x@y", "To: <a@xn--bcher-kva.example>, x@y"),
            ("To: =?utf-8?q?a?= b\u{fc}b <a@b>", "To: =?utf-8?q?a?= =?utf-8?q?_b=C3=BCb?= <a@b>"),
            ("To: b\u{fc}b <root>, \"a  b\" <c@d>", "To: =?utf-8?q?b=C3=BCb?= <root>, \"a  b\" <c@d>"),
            ("List-Id: L\u{fc}b <x.example.com>", "List-Id: =?utf-8?q?L=C3=BCb?= <x.example.com>"),
            ("Keywords: a b, gr\u{fc}n ,c", "Keywords: a b, =?utf-8?q?gr=C3=BCn?= ,c"),
            (
                "Date: Mon, 23 Nov 2026 09:00:00 +0100 (Mitteleurop\u{e4}ische Zeit)",
                "Date: Mon, 23 Nov 2026 09:00:00 +0100 (=?utf-8?q?Mitteleurop=C3=A4ische?=\n Zeit)"
            ),
        ])
    func addresses(field: String, expected: String) throws {
        #expect(try encode(field) == expected)
    }

    @Test(
        "parameters become those of RFC 2231",
        arguments: [
            (
                "Content-Type: text/plain; charset=utf-8; name=\"\u{dc}ber \\\"1\\\".txt\"",
                "Content-Type: text/plain; charset=utf-8;\n name*=utf-8''%C3%9Cber%20%221%22.txt"
            ),
            (
                "Content-Disposition: attachment; filename=\u{dc}ber.txt; size=3",
                "Content-Disposition: attachment; filename*=utf-8''%C3%9Cber.txt; size=3"
            ),
        ])
    func parameters(field: String, expected: String) throws {
        #expect(try encode(field) == expected)
    }

    @Test(
        "what has more than one meaning is refused",
        arguments: [
            ("To: \u{fc}@example.com", "local-part"),
            ("To: J\u{fc}rg, a@example.com", "local-part"),
            ("To: J\u{fc}rg <a@example.com", "angle brackets"),
            ("To: a@\u{2665}.example", "not a domain name"),
            ("To: \"\u{fc}\"@example.com", "local-part"),
            ("Subject: =?utf-8?Q?\u{fc}?=", "broken encoded word"),
            ("To: =?utf-8?Q?\u{fc}?= <a@b>", "broken encoded word"),
            ("Message-ID: <\u{fc}@example.com>", "no encoded word may stand"),
            ("DKIM-Signature: v=1; d=b\u{fc}cher.example", "no encoded word may stand"),
            ("X-SMTPAPI: {\"a\": \"\u{fc}\"}", "no encoded word may stand"),
            ("Content-Type: text/plain; name=\u{dc}ber sicht", "must be quoted"),
            ("Content-Type: text/plain; name=\"\u{fc}\"; NAME*=utf-8''x", "twice"),
            ("Content-Type: \u{fc}/plain", "not a parameter"),
        ])
    func refuses(field: String, reason: String) {
        #expect {
            try encode(field)
        } throws: {
            ($0 as? FieldEncodingError)?.reason.contains(reason) == true
        }
    }

    @Test("other charsets than UTF-8 are refused")
    func charset() {
        #expect {
            try FieldEncoder.encode(Array("Subject: gr".utf8) + [0xFC, 13, 10])
        } throws: {
            ($0 as? FieldEncodingError)?.reason.contains("not UTF-8") == true
        }
    }

    @Test("hostile texts end soon and within the limits")
    func hostile() throws {
        let texts = [
            String(repeating: "\u{1F600}", count: 20_000), String(repeating: "=a", count: 50_000) + "\u{fc}",
            String(repeating: "\u{fc} ", count: 30_000), String(repeating: "\u{fc} x ", count: 20_000),
        ]
        for text in texts {
            let encoded = try encode("Subject: \(text)")
            #expect(encoded.split(separator: "\n").allSatisfy { $0.utf8.count <= 76 })
        }
        #expect(throws: FieldEncodingError.self) {
            try encode("X: " + String(repeating: "=?", count: 50_000) + "\u{fc}")
        }
        let parentheses = String(repeating: "(", count: 200)
        let deep = "To: a@b \(parentheses)\u{fc}\(parentheses.replacing("(", with: ")"))"
        #expect(try encode(deep).split(separator: "\n").allSatisfy { $0.utf8.count <= 998 })
        let name = String(repeating: "N", count: 300)
        #expect(try encode("\(name): \u{fc}").split(separator: "\n").count == 2)
    }

    @Test(
        "the cost of a field grows with its length, not with the square of it",
        arguments: [
            ("Content-Type: a/b", "; x%=\u{fc}"), ("To: a@b", ", a@\u{fc}.example"), ("Subject: ", "aaaaaaaaaa\u{fc}"),
        ])
    func cost(start: String, piece: String) throws {
        func time(_ count: Int) -> Duration {
            var text = start
            for number in 0..<count { text += piece.replacing("%", with: "\(number)") }
            let field = Array("\(text)\r\n".utf8)
            return ContinuousClock().measure { _ = try? FieldEncoder.encode(field) }
        }
        let short = min(time(500), time(500), time(500))
        // Sixteen times as much costs sixteen times as long, or 256 times.
        #expect(min(time(8000), time(8000)) < short * 64)
    }

    @Test(
        "a line never ends between a backslash and the white space that it quotes",
        arguments: [
            ("(%\\ b) <c@d.example>", true), ("(%\\\tb) <c@d.example>", true), ("\"%\\ b\" <c@d.example>", true),
            ("(%\\\\ b) <c@d.example>", false),
        ])
    func quotedWhiteSpace(_ pattern: String, isKept: Bool) throws {
        for count in 1...120 {
            // The pair stands at each place of a line.
            let value = pattern.replacing("%", with: String(repeating: "a", count: count))
            let encoded = try encode("From: J\u{fc} \(value)")
            #expect(!isKept || !encoded.contains("\\\n"), "\(count) octets before it")
            let header = try HeaderSection(Array((encoded.replacing("\n", with: "\r\n") + "\r\n").utf8))
            let field = try #require(header.fields.first)
            let mailboxes = try AddressParser.mailboxes(in: header.bytes[field.value])
            #expect(mailboxes.map(\.description) == ["c@d.example"], "\(count) octets before it")
        }
        let long = String(repeating: "a ", count: 480) + pattern.replacing("%", with: String(repeating: "a", count: 20))
        let folded = try #require(FieldEncoder.fold(Array("From: x \(long)\r\n".utf8)[...]))
        #expect(!isKept || !String(decoding: folded, as: UTF8.self).contains("\\\r\n"))
    }

    @Test("folding cuts lines at white space only, and only lines that are too long")
    func folding() throws {
        func fold(_ field: String) -> String? {
            FieldEncoder.fold(Array(field.replacing("\n", with: "\r\n").utf8)[...])
                .map { String(decoding: $0, as: UTF8.self).replacing("\r\n", with: "\n") }
        }
        let id = "<" + String(repeating: "i", count: 40) + "@example.com>"
        let references = "References: " + Array(repeating: id, count: 30).joined(separator: " ") + "\n"
        let folded = try #require(fold(references))
        #expect(folded.replacing("\n", with: "") + "\n" == references)
        #expect(folded.split(separator: "\n").allSatisfy { $0.utf8.count <= 76 })
        #expect(folded.hasPrefix("References: <"))
        let short = "X: " + String(repeating: "y", count: 200) + "\n\tz  z\n"
        #expect(fold(short) == short)
        #expect(fold(short + " " + references.dropFirst(12))?.hasPrefix(short + " <i") == true)

        let word = { (count: Int) in String(repeating: "w", count: count) }
        #expect(fold("X: \(word(995))\n") == "X: \(word(995))\n")
        #expect(fold("X: \(word(996))\n") == "X:\n \(word(996))\n")
        #expect(fold("X: \(word(997))\n") == "X:\n \(word(997))\n")
        #expect(fold("X: \(word(998))\n") == nil)
        #expect(fold("X:\(word(997))\n") == nil)
        #expect(fold("X: a\n\t\(word(998))\n") == nil)
        #expect(fold("X: a\n\(String(repeating: " ", count: 999))\n") == "X: a\n")
        #expect(fold("X:\(String(repeating: " ", count: 999))\n") == "X:\n")
        #expect(fold("X: a \(word(997)) b\n") == "X: a\n \(word(997))\n b\n")
    }

    @Test("random texts decode to what they were, line by line within the limits")
    func randomText() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let words = [
            "a", "Re:", "caf\u{e9}", "\u{1F600}\u{1F600}", "=?utf-8?q?x=C3=BC?=", "=?utf-8?b?4oKs?=", "(x)", "\"q\"",
            "\u{65e5}\u{672c}\u{8a9e}\u{65e5}\u{672c}\u{8a9e}", String(repeating: "\u{fc}", count: 60),
            String(repeating: "l", count: 70), "_=", "?",
        ]
        let gaps = [" ", "  ", "\t", "\r\n ", " \r\n\t"]
        for _ in 0..<3000 {
            var value = ""
            for _ in 0..<Int.random(in: 1...12, using: &generator) {
                value += (gaps.randomElement(using: &generator) ?? "") + (words.randomElement(using: &generator) ?? "")
            }
            let name = String(repeating: "N", count: Int.random(in: 1...90, using: &generator))
            let field = Array("\(name):\(value)\r\n".utf8)
            let encoded = try FieldEncoder.encode(field)
            try check(encoded, seed: seed)
            let text = String(decoding: encoded.dropFirst(name.utf8.count + 1).dropLast(2), as: UTF8.self)
            #expect(HeaderText.decode(text) == HeaderText.decode(value), "seed \(seed): \(value)")
        }
    }

    @Test("random address lists keep their addresses and what people read")
    func randomAddresses() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        func pick(_ values: [String]) -> String { values.randomElement(using: &generator) ?? "" }
        let names = [
            "", "Ann", "J\u{fc}rg", "\"a, b\"", "\"\u{fc} \\\" @ x\"", "=?utf-8?q?=C3=BC?=", "Q.", "\u{1F600}",
        ]
        let gaps = [" ", "\t", "\r\n ", "  "]
        let comments = ["", "", "(c)", "(\u{fc} (x\u{e9}y) \\) z)", " (=?utf-8?q?a?= \u{fc})"]
        let addresses = ["a@b.example", "\"a b\"@c.example", "x@b\u{fc}cher.example", "root"]
        for _ in 0..<3000 {
            let elements = (0..<Int.random(in: 1...5, using: &generator)).map { _ in
                let words = (0..<Int.random(in: 0...4, using: &generator)).map { _ in pick(names) + pick(gaps) }
                return "\(pick(comments))\(words.joined())<\(pick(comments))\(pick(addresses))>\(pick(comments))"
            }
            let value = " " + elements.joined(separator: ",")
            let encoded = try FieldEncoder.encode(Array("To:\(value)\r\n".utf8))
            try check(encoded, seed: seed)
            let output = encoded.dropFirst(3).dropLast(2)
            let before = try AddressParser.list(in: Array(value.utf8)[...])
            let after = try AddressParser.list(in: output)
            #expect(after.addresses.map(\.description) == before.addresses.map(\.description), "seed \(seed): \(value)")
            #expect(
                HeaderText.display(after, in: output) == HeaderText.display(before, in: Array(value.utf8)[...]),
                "seed \(seed): \(value)")
        }
    }

    /// RFC 2047 §2: the lengths; and each encoded word is whole characters.
    private func check(_ field: [UInt8], seed: UInt64) throws {
        #expect(field.allSatisfy { $0 < 128 }, "seed \(seed)")
        let text = String(decoding: field, as: UTF8.self)
        for line in text.split(separator: "\r\n") where line.contains("=?utf-8?") {
            let words = line.split(whereSeparator: { " \t()".contains($0) })
            // What came in as one long word, with an encoded word somewhere within, has no place for a fold.
            let firstWord = line.drop { $0 != " " && $0 != "\t" }.drop { " \t".contains($0) }
            let canFold = firstWord.contains { " \t".contains($0) }
            #expect(line.utf8.count <= 76 || !canFold, "seed \(seed): \(line)")
            #expect(
                words.allSatisfy { !$0.hasPrefix("=?utf-8?") || HeaderText.word($0) != nil }, "seed \(seed): \(line)")
        }
        #expect(!text.contains("\r\n \r\n") && !text.contains("\r\n\t\r\n"), "seed \(seed)")
    }
}
