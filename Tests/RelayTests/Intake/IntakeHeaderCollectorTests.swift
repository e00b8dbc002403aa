// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Testing

@testable import Relay

@Suite("Header collector")
struct IntakeHeaderCollectorTests {
    private func append(_ text: some Collection<UInt8>, to collector: inout HeaderCollector) -> HeaderCollector.Progress
    {
        let bytes = Array(text)
        return unsafe bytes.withUnsafeBytes { unsafe collector.append($0) }
    }

    @Test(
        "the empty line is found",
        arguments: [
            ("A: b\r\n\r\nbody", "A: b\r\n"), ("\r\nbody", ""), ("A: b\r\n\r\n", "A: b\r\n"),
            ("A: b\r\n\r\n\r\nbody", "A: b\r\n"), ("A: b\r\r\n\r\nbody", "A: b\r\r\n"), ("\r\r\n\r\nx", "\r\r\n"),
            ("A\r\n\r\r\n\r\nx", "A\r\n\r\r\n"), ("A\n\n\r\n\r\nx", "A\n\n\r\n"), ("A\r\n\n\r\n\r\nx", "A\r\n\n\r\n"),
            ("A\r\n \r\n\r\nx", "A\r\n \r\n"),
        ])
    func complete(content: String, headerSection: String) {
        let bytes = Array(content.utf8)
        let bodyStart = headerSection.utf8.count + 2
        for split in 0...bytes.count {
            var collector = HeaderCollector()
            let first = append(bytes[..<split], to: &collector)
            if split >= bodyStart {
                #expect(first == .complete(headerSection: Array(headerSection.utf8), bodyStart: bodyStart))
            } else {
                #expect(first == .incomplete)
                #expect(collector.bytes == Array(bytes[..<split]))
                #expect(
                    append(bytes[split...], to: &collector)
                        == .complete(headerSection: Array(headerSection.utf8), bodyStart: bodyStart - split))
            }
        }
    }

    @Test(
        "without an empty line there is no end",
        arguments: ["", "A", "A\r\n", "A\r\n\n", "A\n\n", "A\r\n\r", "A\r\n \r\n"])
    func incomplete(content: String) {
        var collector = HeaderCollector()
        for byte in content.utf8 { #expect(append([byte], to: &collector) == .incomplete) }
        #expect(collector.bytes == Array(content.utf8))
    }
}
