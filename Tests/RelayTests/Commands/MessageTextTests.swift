// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import Relay

@Suite struct MessageTextTests {
    @Test(
        "Lines of a file become lines of the wire and back",
        arguments: [
            ("a\nb\n", "a\r\nb\r\n"), ("\n", "\r\n"), ("a", "a"), ("", ""), ("a\n\n\nb", "a\r\n\r\n\r\nb"),
        ])
    func lineEnds(_ file: String, _ wire: String) {
        let message = MessageText(Array(file.utf8))
        #expect(String(decoding: message.wire, as: UTF8.self) == wire)
        #expect(message.restoringLineEnds(message.wire) == Array(file.utf8))
    }

    @Test("A message that has CRLF is left as it is")
    func wireStays() {
        let bytes = Array("a\r\nb\nc\r\n".utf8)
        let message = MessageText(bytes)
        #expect(message.wire == bytes)
        #expect(message.restoringLineEnds(bytes) == bytes)
    }

    @Test(
        "Header section and body are found",
        arguments: [
            ("A: b\r\n\r\nbody", 6, 8), ("A: b\r\n\r\n", 6, 8), ("A: b\r\n", 6, 6), ("\r\nbody", 0, 2), ("", 0, 0),
        ])
    func parts(_ text: String, _ headerEnd: Int, _ bodyStart: Int) {
        let parts = MessageText(Array(text.utf8)).parts
        #expect(parts.headerEnd == headerEnd)
        #expect(parts.bodyStart == bodyStart)
    }
}
