// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Glibc
import Testing

@testable import Signing

@Suite("The examples of Hook.md")
struct PublishHookExampleTests {
    /// The code after a line of three backquotes and the language.
    static func example(_ language: String) throws -> String {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Sources/Signing/Publishing/Hook.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let start = try #require(text.firstRange(of: "```\(language)\n"))
        let code = text[start.upperBound...]
        let end = try #require(code.firstRange(of: "```\n"))
        return String(code[..<end.lowerBound])
    }

    static func write(_ code: String, to path: String) throws {
        try Data(code.utf8).write(to: URL(fileURLWithPath: path))
        guard unsafe chmod(path, 0o755) == 0 else { throw KeyError("chmod") }
    }

    static let text = "v=DKIM1; k=rsa; n=\"\\; p=" + String(repeating: "A", count: 392)

    @Test("the shell's hands PowerDNS the whole record, in strings")
    func shell() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let hook = fixture.path("hook")
        try Self.write(try Self.example("sh"), to: hook)
        let tool = fixture.path("pdnsutil")
        try Self.write("#!/bin/sh\nprintf '%s\\n' \"$@\" >> \"${0%/*}/calls\"\n", to: tool)
        let change = try PublishHookFixture.change(wanted: Self.text)
        let result = try await fixture.run([hook, "example.com", tool], change: change)
        #expect(result == .submitted("publisher \"own\": publish in PowerDNS"))
        let calls = try fixture.content("calls").split(separator: "\n").map(String.init)
        #expect(
            calls.prefix(5) == ["replace-rrset", "example.com", "s1._domainkey.example.com.", "TXT", "1800"])
        let strings = try RecordFormatReader.quotedStrings(calls[5])
        #expect(strings.joined() == Self.text && strings.allSatisfy { $0.utf8.count <= 255 })
        #expect(calls.dropFirst(6) == ["increase-serial", "example.com"])
        let removal = try PublishHookFixture.change(.remove, wanted: nil)
        #expect(try await fixture.run([hook, "example.com", tool], change: removal).failure == nil)
        let removed = try fixture.content("calls").split(separator: "\n").dropFirst(8).map(String.init)
        #expect(removed == ["delete-rrset", "example.com", "s1._domainkey.example.com.", "TXT"] + calls.suffix(2))
    }

    @Test(
        "Python's keeps a file of a zone, and asks again when the server can't load it",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")))
    func python() async throws {
        let fixture = try PublishHookFixture()
        defer { fixture.remove() }
        let hook = fixture.path("hook")
        try Self.write(try Self.example("python"), to: hook)
        let other = "s2._domainkey.example.com. 60 IN TXT \"v=DKIM1; p=\"\n"
        let include = fixture.path("include")
        try Data(other.utf8).write(to: URL(fileURLWithPath: include))
        let change = try PublishHookFixture.change(wanted: Self.text)
        // Twice is the same as once.
        for _ in 0..<2 {
            let result = try await fixture.run([hook, include, "true"], change: change)
            #expect(result == .submitted("publisher \"own\": publish in \(include)"))
        }
        let records = try RecordFormatReader.zoneFile(try fixture.content("include"))
        #expect(records.map(\.name) == ["s2._domainkey.example.com", "s1._domainkey.example.com"])
        #expect(records[1].text == Self.text && records[1].ttl == 1800)
        let failure = try await fixture.run([hook, include, "false"], change: change).failure
        #expect(failure?.contains("again later") == true)
        let removal = try PublishHookFixture.change(.remove, wanted: nil)
        #expect(try await fixture.run([hook, include, "true"], change: removal).failure == nil)
        #expect(try fixture.content("include") == other)
    }
}
