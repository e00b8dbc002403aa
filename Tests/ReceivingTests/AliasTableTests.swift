// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import TestSupport
import Testing

@testable import Receiving

@Suite("Aliases")
struct AliasTableTests {
    private func expand(_ name: String, _ text: String) throws -> [String]? {
        let table = try AliasTable(Array(text.utf8))
        return table.expansion(of: name).map { $0.mailboxes.map(\.description) + $0.names }
    }

    private func faults(_ text: String) -> [AliasFault] {
        do throws(AliasFaults) {
            _ = try AliasTable(Array(text.utf8))
            return []
        } catch {
            return error.faults
        }
    }

    @Test("the file that a fresh system has")
    func usual() throws {
        let text =
            "# /etc/aliases\nmailer-daemon: postmaster\npostmaster: root\nnobody: root\n\nroot: ada@example.com\n"
        for name in ["root", "postmaster", "Mailer-Daemon", "NOBODY"] {
            #expect(try expand(name, text) == ["ada@example.com"])
        }
        #expect(try expand("ada", text) == nil)
    }

    @Test("comments, continuation lines, quotes, white space and line ends")
    func syntax() throws {
        let text =
            "root : ada@example.com ,\r\n  # a comment between\r\n\r\n\t\"grace hopper\"@example.com,, (the chief) bob@example.net\r\n"
            + "\"two words\": Ada <ada@example.com>\r\n   # indented comment\r\nlast: x@example.com"
        #expect(try expand("root", text) == ["ada@example.com", "\"grace hopper\"@example.com", "bob@example.net"])
        #expect(try expand("two words", text) == ["ada@example.com"])
        #expect(try expand("last", text) == ["x@example.com"])
        #expect(try expand("x", "") == nil)
    }

    @Test("names lead on, a backslash and the name itself end the way")
    func names() throws {
        #expect(try expand("root", "root: root, ada@example.com\n") == ["ada@example.com", "root"])
        #expect(try expand("a", "a: \\b, c\nb: x@example.com\n") == ["b", "c"])
        #expect(try expand("a", "a: b@localhost\nb: x@example.com\n") == ["x@example.com"])
        #expect(try expand("a", "a: b, c\nb: d\nc: d\nd: x@example.com, y\n") == ["x@example.com", "y"])
    }

    @Test(
        "what can't be meant is named with its line",
        arguments: [
            ("\nprogram: \"|/usr/bin/vacation ada\"\n", 2, "is a command"), ("a: |cat\n", 1, "is a command"),
            ("a: /var/mail/a\n", 1, "is a file"), ("a: \"/var/mail/a b\"\n", 1, "is a file"),
            ("a: :include:/etc/list\n", 1, "includes another file"),
            ("a: b@example.com,\n :Include:/x\n", 1, "includes"),
            (" x: y\n", 1, "continues nothing"), ("root ada@example.com\n", 1, "no colon"),
            ("a:\n", 1, "no address"), ("a: ,\nb: c@example.com\n", 1, "no address"),
            (": x\n", 1, "no name of a user"), ("a@example.com: b@example.com\n", 1, "no name of a user"),
            ("a: b@example.com\n\nA: c@example.com\n", 3, "already an alias \"A\" on line 1"),
            ("a: not an address\n", 1, "\"not an address\" is no address"), ("a: x@\n", 1, "is no address"),
            ("a: \"open\n", 1, "is no address"),
            ("x: y@example.com\na: b\nb: c\nc: a\n", 2, "goes in a circle: a to b to c to a"),
        ] as [(String, Int, String)])
    func faults(text: String, line: Int, problem: String) throws {
        let found = faults(text)
        #expect(found.count == 1, "\(found)")
        let fault = try #require(found.first)
        #expect(fault.line == line && fault.problem.contains(problem), "\(fault)")
        #expect(!fault.remedy.isEmpty)
    }

    @Test("all faults are told at once, in the order of the lines")
    func allFaults() {
        #expect(faults("a\nb: |x\nc: d@example.com\ne: /f\n").map(\.line) == [1, 2, 4])
    }

    @Test("a way of more than 20 aliases, and a file of more than 1 MiB, are refused")
    func bounds() throws {
        func chain(_ length: Int) -> String {
            (0..<length).map { "a\($0): a\($0 + 1)\n" }.joined()
        }
        #expect(try expand("a0", chain(20)) == ["a20"])
        #expect(faults(chain(50)).contains { $0.problem.contains("more than 20 aliases") })
        #expect(faults(String(repeating: "#\n", count: 1 << 19)).isEmpty)
        #expect(
            faults(String(repeating: "#\n", count: 1 << 19) + "#").first?.problem.contains("larger than 1 MiB") == true)
    }

    @Test("many ways to the same aliases cost no more than the aliases")
    func diamonds() throws {
        let text = (0..<19).map { "a\($0): b\($0), c\($0)\nb\($0): a\($0 + 1)\nc\($0): a\($0 + 1)\n" }
        // Each pair doubles the ways: 2^9 of them within the bound of 20 steps.
        #expect(try expand("a0", text.prefix(9).joined()) == ["a9"])
    }

    @Test("no octets make it stop, and what it takes ends at addresses")
    func anyOctets() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let pieces = [
            "a", "b", ":", ",", " ", "\n", "\t", "\"", "\\", "(", ")", "@", "x.test", "|", "/", "#", "\r", "\0", "<",
            ">",
        ]
        for _ in 0..<5000 {
            let text = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
                pieces.randomElement(using: &generator) ?? ""
            }.joined()
            guard let table = try? AliasTable(Array(text.utf8)) else { continue }
            for name in ["a", "b", "ab"] {
                guard let found = table.expansion(of: name) else { continue }
                #expect(!found.names.isEmpty || !found.mailboxes.isEmpty, "seed \(seed): \(text)")
            }
        }
    }
}
