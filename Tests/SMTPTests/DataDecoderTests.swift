// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import NIOCore
import SMTP
import TestSupport
import Testing

@Suite struct DataDecoderTests {
    /// What came of decoding.
    struct Result: Hashable {
        var content: [UInt8] = []
        var fault: DataDecoder.Fault?
        var hasEnded = false
        /// What was left after the end.
        var rest: [UInt8] = []
    }

    /// Every way in which a content was ever made to end too early, except the right one.
    static let smugglingEnds: [String] = [
        "\n.\n", "\r.\r", "\r.\n", "\n.\r", "\n.\r\n", "\r\n.\n", "\r\r\n.\r\r\n", "\r\n.\r", "\r\r\n.\r\n",
        "\r\n\0.\r\n", "\r\n.\0\r\n", "\r\n.\r\r\n", "\0\r\n.\r\n", "\r\n.\n\r\n", "\n\r\n.\r\n", "\n\n.\r\n",
    ]

    static func decode(_ pieces: [ArraySlice<UInt8>], maximumOctets: Int = 1_000_000) -> Result {
        var decoder = DataDecoder(maximumOctets: maximumOctets)
        var result = Result()
        var buffer = ByteBuffer()
        for piece in pieces {
            if result.hasEnded {
                result.rest += piece
                continue
            }
            buffer = ByteBuffer(bytes: piece)
            while !result.hasEnded, let part = decoder.next(from: &buffer) {
                switch part {
                case .content(let octets): result.content += Array(octets.readableBytesView)
                case .fault(let fault): result.fault = fault
                case .end: result.hasEnded = true
                case .endless: return result
                }
            }
            if result.hasEnded { result.rest += Array(buffer.readableBytesView) }
        }
        return result
    }

    /// The same, octet by octet over the whole: slow and plain.
    static func reference(_ input: [UInt8], maximumOctets: Int = 1_000_000) -> Result {
        var result = Result()
        let end = stride(from: 0, to: input.count, by: 1).first { index in
            input[index...].starts(with: Array(".\r\n".utf8))
                && (index == 0 || index >= 2 && input[index - 2] == 13 && input[index - 1] == 10)
        }
        result.hasEnded = end != nil
        result.rest = end.map { Array(input[($0 + 3)...]) } ?? []
        var lines: [[UInt8]] = [[]]
        let content = Array(input[..<(end ?? input.count)])
        var index = 0
        var faults: [(Int, DataDecoder.Fault)] = []
        while index < content.count {
            if content[index] == 13, index + 1 < content.count, content[index + 1] == 10 {
                lines.append([])
                index += 2
                continue
            }
            if content[index] == 13, index + 1 < content.count || end != nil { faults.append((index, .bareLineEnd)) }
            if content[index] == 10 { faults.append((index, .bareLineEnd)) }
            if content[index] == 0 { faults.append((index, .null)) }
            lines[lines.count - 1].append(content[index])
            index += 1
        }
        let unstuffed = lines.map { $0.first == UInt8(ascii: ".") ? Array($0.dropFirst()) : $0 }
        result.content = Array(unstuffed.joined(separator: [13, 10]))
        result.fault = faults.first?.1
        if unstuffed.contains(where: { $0.count > DataDecoder.maximumLineOctets }) { result.fault = .lineTooLong }
        if result.fault == nil, result.content.count > maximumOctets { result.fault = .contentTooLong }
        return result
    }

    @Test("only CRLF.CRLF ends data, at every cut, in a content of any length", arguments: smugglingEnds)
    func smuggling(_ ending: String) {
        let stream = Array("Subject: a\r\n\r\nb\(ending)MAIL FROM:<eve@example.com>\r\n.\r\nQUIT\r\n".utf8)
        let expected = DataDecoderTests.reference(stream)
        for maximumOctets in [1_000_000, 5] {
            for cut in stream.indices {
                let result = DataDecoderTests.decode([stream[..<cut], stream[cut...]], maximumOctets: maximumOctets)
                #expect(result.hasEnded)
                #expect(result.fault != nil)
                #expect(result.rest == expected.rest)
                // Some endings hold the one true end after their fault; of the others nothing gets out.
                if !ending.hasSuffix("\r\n.\r\n") { #expect(result.rest == Array("QUIT\r\n".utf8)) }
            }
        }
    }

    @Test func aContentMayBeEmpty() {
        #expect(DataDecoderTests.decode([Array(".\r\n".utf8)[...]]) == Result(hasEnded: true))
    }

    @Test func whatFollowsTheEndStays() {
        let result = DataDecoderTests.decode([Array("a\r\n.\r\nNOOP\r\n".utf8)[...]])
        #expect(result == Result(content: Array("a\r\n".utf8), hasEnded: true, rest: Array("NOOP\r\n".utf8)))
    }

    @Test("a line may have 998 octets and not one more", arguments: [998, 999])
    func longestLine(_ octets: Int) {
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: octets)
        let stream = line + Array("\r\n.\r\n".utf8)
        let stuffed = Array(".".utf8) + stream
        for stream in [stream, stuffed] {
            for cut in [0, 1, 2, 500, 997, 998, 999, 1000, 1001, 1002] {
                let result = DataDecoderTests.decode([stream[..<cut], stream[cut...]])
                #expect(result.fault == (octets > 998 ? .lineTooLong : nil))
                #expect(result.hasEnded)
            }
        }
    }

    @Test func theCountsAreThoseOfTheContent() throws {
        var decoder = DataDecoder(maximumOctets: 100)
        var buffer = ByteBuffer(string: "..a\r\nlonger line\r\n\u{e9}\r\n.\r\n")
        while let part = decoder.next(from: &buffer), part != .end {}
        #expect(decoder.octets == 4 + 13 + 4)
        #expect(decoder.longestLine == 11)
        #expect(decoder.isEightBit)
        var plain = DataDecoder(maximumOctets: 100)
        var ascii = ByteBuffer(string: "a\u{7f}bcdefghijklmnopq\r\n.\r\n")
        while let part = plain.next(from: &ascii), part != .end {}
        #expect(!plain.isEightBit)
    }

    @Test func swallowingHasAnEnd() {
        var decoder = DataDecoder(maximumOctets: 10)
        let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 64 * 1024)
        var parts: [DataDecoder.Part] = []
        for _ in 0..<32 {
            var buffer = ByteBuffer(bytes: chunk)
            while let part = decoder.next(from: &buffer) {
                parts.append(part)
                if part == .endless { break }
            }
            if parts.last == .endless { break }
        }
        #expect(parts == [.fault(.lineTooLong), .endless])
    }

    @Test("a content without dots is handed on whole") func contentIsNotCutUp() {
        var decoder = DataDecoder(maximumOctets: 100_000)
        let lines = String(repeating: "A line like others.\r\n", count: 1000)
        var buffer = ByteBuffer(string: lines)
        #expect(decoder.next(from: &buffer) == .content(ByteBuffer(string: lines)))
        #expect(decoder.next(from: &buffer) == nil)
    }

    @Test("random contents decode as by the plain reference") func property() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        print("DataDecoder property test: seed \(seed)")
        let alphabet: [[UInt8]] = [
            Array("\r\n".utf8), Array("\r\n.".utf8), Array("\r\n.\r\n".utf8), Array(".".utf8), Array("a".utf8),
            Array("abcdefghijklmnopqrstuvw".utf8), [0xC3, 0xA4], Array("\t".utf8),
        ]
        let faulty: [[UInt8]] = alphabet + [[13], [10], [0]]
        for round in 0..<3000 {
            let source = round % 3 == 0 ? faulty : alphabet
            let input = (0..<Int.random(in: 0..<40, using: &generator)).flatMap { _ in
                source.randomElement(using: &generator) ?? []
            }
            var pieces: [ArraySlice<UInt8>] = []
            var start = 0
            while start < input.count {
                let end = min(input.count, start + Int.random(in: 1...20, using: &generator))
                pieces.append(input[start..<end])
                start = end
            }
            let maximumOctets = Int.random(in: 0..<1000, using: &generator)
            let result = DataDecoderTests.decode(pieces, maximumOctets: maximumOctets)
            let expected = DataDecoderTests.reference(input, maximumOctets: maximumOctets)
            #expect(result.hasEnded == expected.hasEnded, "seed \(seed) round \(round) \(input)")
            #expect(result.rest == expected.rest, "seed \(seed) round \(round) \(input)")
            guard expected.hasEnded else { continue }
            #expect((result.fault == nil) == (expected.fault == nil), "seed \(seed) round \(round) \(input)")
            if expected.fault == nil {
                #expect(result.content == expected.content, "seed \(seed) round \(round) \(input)")
            }
        }
    }
}
