// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import NIOCore
import SMTP
import Testing

@Suite struct LineDecoderTests {
    private func decode(_ text: String, maximumOctets: Int = 100, cut: Int) -> [LineDecoder.Line] {
        var decoder = LineDecoder(maximumOctets: maximumOctets)
        var lines: [LineDecoder.Line] = []
        var buffer = ByteBuffer()
        let octets = Array(text.utf8)
        for piece in [octets[..<cut], octets[cut...]] {
            buffer.writeBytes(piece)
            while let line = decoder.next(from: &buffer) { lines.append(line) }
        }
        return lines
    }

    private func line(_ text: String) -> LineDecoder.Line { .line(Array(text.utf8)) }

    @Test func onlyCRLFEndsALine() {
        let text = "a\nb\rc\r\n\r\n\n\r\n\r\r\nrest\r"
        for cut in 0...text.utf8.count {
            #expect(decode(text, cut: cut) == [line("a\nb\rc"), line(""), line("\n"), line("\r")])
        }
    }

    @Test func aLineOfTheMaximumIsALineAndOneMoreIsNot() {
        let text = "12345678\r\n123456789\r\n1234567890\r\n12345678\r\n"
        for cut in 0...text.utf8.count {
            #expect(
                decode(text, maximumOctets: 10, cut: cut) == [line("12345678"), .tooLong, .tooLong, line("12345678")])
        }
    }

    @Test func anOverlongLineIsNotKept() {
        var decoder = LineDecoder(maximumOctets: 10)
        var buffer = ByteBuffer()
        for _ in 0..<100 {
            buffer.writeString("xxxxxxxxxxxxxxxxxxxx\r")
            #expect(decoder.next(from: &buffer) == nil)
            #expect(buffer.readableBytes <= 1)
        }
        buffer.writeString("\nNOOP\r\n")
        #expect(decoder.next(from: &buffer) == .tooLong)
        #expect(decoder.next(from: &buffer) == line("NOOP"))
        #expect(decoder.next(from: &buffer) == nil)
    }

    @Test func anEndlessLineIsTold() {
        var decoder = LineDecoder(maximumOctets: 10)
        let chunk = String(repeating: "x", count: 64 * 1024)
        var told = 0
        for _ in 0..<17 {
            var buffer = ByteBuffer(string: chunk)
            if decoder.next(from: &buffer) == .endless { told += 1 }
        }
        #expect(told == 1)
    }
}
