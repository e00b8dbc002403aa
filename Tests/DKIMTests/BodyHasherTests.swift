// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import TestSupport
import Testing

@testable import DKIM

@Suite struct BodyHasherTests {
    static let emptySimple = "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="
    static let emptyRelaxed = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

    /// Body, its simple form, its relaxed form (RFC 6376 §3.4.3, §3.4.4).
    static let canonicalForms: [(body: String, simple: String, relaxed: String)] = [
        ("", "\r\n", ""),
        ("\r\n", "\r\n", ""),
        ("\r\n\r\n\r\n", "\r\n", ""),
        (" \t\r\n", " \t\r\n", ""),
        (" \t", " \t\r\n", ""),
        (" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"),
        ("a", "a\r\n", "a\r\n"),
        ("a\r\n", "a\r\n", "a\r\n"),
        ("a\r\n \r\n\t\r\n\r\n", "a\r\n \r\n\t\r\n", "a\r\n"),
        ("\r\n\r\na\r\n", "\r\n\r\na\r\n", "\r\n\r\na\r\n"),
        ("a  \r\n\r\n  b\t\tc\r\n", "a  \r\n\r\n  b\t\tc\r\n", "a\r\n\r\n b c\r\n"),
        ("a\r", "a\r\r\n", "a\r\r\n"),
        ("\r\n\r", "\r\n\r\r\n", "\r\n\r\r\n"),
        ("\r", "\r\r\n", "\r\r\n"),
        ("a\r\r\nb\r\n", "a\r\r\nb\r\n", "a\r\r\nb\r\n"),
        ("a \rb\r\n", "a \rb\r\n", "a \rb\r\n"),
        ("a\nb\n", "a\nb\n\r\n", "a\nb\n\r\n"),
        ("a \n\r\n", "a \n\r\n", "a \n\r\n"),
        ("\u{0B} \u{0C} \0\r\n", "\u{0B} \u{0C} \0\r\n", "\u{0B} \u{0C} \0\r\n"),
        (".\r\n..\r\n", ".\r\n..\r\n", ".\r\n..\r\n"),
        ("a b c\r\nd e f \tg\r\n h\r\n", "a b c\r\nd e f \tg\r\n h\r\n", "a b c\r\nd e f g\r\n h\r\n"),
    ]

    @Test(arguments: canonicalForms)
    func `a body is hashed in its canonical form`(body: String, simple: String, relaxed: String) throws {
        #expect(try Vectors.hash(octets(body), .simple) == Base64.string(SHA256.digest(of: octets(simple))))
        #expect(try Vectors.hash(octets(body), .relaxed) == Base64.string(SHA256.digest(of: octets(relaxed))))
    }

    @Test func `an empty body has the hashes that the RFC prints`() throws {
        #expect(try Vectors.hash([], .simple) == BodyHasherTests.emptySimple)
        #expect(try Vectors.hash([], .relaxed) == BodyHasherTests.emptyRelaxed)
        // Without one call of append, too.
        #expect(try Base64.string(BodyHasher(.relaxed).finish()) == BodyHasherTests.emptyRelaxed)
    }

    /// Every place where two pieces can be divided into three matters: a CR, its LF and what follows can come
    /// in three pieces.
    @Test(arguments: canonicalForms.map(\.body), Canonicalization.allCases)
    func `no division into three pieces changes the hash`(body: String, canonicalization: Canonicalization) throws {
        let body = octets(body)
        let whole = try Vectors.hash(body, canonicalization)
        for first in 0...body.count {
            for second in first...body.count {
                let hasher = try BodyHasher(canonicalization)
                hasher.append(Array(body[..<first]))
                hasher.append(Array(body[first..<second]))
                hasher.append(Array(body[second...]))
                #expect(try Base64.string(hasher.finish()) == whole, "divided at \(first) and \(second)")
            }
        }
    }

    /// A second canonicalizer, whole in memory and by the letter of the RFC, as the judge of random bodies.
    static func canonicalForm(_ body: [UInt8], _ canonicalization: Canonicalization) -> [UInt8] {
        var lines: [[UInt8]] = [[]]
        var position = 0
        while position < body.count {
            if body[position] == 13, position + 1 < body.count, body[position + 1] == 10 {
                lines.append([])
                position += 2
            } else {
                lines[lines.count - 1].append(body[position])
                position += 1
            }
        }
        if canonicalization == .relaxed {
            lines = lines.map { line in
                var reduced: [UInt8] = []
                for byte in line {
                    let isSpace = byte == 32 || byte == 9
                    if !isSpace { reduced.append(byte) } else if reduced.last != 32 { reduced.append(32) }
                }
                if reduced.last == 32 { reduced.removeLast() }
                return reduced
            }
        }
        while let last = lines.last, last.isEmpty { lines.removeLast() }
        if lines.isEmpty { return canonicalization == .simple ? [13, 10] : [] }
        return lines.flatMap { $0 + [13, 10] }
    }

    @Test(arguments: Canonicalization.allCases)
    func `random bodies in random pieces hash like their canonical form`(canonicalization: Canonicalization) throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let alphabet = octets("ab  \t\r\r\n\n\u{0B}\0") + [0xE9]
        for round in 0..<3000 {
            // Short pieces meet every cut; long ones hold all that is done for many octets at once.
            let isLong = round % 8 == 0
            let (longestPiece, longestRun) = isLong ? (6000, 3000) : (40, 600)
            var body: [UInt8] = []
            for _ in 0..<Int.random(in: 0...60, using: &generator) {
                switch Int.random(in: 0..<12, using: &generator) {
                case 0...3: body += [13, 10]
                case 4: body += [UInt8](repeating: 120, count: Int.random(in: 1...longestRun, using: &generator))
                case 5: body += octets("some words of text, a\tb and  c ")
                default: body.append(alphabet[Int.random(in: 0..<alphabet.count, using: &generator)])
                }
            }
            let hasher = try BodyHasher(canonicalization)
            var position = 0
            while position < body.count {
                let end = min(body.count, position + Int.random(in: 1...longestPiece, using: &generator))
                hasher.append(Array(body[position..<end]))
                position = end
            }
            let form = BodyHasherTests.canonicalForm(body, canonicalization)
            #expect(try hasher.finish() == SHA256.digest(of: form), "seed \(seed), round \(round)")
            #expect(hasher.canonicalizedOctets == form.count, "seed \(seed), round \(round)")
        }
    }

    @Test func `a limit hashes the first octets of the canonical form only`() throws {
        let body = octets("a  b\r\n\r\nc\r\n")
        let form = BodyHasherTests.canonicalForm(body, .relaxed)
        for limit in 0...form.count + 2 {
            let hasher = try BodyHasher(.relaxed, limit: limit)
            hasher.append(body)
            #expect(try hasher.finish() == SHA256.digest(of: Array(form.prefix(limit))), "limit \(limit)")
            #expect(hasher.canonicalizedOctets == form.count)
        }
    }
}
