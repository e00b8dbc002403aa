// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import TestSupport
import Testing

@testable import Relay

@Suite("Line meter")
struct LineMeterTests {
    private func meter(_ pieces: [ArraySlice<UInt8>]) -> LineMeter {
        var meter = LineMeter()
        for piece in pieces { unsafe Array(piece).withUnsafeBytes { unsafe meter.append($0) } }
        return meter
    }

    @Test("a line may have 998 octets and its CRLF, in whatever pieces", arguments: [997, 998, 999, 1000, 5000])
    func limit(_ octets: Int) {
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: octets) + [13, 10]
        let short = Array("short\r\n".utf8)
        for content in [line, short + line, line + short, short + line + short] {
            for cut in content.indices {
                let meter = meter([content[..<cut], content[cut...]])
                #expect(meter.hasLongLine == (octets > 998))
                #expect(!meter.isInsideLine)
            }
            #expect(meter(content.indices.map { content[$0...$0] }).hasLongLine == (octets > 998))
        }
    }

    @Test("a last line without its end is seen, and counted with the end that it will get")
    func openLine() {
        for count in [1, 998, 999] {
            var meter = meter([[UInt8](repeating: 65, count: count)[...]])
            #expect(meter.isInsideLine)
            unsafe [UInt8]([13, 10]).withUnsafeBytes { unsafe meter.append($0) }
            #expect(meter.hasLongLine == (count > 998))
            #expect(!meter.isInsideLine)
        }
        #expect(!meter([]).isInsideLine)
    }

    @Test("lines of chance are measured as by counting")
    func property() {
        let seed = UInt64.random(in: 0 ... .max)
        print("Line meter: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            var content: [UInt8] = []
            var isLong = false
            for _ in 0..<Int.random(in: 0..<30, using: &random) {
                let octets = Int.random(in: 0..<(Bool.random(using: &random) ? 100 : 1001), using: &random)
                isLong = isLong || octets > 998
                content += [UInt8](repeating: 65, count: octets) + [13, 10]
            }
            var pieces: [ArraySlice<UInt8>] = []
            var rest = content[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1..<3000, using: &random)
                pieces.append(rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            #expect(meter(pieces).hasLongLine == isLong, "seed \(seed)")
        }
    }
}
