// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import TestSupport
import Testing

@Suite("Header section")
struct HeaderSectionTests {
    @Test("fields are found with their continuation lines")
    func fields() throws {
        let header = try HeaderSection(Array("From: a@b\r\nSubject: one\r\n two\r\n\tthree\r\nX-Empty:\r\n".utf8))
        #expect(header.fields.map { header.name(of: $0) } == ["From", "Subject", "X-Empty"])
        #expect(header.fields.map { header.value(of: $0) } == ["a@b", "one two\tthree", ""])
        let octets = header.fields.map { String(decoding: header.bytes[$0.octets], as: UTF8.self) }
        #expect(octets == ["From: a@b\r\n", "Subject: one\r\n two\r\n\tthree\r\n", "X-Empty:\r\n"])
    }

    @Test("an empty header section has no fields")
    func empty() throws {
        #expect(try HeaderSection([]).fields.isEmpty)
    }

    @Test("names compare without case and as a whole")
    func names() throws {
        let header = try HeaderSection(Array("MESSAGE-id: <x@y>\r\n".utf8))
        #expect(header.isNamed(header.fields[0], FieldName("Message-Id")))
        #expect(!header.isNamed(header.fields[0], FieldName("Message-I")))
        #expect(!header.isNamed(header.fields[0], FieldName("Message-IDs")))
        #expect(header.first(FieldName("message-id")) == header.fields[0])
        #expect(header.first(FieldName("Date")) == nil)
    }

    @Test("a caret is not an upper-case tilde")
    func onlyLettersFold() throws {
        let header = try HeaderSection(Array("X^: 1\r\n".utf8))
        #expect(!header.isNamed(header.fields[0], FieldName("X~")))
        #expect(header.isNamed(header.fields[0], FieldName("x^")))
    }

    @Test(
        "a malformed line is named by its number",
        arguments: [
            (" folded\r\n", 1),
            ("From: a@b\r\nhello world\r\n", 2),
            ("From: a@b\r\nTo : c@d\r\n", 2),
            ("From: a@b\r\n: no name\r\n", 2),
            ("From: a@b\r\n\r\nTo: c@d\r\n", 2),
            ("From: a@b\r\n more\r\nnothing", 3),
            ("From: a@b\r\nX: unfinished", 2),
            ("From: a\u{0}b\r\n", 1),
            ("From: a\rb\r\n", 1),
            ("From: a\nb: c\r\n", 1),
            ("From: a@b\r\nS\u{fc}bject: x\r\n", 2),
            ("From: a@b\r\n\u{1}: x\r\n", 2),
            ("From a@b Mon Nov 23 09:00:00 2026\r\nFrom: a@b\r\n", 1),
            ("From: a@b\r\nX: y\r", 2),
        ])
    func malformed(text: String, line: Int) {
        #expect {
            try HeaderSection(Array(text.utf8))
        } throws: {
            ($0 as? MalformedHeaderSection)?.line == line
        }
    }

    @Test("white space before the colon is passed over where it is allowed")
    func spaceBeforeColon() throws {
        let header = try HeaderSection(Array("To \t: a@b\r\nX: y\r\n".utf8), allowsSpaceBeforeColon: true)
        #expect(header.fields.map { header.name(of: $0) } == ["To", "X"])
        #expect(header.fields.map { header.value(of: $0) } == ["a@b", "y"])
        #expect(header.fields.map { $0.colon - $0.name.upperBound } == [2, 0])
        #expect(throws: MalformedHeaderSection.self) {
            try HeaderSection(Array("To a: b\r\n".utf8), allowsSpaceBeforeColon: true)
        }
    }

    @Test("the longest line and octets above 127 are noticed")
    func measures() throws {
        let header = try HeaderSection(Array("A: 1234\r\n 123456\r\n 1\r\nB: \u{fc}\r\nC: x\r\n \u{fc}\r\n".utf8))
        #expect(header.fields.map(\.longestLine) == [7, 5, 4])
        #expect(header.fields.map(\.isEightBit) == [false, true, true])
    }

    @Test(
        "the separator line of an mbox file is named",
        arguments: ["From a@b Mon Nov 23 09:00:00 2026\r\n", ">From a@b Mon Nov 23 09:00:00 2026\r\n"])
    func mboxSeparator(line: String) {
        #expect {
            try HeaderSection(Array(line.utf8))
        } throws: {
            ($0 as? MalformedHeaderSection)?.reason.contains("mbox") == true
        }
    }

    @Test("octets above 127 and controls other than CR, LF and NUL may stand in a value")
    func leniency() throws {
        let header = try HeaderSection(Array("Subject: gr\u{fc}n\u{7}\t.\r\n".utf8))
        #expect(header.value(of: header.fields[0]) == "gr\u{fc}n\u{7}\t.")
    }

    @Test("the fields' octets joined are the header section, for random lines")
    func partition() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let pieces = ["A", "b:", ":", " ", "\t", "\r\n", "x", "\r", "\n", "\u{fc}", "From: "]
        var whole = 0
        for _ in 0..<20000 {
            let text =
                (0..<Int.random(in: 0..<12, using: &generator))
                .map { _ in pieces.randomElement(using: &generator) ?? "" }.joined() + "\r\n"
            guard let header = try? HeaderSection(Array(text.utf8)) else { continue }
            whole += 1
            #expect(
                header.fields.flatMap { header.bytes[$0.octets] } == header.bytes,
                "seed \(seed): \(text.debugDescription)")
            for field in header.fields {
                #expect(header.bytes[field.name.upperBound] == UInt8(ascii: ":"), "seed \(seed)")
                #expect(!header.bytes[field.name].contains { $0 <= 32 || $0 > 126 }, "seed \(seed)")
                #expect(header.bytes[field.octets].suffix(2) == [13, 10], "seed \(seed)")
            }
        }
        #expect(whole > 100, "seed \(seed): hardly any input was a header section")
    }
}
