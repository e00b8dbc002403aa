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
        var hasRepairedLineEnds = false
        /// What was left after the end.
        var rest: [UInt8] = []
    }

    /// Every way in which a content was ever made to end too early, except the right one.
    static let smugglingEnds: [String] = [
        "\n.\n", "\r.\r", "\r.\n", "\n.\r", "\n.\r\n", "\r\n.\n", "\r\r\n.\r\r\n", "\r\n.\r", "\r\r\n.\r\n",
        "\r\n\0.\r\n", "\r\n.\0\r\n", "\r\n.\r\r\n", "\0\r\n.\r\n", "\r\n.\n\r\n", "\n\r\n.\r\n", "\n\n.\r\n",
    ]

    static func decode(
        _ pieces: [ArraySlice<UInt8>], maximumOctets: Int = 1_000_000, _ bareLineFeed: BareLineFeed = .reject
    ) -> Result {
        var decoder = DataDecoder(maximumOctets: maximumOctets, bareLineFeed: bareLineFeed)
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
        result.hasRepairedLineEnds = decoder.hasRepairedLineEnds
        if decoder.fault == nil { #expect(decoder.octets == result.content.count) }
        return result
    }

    /// The same, octet by octet over the whole: slow and plain.
    static func reference(
        _ input: [UInt8], maximumOctets: Int = 1_000_000, _ bareLineFeed: BareLineFeed = .reject
    ) -> Result {
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
            if content[index] == 13, index + 1 < content.count || end != nil { faults.append((index, .bareReturn)) }
            if content[index] == 10 {
                if bareLineFeed == .normalise {
                    result.hasRepairedLineEnds = true
                    lines.append([])
                    index += 1
                    continue
                }
                faults.append((index, .bareLineFeed))
            }
            if content[index] == 0 { faults.append((index, .null)) }
            lines[lines.count - 1].append(content[index])
            index += 1
        }
        let unstuffed = lines.map { $0.first == UInt8(ascii: ".") ? Array($0.dropFirst()) : $0 }
        result.content = Array(unstuffed.joined(separator: [13, 10]))
        result.fault = faults.first?.1
        // One between two CRLFs would have been the end.
        if lines.contains([UInt8(ascii: ".")]) { result.fault = .loneDot }
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
                let normalised = DataDecoderTests.decode(
                    [stream[..<cut], stream[cut...]], maximumOctets: maximumOctets, .normalise)
                #expect(normalised.hasEnded)
                let isFault = DataDecoderTests.reference(stream, maximumOctets: maximumOctets, .normalise).fault != nil
                #expect((normalised.fault != nil) == isFault)
                #expect(normalised.rest == expected.rest)
            }
        }
    }

    @Test(
        "with normalise a bare LF is a line end, whose dots are doubled like others",
        arguments: [
            ("a\nb\n.\r\n", nil), ("a\n\n\nb\r\n.\r\n", "a\r\n\r\n\r\nb\r\n"), ("\na\r\n.\r\n", "\r\na\r\n"),
            ("a\n..\nb\r\n.\r\n", "a\r\n.\r\nb\r\n"), ("a\n.b\r\n.\r\n", "a\r\nb\r\n"),
            ("..\n..\r\n.\r\n", ".\r\n.\r\n"), ("a\r\n\nb\r\n.\r\n", "a\r\n\r\nb\r\n"),
            ("a\n\r\nb\r\n.\r\n", "a\r\n\r\nb\r\n"), ("a\nb\r\n.\n\r\n.\r\n", nil), (".\na\r\n.\r\n", nil),
            ("a\n.\r\n.\r\n", nil), ("a\nb\rc\r\n.\r\n", nil), ("a\nb\0\r\n.\r\n", nil),
        ])
    func normalise(_ stream: String, _ content: String?) {
        let octets = Array(stream.utf8)
        let expected = DataDecoderTests.reference(octets, .normalise)
        let pieces = [octets.indices.map { octets[$0...$0] }] + octets.indices.map { [octets[..<$0], octets[$0...]] }
        for pieces in pieces {
            let result = DataDecoderTests.decode(pieces, .normalise)
            #expect(result.hasEnded == expected.hasEnded)
            #expect((result.fault == nil) == (content != nil))
            guard let content else { continue }
            #expect(result == Result(content: Array(content.utf8), hasEnded: true, hasRepairedLineEnds: true))
        }
    }

    @Test func aContentMayBeEmpty() {
        #expect(DataDecoderTests.decode([Array(".\r\n".utf8)[...]]) == Result(hasEnded: true))
    }

    @Test func whatFollowsTheEndStays() {
        let result = DataDecoderTests.decode([Array("a\r\n.\r\nNOOP\r\n".utf8)[...]])
        #expect(result == Result(content: Array("a\r\n".utf8), hasEnded: true, rest: Array("NOOP\r\n".utf8)))
    }

    @Test("a long line is no fault: it is repaired behind the decoder", arguments: [998, 999, 100_000])
    func longLine(_ octets: Int) {
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: octets) + [13, 10]
        for cut in [0, 1, 2, 500, 997, 998] {
            let stream = line + Array(".\r\n".utf8)
            let result = DataDecoderTests.decode([stream[..<cut], stream[cut...]])
            #expect(result == Result(content: line, hasEnded: true))
        }
    }

    @Test(
        "the first fault is told, wherever the network cuts and whatever the limit",
        arguments: [
            "abcdefg\u{16}\u{0E}\n.\r\n", "abc\0de\n\r\n.\r\n", "ab\rcd\0\r\n.\r\n", "ab\r\n.\rcd\r\n.\r\n",
            "ab\n.\ncd\r\n.\r\n", "ab\n\n.\r\ncd\0\r\n.\r\n", "..ab\r\n..\ncd\r\r\n.\r\n",
        ])
    func firstFault(_ stream: String) {
        let octets = Array(stream.utf8)
        for (limit, policy) in (0...octets.count).flatMap({ limit in BareLineFeed.allCases.map { (limit, $0) } }) {
            let expected = DataDecoderTests.decode([octets[...]], maximumOctets: limit, policy).fault
            let single = DataDecoderTests.decode(octets.indices.map { octets[$0...$0] }, maximumOctets: limit, policy)
            #expect(single.fault == expected, "limit \(limit), \(policy)")
            for cut in octets.indices {
                let result = DataDecoderTests.decode([octets[..<cut], octets[cut...]], maximumOctets: limit, policy)
                #expect(result.fault == expected, "limit \(limit), \(policy), cut at \(cut)")
            }
        }
    }

    @Test("of a limit and a bare LF, what comes first is told", arguments: [(3, true), (4, false), (5, false)])
    func limitOrBareLineFeed(_ limit: Int, _ isTooLong: Bool) {
        let result = DataDecoderTests.decode([Array("abcd\n.\r\n\r\n.\r\n".utf8)[...]], maximumOctets: limit)
        #expect(result.fault == (isTooLong ? .contentTooLong : .bareLineFeed))
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
        #expect(parts == [.fault(.contentTooLong), .endless])
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
            let policy: BareLineFeed = round % 2 == 0 ? .reject : .normalise
            let result = DataDecoderTests.decode(pieces, maximumOctets: maximumOctets, policy)
            let expected = DataDecoderTests.reference(input, maximumOctets: maximumOctets, policy)
            #expect(result.hasEnded == expected.hasEnded, "seed \(seed) round \(round) \(input)")
            #expect(result.rest == expected.rest, "seed \(seed) round \(round) \(input)")
            guard expected.hasEnded else { continue }
            #expect((result.fault == nil) == (expected.fault == nil), "seed \(seed) round \(round) \(input)")
            if expected.fault == nil {
                #expect(result.content == expected.content, "seed \(seed) round \(round) \(input)")
                #expect(result.hasRepairedLineEnds == expected.hasRepairedLineEnds)
            }
        }
    }
}
