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
        let message = MessageText(verifying: Array(file.utf8))
        #expect(String(decoding: message.wire, as: UTF8.self) == wire)
        #expect(message.restoringLineEnds(message.wire) == Array(file.utf8))
    }

    @Test("A message that has CRLF is left as it is")
    func wireStays() {
        let bytes = Array("a\r\nb\nc\r\n".utf8)
        let message = MessageText(verifying: bytes)
        #expect(message.wire == bytes)
        #expect(message.restoringLineEnds(bytes) == bytes)
    }

    @Test(
        "Header section and body are found",
        arguments: [
            ("A: b\r\n\r\nbody", 6, 8), ("A: b\r\n\r\n", 6, 8), ("A: b\r\n", 6, 6), ("\r\nbody", 0, 2), ("", 0, 0),
        ])
    func parts(_ text: String, _ headerEnd: Int, _ bodyStart: Int) {
        let parts = MessageText(verifying: Array(text.utf8)).parts
        #expect(parts.headerEnd == headerEnd)
        #expect(parts.bodyStart == bodyStart)
    }

    @Test("The line that a mailbox file puts before a message is not part of it")
    func mailboxLine() {
        let message = MessageText(verifying: Array("From a@b Mon Jan  1 00:00:00 2026\nA: b\n\nx\n".utf8))
        #expect(String(decoding: message.wire, as: UTF8.self) == "A: b\r\n\r\nx\r\n")
    }

    @Test(
        "A message to be signed gets CRLF everywhere, an end to its last line, and an empty line after its fields",
        arguments: [
            ("A: b\n\nx\n", "A: b\r\n\r\nx\r\n"), ("A: b\r\n\nx\ny\r\n", "A: b\r\n\r\nx\r\ny\r\n"),
            ("A: b\r\n\r\nx", "A: b\r\n\r\nx\r\n"), ("A: b", "A: b\r\n\r\n"), ("A: b\n", "A: b\r\n\r\n"),
            ("A: b\r\n\r\n", "A: b\r\n\r\n"), ("\r\nx\r\n", "\r\nx\r\n"),
        ])
    func signing(_ text: String, _ wire: String) throws {
        let message = try MessageText(signing: Array(text.utf8))
        #expect(String(decoding: message.wire, as: UTF8.self) == wire)
        let again = try MessageText(signing: message.wire)
        #expect(again.wire == message.wire)
    }

    @Test(
        "What verifiers read differently can't be signed, and its line is named",
        arguments: [
            ("A: b\r\n\r\nx\ry\r\n", "line 3 has a CR without LF"), ("A: b\n\nx\r", "line 3 has a CR without LF"),
            ("A: b\n\n\0\n", "line 3 has a NUL"), ("A: \rb\n\n", "line 1 has a CR without LF"),
        ])
    func unsignable(_ text: String, _ words: String) {
        let error = #expect(throws: FilterError.self) { _ = try MessageText(signing: Array(text.utf8)) }
        #expect(error?.text.contains(words) == true, "\(error?.text ?? "")")
    }
}
