// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import TestSupport
import Testing

@Suite("Quoted-printable")
struct QuotedPrintableTests {
    /// RFC 2045 §6.7, read strictly: nil for what an encoder must not write.
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        var output: [UInt8] = []
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "=") else {
                output.append(text[index])
                index += 1
                continue
            }
            guard index + 2 < text.count else { return nil }
            let pair = text[index + 1...index + 2]
            if !pair.elementsEqual([13, 10]) {
                guard let value = UInt8(String(decoding: pair, as: UTF8.self), radix: 16) else { return nil }
                output.append(value)
            }
            index += 3
        }
        return output
    }

    @Test(
        "known texts",
        arguments: [
            ("", ""), ("plain", "plain"), ("a=b", "a=3Db"), ("gr\u{fc}n", "gr=C3=BCn"), ("end \r\nx", "end=20\r\nx"),
            ("tab\t", "tab=09"), ("in side", "in side"), ("\r\n\r\n", "\r\n\r\n"), ("a\rb", "a=0Db"), ("a\nb", "a=0Ab"),
            (".\r\n..\r\na.", "=2E\r\n=2E.\r\na."), ("From me\r\nFrom\r\nFromage", "From=20me\r\nFrom\r\nFromage"),
            ("a From b", "a From b"), ("--b\r\n", "--b\r\n"), ("x\r", "x=0D"), (" \r\n ", "=20\r\n=20"),
        ])
    func known(text: String, encoded: String) {
        #expect(String(decoding: QuotedPrintable.encode(Array(text.utf8)), as: UTF8.self) == encoded)
    }

    @Test("a soft line break makes no boundary delimiter, no lone dot and no line of an mbox file")
    func softBreaks() {
        let full = String(repeating: "x", count: 75)
        for (rest, encoded) in [("--b", "-=2Db"), (".", "=2E"), ("From me", "From=20me"), ("-b", "-b")] {
            let output = QuotedPrintable.encode(Array("\(full)\(rest)".utf8))
            #expect(String(decoding: output, as: UTF8.self) == "\(full)=\r\n\(encoded)")
        }
    }

    @Test("random octets read back, in lines of at most 76 printable characters")
    func roundTrip() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let octets = (0..<Int.random(in: 0..<300, using: &generator)).flatMap { _ -> [UInt8] in
                switch Int.random(in: 0..<20, using: &generator) {
                case 0: [13, 10]
                case 1: [32]
                case 2: [UInt8.random(in: 0...255, using: &generator)]
                default: [UInt8.random(in: 33...126, using: &generator)]
                }
            }
            let encoded = QuotedPrintable.encode(octets)
            #expect(QuotedPrintableTests.decode(encoded) == octets, "seed \(seed)")
            let lines = String(decoding: encoded, as: UTF8.self).split(
                separator: "\r\n", omittingEmptySubsequences: false)
            for line in lines {
                #expect(line.utf8.count <= 76, "seed \(seed)")
                #expect(line.utf8.allSatisfy { (32...126).contains($0) || $0 == 9 }, "seed \(seed)")
                #expect(line.utf8.last != 32 && line.utf8.last != 9, "seed \(seed)")
            }
        }
    }
}
