// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import TestSupport
import Testing

@testable import Relay

@Suite("Standard input of sendmail") struct SendmailInputTests {
    private func read(_ text: String, endsAtDot: Bool = true, limit: Int = 1000) throws -> String {
        var input = SendmailInput(endsAtDot: endsAtDot, maximumOctets: limit)
        try input.append(text.utf8)
        return String(decoding: try input.finish(), as: UTF8.self)
    }

    @Test(
        "has CRLF at the end of each line",
        arguments: [
            ("a\nb\n", "a\r\nb\r\n"), ("a\r\nb\r\n", "a\r\nb\r\n"), ("a\r\n\nb", "a\r\n\r\nb\r\n"), ("", ""),
            ("\n", "\r\n"), ("a", "a\r\n"),
        ])
    func lineEnds(text: String, expected: String) throws {
        #expect(try read(text) == expected)
    }

    @Test(
        "ends at a line with a single dot, unless -i is given",
        arguments: ["a\n.\nb\n", "a\r\n.\r\nb\r\n", "a\n."])
    func dot(text: String) throws {
        #expect(try read(text) == "a\r\n")
        #expect(try read(text, endsAtDot: false).hasPrefix("a\r\n.\r\n"))
    }

    @Test("keeps dots that are more than one, or not alone", arguments: ["..\n", ".a\n", "a.\n", " .\n"])
    func otherDots(text: String) throws {
        #expect(try read(text + "b\n") == text.replacing("\n", with: "\r\n") + "b\r\n")
    }

    @Test("is refused with a CR in a line, a NUL, or more octets than a message may have")
    func refused() {
        for text in ["a\rb\n", "a\r", "a\r\r\n", "a\0b\n"] {
            let error = #expect(throws: SendmailError.self) { try read(text) }
            #expect(error?.status == .dataError)
            #expect(error?.description.contains("line 1") == true)
        }
        #expect(throws: SendmailError.self) { try read("12345\n", limit: 6) }
        #expect(throws: Never.self) { try read("1234\n", limit: 6) }
    }

    @Test("reads the same however the pipe splits it")
    func splits() throws {
        var random = SeededGenerator(seed: 27)
        for _ in 0..<500 {
            let text = (0..<Int.random(in: 0..<30, using: &random)).map { _ in
                ["a", ".", "\n", "\r\n"].randomElement(using: &random) ?? "a"
            }.joined()
            let endsAtDot = Bool.random(using: &random)
            var input = SendmailInput(endsAtDot: endsAtDot, maximumOctets: 1000)
            for byte in text.utf8 { try input.append([byte]) }
            let bytewise = String(decoding: try input.finish(), as: UTF8.self)
            #expect(try read(text, endsAtDot: endsAtDot) == bytewise, "\(text.debugDescription)")
        }
    }
}
