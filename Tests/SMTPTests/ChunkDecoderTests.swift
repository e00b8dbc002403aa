// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import NIOCore
import SMTP
import TestSupport
import Testing

@Suite struct ChunkDecoderTests {
    /// Everything of some chunks, cut in pieces of the network's choice; nil once a fault was told.
    private func decode(
        _ chunks: [[UInt8]], cuts: inout SeededGenerator, maximum: Int, _ bareLineFeed: BareLineFeed
    ) -> (content: [UInt8], fault: DataDecoder.Fault?, isRepaired: Bool) {
        var decoder = ChunkDecoder(maximumOctets: maximum, bareLineFeed: bareLineFeed)
        var content: [UInt8] = []
        var told: [DataDecoder.Fault] = []
        for chunk in chunks {
            decoder.begin(octets: chunk.count)
            var rest = chunk[...]
            var buffer = ByteBuffer()
            var isComplete = false
            while !isComplete {
                switch decoder.next(from: &buffer) {
                case .content(let octets): content += octets.readableBytesView
                case .fault(let fault): told.append(fault)
                case .end: isComplete = true
                case .endless: Issue.record("no end")
                case nil:
                    let piece = rest.prefix(.random(in: 1...5, using: &cuts))
                    rest = rest.dropFirst(piece.count)
                    buffer.writeBytes(piece)
                    // What follows the chunk must stay.
                    if rest.isEmpty { buffer.writeString("NEXT") }
                }
            }
            if chunk.isEmpty { buffer.writeString("NEXT") }
            #expect(buffer.readableBytes == 4)
        }
        #expect(told.count <= 1)
        return (content, decoder.end(), decoder.hasRepairedLineEnds)
    }

    @Test(arguments: [BareLineFeed.reject, .normalise])
    func `Whatever the octets, the chunks and the cuts, the content is the same`(_ bareLineFeed: BareLineFeed) {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<4000 {
            let alphabet: [UInt8] =
                [13, 10, 13, 10, 97, 46, 200] + (Int.random(in: 0..<20, using: &random) == 0 ? [0] : [])
            var octets: [UInt8] = []
            while octets.count < Int.random(in: 0...24, using: &random) {
                if Bool.random(using: &random) {
                    octets += [13, 10]
                } else {
                    octets.append(alphabet.randomElement(using: &random) ?? 97)
                }
            }
            let maximum = Int.random(in: 0...30, using: &random)
            var chunks: [[UInt8]] = []
            var rest = octets[...]
            repeat {
                let piece = rest.prefix(.random(in: 0...9, using: &random))
                rest = rest.dropFirst(piece.count)
                chunks.append(Array(piece))
            } while !rest.isEmpty
            let expected = model(octets, bareLineFeed)
            let got = decode(chunks, cuts: &random, maximum: maximum, bareLineFeed)
            let comment: Comment = "seed \(seed): \(octets) in \(chunks), at most \(maximum)"
            if let expected, expected.count <= maximum {
                #expect(got.fault == nil && got.content == expected, comment)
                #expect(got.isRepaired == (expected != octets), comment)
            } else {
                #expect(got.fault != nil, comment)
            }
        }
    }

    /// The content by the letter of the rules; nil when it is refused.
    private func model(_ octets: [UInt8], _ bareLineFeed: BareLineFeed) -> [UInt8]? {
        var content: [UInt8] = []
        for (index, octet) in octets.enumerated() {
            let previous = index > 0 ? octets[index - 1] : 0
            if octet == 0 || previous == 13 && octet != 10 { return nil }
            if octet == 10, previous != 13 {
                if bareLineFeed == .reject { return nil }
                content.append(13)
            }
            content.append(octet)
        }
        return octets.last == 13 ? nil : content
    }

    @Test func `A chunk of any announced length is counted without a trap, and has an end all the same`() {
        var decoder = ChunkDecoder(maximumOctets: 10)
        decoder.begin(octets: 9)
        var buffer = ByteBuffer(string: "123456789")
        #expect(decoder.next(from: &buffer) == .content(ByteBuffer(string: "123456789")))
        #expect(decoder.next(from: &buffer) == .end)
        decoder.begin(octets: .max)
        #expect(decoder.next(from: &buffer) == .fault(.contentTooLong))
        var swallowed = 0
        while swallowed < 1 << 24 {
            buffer.writeRepeatingByte(65, count: 1 << 16)
            swallowed += 1 << 16
            if decoder.next(from: &buffer) == .endless { break }
        }
        #expect(swallowed < 2 << 20)
    }
}
