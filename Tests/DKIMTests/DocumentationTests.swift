// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Testing

/// Every piece of Swift in the documentation is one of `DocumentationExamples`, which compile and run.
@Suite struct DocumentationTests {
    private static let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func lines(_ path: String) throws -> [String] {
        try String(contentsOf: top.appending(path: path), encoding: .utf8).components(separatedBy: "\n")
    }

    private static func files(_ directory: String, suffix: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: top.appending(path: directory).path)
            .filter { $0.hasSuffix(suffix) }.sorted().map { "\(directory)/\($0)" }
    }

    /// The articles, the README, and the sources with their documentation comments.
    static func documents() throws -> [String] {
        try files("Sources/DKIM/DKIM.docc", suffix: ".md") + ["README.md"] + files("Sources/DKIM", suffix: ".swift")
    }

    /// What stands between two marks, without the indentation of its first line.
    private static func blocks(in lines: [String], from start: String, to end: String) -> [String] {
        var blocks: [String] = []
        var block: [String]?
        for line in lines {
            let bare = line.trimmingCharacters(in: .whitespaces)
            if let collected = block, bare == end {
                let indentation = collected.first?.prefix { $0 == " " }.count ?? 0
                let text = collected.map { String($0.dropFirst(min(indentation, $0.count))) }
                blocks.append(text.joined(separator: "\n"))
                block = nil
            } else if block != nil {
                block?.append(line)
            } else if bare == start {
                block = []
            }
        }
        return blocks
    }

    private static func swiftBlocks(_ path: String) throws -> [String] {
        var lines = try lines(path)
        if path.hasSuffix(".swift") {
            lines = lines.compactMap { line in
                line.wholeMatch(of: #/\s*///? ?(.*)/#).map { String($0.1) }
            }
        }
        return blocks(in: lines, from: "```swift", to: "```")
    }

    @Test(arguments: try documents())
    func `what the documentation quotes is code that compiles`(path: String) throws {
        let examples = try Self.blocks(
            in: Self.lines("Tests/DKIMTests/DocumentationExamples.swift"), from: "// example", to: "// end")
        for block in try Self.swiftBlocks(path) {
            #expect(examples.contains(block), "\(path) quotes what is no example:\n\(block)")
        }
    }

    @Test func `every example is quoted, and every article of the catalogue is listed`() throws {
        let examples = try Self.blocks(
            in: Self.lines("Tests/DKIMTests/DocumentationExamples.swift"), from: "// example", to: "// end")
        let quoted = try Set(Self.documents().flatMap { try Self.swiftBlocks($0) })
        #expect(examples.count == 15)
        for example in examples { #expect(quoted.contains(example), "nothing quotes\n\(example)") }
        let front = try Self.lines("Sources/DKIM/DKIM.docc/DKIM.md").joined(separator: "\n")
        for path in try Self.files("Sources/DKIM/DKIM.docc", suffix: ".md") where !path.hasSuffix("/DKIM.md") {
            let name = try #require(path.split(separator: "/").last).dropLast(".md".count)
            #expect(front.contains("- <doc:\(name)>"), "\(name) is not listed")
        }
    }

    @Test func `every kind of failure has its own name for scripts`() {
        let names = FailureCause.Kind.allCases.map(\.rawValue)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.wholeMatch(of: #/[a-z]+(-[a-z]+)*/#) != nil })
    }

    // MARK: The examples do what they say

    @Test func `the quick start passes, and its key can be kept`() throws {
        let output = DocumentationExamples.Lines()
        let (message, key) = try DocumentationExamples.quickStart(output)
        #expect(output.lines == ["pass "])
        let same = try DocumentationExamples.keyRecord(key, output)
        #expect(same.publicKey == key.publicKey)
        #expect(output.lines.last?.hasPrefix("s1._domainkey.example.com v=DKIM1; k=ed25519; p=") == true)
        let records = ["s1._domainkey.example.com": key.keyRecord.text]
        DocumentationExamples.verifier(message, records, output)
        #expect(output.lines.last == "pass ")
    }

    @Test func `the examples of signing fit together`() throws {
        let section = Array("From: app@example.com\r\nSubject: Hello\r\n".utf8)
        let bodyHash = try DocumentationExamples.streaming([[72], [105, 13], [10]])
        #expect(try bodyHash == DocumentationExamples.hasher([72, 105], [13, 10]))
        let keys = try [SigningKey.generate(.rsa(bits: 2048)), SigningKey.generate(.ed25519)]
        let templates = try zip(["r", "e"], keys).map {
            try SignatureTemplate(sdid: "example.com", selector: $0, key: $1)
        }
        let fields = try DocumentationExamples.several(section, bodyHash: bodyHash, templates[0], templates[1])
        let message = fields + section + Array("\r\nHi\r\n".utf8)
        let verifier = Verifier(now: DocumentationExamples.now) { name in
            .texts([keys[name.hasPrefix("r.") ? 0 : 1].keyRecord.text])
        }
        #expect(verifier.verify(message).map(\.result) == [.pass, .pass])
        let output = DocumentationExamples.Lines()
        try DocumentationExamples.input(message, output)
        #expect(output.lines.count == 4)
        #expect(output.lines[0].hasPrefix("from:app@example.com\r\nsubject:Hello\r\ndkim-signature:v=1; a=rsa-sha256"))
        #expect(output.lines[3] == "true")
        #expect(DocumentationExamples.fields()[0] != DocumentationExamples.fields()[1])
        #expect(try !DocumentationExamples.template(section, bodyHash: bodyHash, key: keys[1]).isEmpty)
    }

    @Test func `the examples of verifying say what they promise`() async throws {
        let output = DocumentationExamples.Lines()
        let (message, key) = try DocumentationExamples.quickStart(output)
        let verifications = await DocumentationExamples.lookingUp(message, output) { _ in .texts([key.keyRecord.text]) }
        #expect(output.lines.last == "pass")
        DocumentationExamples.coverage(verifications, output)
        #expect(
            output.lines.suffix(3) == [
                "signed by example.com", "anyone may have written []", "octets at the end that nobody signed: 0",
            ])
        let changed = Array(String(decoding: message, as: UTF8.self).replacing("Hello", with: "[list] Hello").utf8)
        let records = ["s1._domainkey.example.com": key.keyRecord.text]
        DocumentationExamples.explaining(changed, original: message, records, output)
        #expect(
            output.lines.suffix(2) == [
                "header: field-changed the field Subject matches without the [tag] at its start: a mailing list put it there",
                "the field subject differs from octet 9 of its canonical form on",
            ])
        #expect(DocumentationExamples.quick(records).verify(changed).map(\.header?.cause) == [nil])
    }

    @Test func `the choices of fields hold what their comments say`() {
        let choices = DocumentationExamples.fieldChoices()
        #expect(!choices[1].names.contains("date") && !choices[1].names.contains("message-id"))
        #expect(choices[2].names.contains("x-invoice") && choices[2].names.contains("from"))
        #expect(choices[0] != .standard && choices[0].names == SignedFields.standard.names)
    }
}
