// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import TestSupport

@testable import Relay

/// Writes random TOML documents and remembers the line of everything that it writes.
struct DocumentWriter {
    typealias Step = KeyLocator.Step

    private(set) var text = ""
    private(set) var expected: [[Step]: Int] = [:]
    private var line = 1
    private var random: SeededGenerator
    private var names = 0

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    mutating func writeDocument() {
        for _ in 0..<number(0...4) { writePair(in: []) }
        for _ in 0..<number(0...4) {
            if chance(2) { writeTable() } else { writeArrayOfTables() }
        }
    }

    private mutating func writeTable() {
        var keys: [String] = []
        for _ in 0..<number(1...3) { keys.append(newName()) }
        let path = keys.map(Step.key)
        expected[path] = line
        var spelled: [String] = []
        for key in keys { spelled.append(spell(key)) }
        write(indent() + "[" + spelled.joined(separator: chance(4) ? " . " : ".") + "]" + tail())
        for _ in 0..<number(0...4) { writePair(in: path) }
    }

    private mutating func writeArrayOfTables() {
        let name = newName()
        for index in 0..<number(1...3) {
            let path = [Step.key(name), .index(index)]
            expected[path] = line
            write("[[" + name + "]]" + tail())
            for _ in 0..<number(0...3) { writePair(in: path) }
            if chance(3) {
                let inner = newName()
                expected[path + [.key(inner)]] = line
                write("[\(name).\(inner)]" + tail())
                for _ in 0..<number(0...2) { writePair(in: path + [.key(inner)]) }
            }
        }
    }

    private mutating func writePair(in table: [Step]) {
        if chance(3) { write(["", "# key = 1", "  # [table]", "#\"\"\""].randomElement(using: &random) ?? "") }
        if !text.isEmpty, !text.hasSuffix("\n") { write("\n") }
        write(indent())
        writeKeyAndValue(in: table, depth: 0)
        write(tail())
    }

    private mutating func writeKeyAndValue(in table: [Step], depth: Int) {
        var path = table
        var spelled: [String] = []
        for _ in 0..<(chance(4) ? 2 : 1) {
            let name = newName()
            path.append(.key(name))
            expected[path] = line
            spelled.append(spell(name))
        }
        write(spelled.joined(separator: ".") + (chance(2) ? " = " : "="))
        writeValue(at: path, depth: depth)
    }

    private mutating func writeValue(at path: [Step], depth: Int) {
        switch number(0...(depth < 3 ? 8 : 6)) {
        case 0: write("\(number(0...99))")
        case 1: write(chance(2) ? "true" : "1979-05-27T07:32:00Z")
        case 2: write("\"a # ] } , \\\" = b\"")
        case 3: write("'c:\\d\" [x] = '")
        case 4: write("\"\"\"\nkey = 1\n[t]\n\"\" \\\"\"\" x\"\"\"" + (chance(2) ? "\"" : ""))
        case 5: write("'''\n'' = 1\n# '''" + (chance(2) ? "''" : ""))
        case 6: write(chance(2) ? "\"\"" : "''")
        case 7: writeArray(at: path, depth: depth)
        default: writeInlineTable(at: path, depth: depth)
        }
    }

    private mutating func writeArray(at path: [Step], depth: Int) {
        write("[")
        for index in 0..<number(0...3) {
            if chance(2) { write("\n  # ], comment\n  ") }
            expected[path + [.index(index)]] = line
            writeValue(at: path + [.index(index)], depth: depth + 1)
            write(chance(3) ? " ,\n" : ", ")
        }
        write("]")
    }

    private mutating func writeInlineTable(at path: [Step], depth: Int) {
        write("{ ")
        for index in 0..<number(0...3) {
            if index > 0 { write(", ") }
            writeKeyAndValue(in: path, depth: depth + 1)
        }
        write(" }")
    }

    private mutating func write(_ piece: String) {
        text += piece
        line += piece.utf8.count { $0 == UInt8(ascii: "\n") }
    }

    private mutating func tail() -> String {
        [" # x = 1\n", "\n", "  \n", "\n\n", "\r\n"].randomElement(using: &random) ?? "\n"
    }

    private mutating func indent() -> String {
        chance(4) ? "\t " : ""
    }

    private mutating func newName() -> String {
        names += 1
        return "k\(names)"
    }

    private mutating func spell(_ name: String) -> String {
        switch number(0...4) {
        case 0: "\"\(name)\""
        case 1: "'\(name)'"
        default: name
        }
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &random)
    }

    /// True once in so many times.
    private mutating func chance(_ times: Int) -> Bool {
        number(1...times) == 1
    }
}
