// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import TestSupport
import Testing

@testable import Relay

@Suite struct KeyLocatorTests {
    typealias Step = KeyLocator.Step

    @Test("Keys of all spellings are found")
    func spellings() {
        let locator = KeyLocator(
            """
            # a comment with key = "value"
            top = 1
            a.b = '''
            [not.a.table]
            key = 2
            '''
            [limits] # trailing
            "errors" = 5
              'sessions'   =   6
            list = [
              1, # one = 1
              "two",
              { three = 3, four.five = 4 },
            ]
            text = \"\"\"
            x = 1 \\\"\"\" y = 2
            \"\"\"
            after = true
            [[route]]
            name = "a]b#c"
            [[route]]
            name = "d"
            [route.inner]
            deep = 1
            """)
        let expected: [([Step], Int)] = [
            ([.key("top")], 2), ([.key("a"), .key("b")], 3), ([.key("limits")], 7),
            ([.key("limits"), .key("errors")], 8), ([.key("limits"), .key("sessions")], 9),
            ([.key("limits"), .key("list")], 10), ([.key("limits"), .key("list"), .index(0)], 11),
            ([.key("limits"), .key("list"), .index(1)], 12),
            ([.key("limits"), .key("list"), .index(2), .key("three")], 13),
            ([.key("limits"), .key("list"), .index(2), .key("four"), .key("five")], 13),
            ([.key("limits"), .key("text")], 15), ([.key("limits"), .key("after")], 18),
            ([.key("route")], 19), ([.key("route"), .index(0)], 19), ([.key("route"), .index(0), .key("name")], 20),
            ([.key("route"), .index(1)], 21), ([.key("route"), .index(1), .key("name")], 22),
            ([.key("route"), .index(1), .key("inner"), .key("deep")], 24),
        ]
        for (path, line) in expected { #expect(locator.lines[path] == line, "\(KeyLocator.text(of: path))") }
        #expect(locator.lines[[.key("not")]] == nil)
        #expect(locator.lines[[.key("limits"), .key("x")]] == nil)
        #expect(locator.lines[[.key("limits"), .key("y")]] == nil)
    }

    @Test("A key that is not found gets the line of the table around it")
    func fallsBackToTheTable() {
        let locator = KeyLocator("\n[limits]\nerrors = 1\n")
        #expect(locator.line(of: [.key("limits"), .key("missing"), .key("deeper")]) == 2)
        #expect(locator.line(of: [.key("missing")]) == nil)
    }

    @Test("Nothing is guessed after text that is not understood")
    func unsureKnowsNothing() {
        let locator = KeyLocator("[a]\nb = \"\"\"never closed\nc = 1\n[d]\n")
        #expect(locator.line(of: [.key("a"), .key("c")]) == 1)
        #expect(locator.line(of: [.key("d")]) == nil)
    }

    @Test("Deep nesting ends the search, not the program")
    func depthIsBounded() {
        let deep = "a = " + String(repeating: "[", count: 100_000)
        #expect(KeyLocator(deep).line(of: [.key("a")]) == 1)
    }

    @Test("Any octets are survived", arguments: 0..<200 as Range<UInt64>)
    func noise(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("[]{}=.,#\"'\\\n\r\t ab1\u{e4}")
        let text = String(
            (0..<Int.random(in: 0...300, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "a" })
        let last = text.utf8.count { $0 == UInt8(ascii: "\n") } + 1
        #expect(KeyLocator(text).lines.values.allSatisfy { (1...last).contains($0) }, "seed \(seed)")
    }

    @Test(
        "In random documents that the parser accepts every key is found on its line",
        arguments: 0..<300 as Range<UInt64>)
    func randomDocuments(_ seed: UInt64) throws {
        var writer = DocumentWriter(seed: seed)
        writer.writeDocument()
        _ = try TOMLNode.parse(writer.text)
        let locator = KeyLocator(writer.text)
        for (path, line) in writer.expected {
            #expect(locator.lines[path] == line, "seed \(seed): \(KeyLocator.text(of: path))\n\(writer.text)")
        }
    }
}
