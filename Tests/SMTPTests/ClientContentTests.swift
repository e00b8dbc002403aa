// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import NIOCore
import SMTP
import TestSupport
import Testing

@Suite struct ClientContentTests {
    @Test(
        "a dot at the start of a line is doubled, and the end of data is always CRLF . CRLF",
        arguments: [
            ("", ".\r\n"), ("a\r\n", "a\r\n.\r\n"), ("a", "a\r\n.\r\n"), (".", "..\r\n.\r\n"),
            (".\r\n", "..\r\n.\r\n"), ("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"), ("..\r\n", "...\r\n.\r\n"),
            ("a.\r\n.b.\r\n", "a.\r\n..b.\r\n.\r\n"), ("\r\n\r\n.\r\n", "\r\n\r\n..\r\n.\r\n"),
        ])
    func stuffing(content: String, wire: String) throws {
        let octets = Array(content.utf8)
        for first in 0...octets.count {
            for second in first...octets.count {
                let pieces = [octets[..<first], octets[first..<second], octets[second...]]
                #expect(try stuffed(pieces) == Array(wire.utf8), "cut at \(first) and \(second)")
            }
        }
    }

    @Test(
        "a line end that is not CRLF, and NUL, are refused wherever the content is cut",
        arguments: [
            ("a\nb\r\n", ContentError.bareLineFeed), ("\n", .bareLineFeed), ("a\r\n\n", .bareLineFeed),
            ("a\rb\r\n", .bareCarriageReturn), ("a\r\r\n", .bareCarriageReturn), ("a\r", .bareCarriageReturn),
            ("\r\n.\r", .bareCarriageReturn), ("\n.\n", .bareLineFeed), ("a\u{0}b\r\n", .nul),
            ("\r\u{0}\n", .bareCarriageReturn),
        ])
    func refused(content: String, fault: ContentError) {
        let octets = Array(content.utf8)
        for cut in 0...octets.count {
            do {
                _ = try stuffed([octets[..<cut], octets[cut...]])
                Issue.record("accepted, cut at \(cut)")
            } catch {
                // Which of two faults is seen first depends on the cut.
                #expect(error == fault || content.contains("\u{0}"))
            }
        }
    }

    @Test("random content reads back as it was, wherever it is cut")
    func property() throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let alphabet: [[UInt8]] = [[13, 10], Array(".".utf8), Array("a".utf8), Array(".\r\n".utf8), [0xFF]]
        for round in 0..<2000 {
            var content: [UInt8] = []
            for _ in 0..<Int.random(in: 0...20, using: &generator) {
                content += alphabet.randomElement(using: &generator) ?? []
            }
            var pieces: [ArraySlice<UInt8>] = []
            var rest = content[...]
            while !rest.isEmpty {
                let count = Int.random(in: 0...rest.count, using: &generator)
                pieces.append(rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            let wire = try stuffed(pieces)
            let hasLineEnd = content.isEmpty || content.suffix(2) == [13, 10]
            let expected = hasLineEnd ? content : content + [13, 10]
            #expect(unstuffed(wire) == expected, "seed \(seed), round \(round)")
        }
    }

    private func stuffed(_ pieces: [ArraySlice<UInt8>]) throws(ContentError) -> [UInt8] {
        var stuffer = DotStuffer()
        var buffer = ByteBuffer()
        for piece in pieces {
            var fault: ContentError?
            unsafe Array(piece).withUnsafeBytes { bytes in
                do throws(ContentError) { try unsafe stuffer.write(bytes, into: &buffer) } catch { fault = error }
            }
            if let fault { throw fault }
        }
        try stuffer.finish(into: &buffer)
        return Array(buffer.readableBytesView)
    }

    /// What a server reads: lines up to the lone dot, each without its first dot.
    ///
    /// Written for clarity, on purpose in another way than the code under test; nil if anything follows the end of data
    /// or it is missing.
    private func unstuffed(_ wire: [UInt8]) -> [UInt8]? {
        var content: [UInt8] = []
        var lines: [[UInt8]] = [[]]
        for octet in wire {
            lines[lines.count - 1].append(octet)
            if lines[lines.count - 1].suffix(2) == [13, 10] { lines.append([]) }
        }
        guard lines.popLast() == [], lines.popLast() == Array(".\r\n".utf8) else { return nil }
        for line in lines {
            if line == Array(".\r\n".utf8) { return nil }
            content += line.first == UInt8(ascii: ".") ? line.dropFirst() : line[...]
        }
        return content
    }
}
