// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Signing
import Testing

@testable import Relay

/// A directory with keys of `example.com`, made by the commands themselves.
private struct KeyedDirectory {
    let configuration: Configuration
    let records: String

    init(activating: Bool = true) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "waxwing-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        configuration = Configuration(directory: directory.path)
        let access = KeyAccess(configuration)
        for (selector, algorithm) in [("r", "rsa-2048"), ("e", "ed25519")] {
            let made = try await access.perform(
                .init(.generate, domain: "example.com", selector: selector, algorithm: algorithm))
            try #require(!made.isError, "\(made.text)")
            guard activating else { continue }
            let active = try await access.perform(
                .init(.activate, domain: "example.com", selector: selector, isForced: true))
            try #require(!active.isError, "\(active.text)")
        }
        records = try await access.perform(.init(.show, domain: "example.com", format: .plain)).text
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: configuration.directory)
    }
}

@Suite struct FilterTests {
    private static let message = "From: A <a@example.com>\nTo: b@example.net\nSubject: One\n\nBody.\n"

    @Test("A message that was signed verifies with the records that keys show prints, with both line ends")
    func signAndVerify() async throws {
        let keyed = try await KeyedDirectory()
        defer { keyed.remove() }
        for text in [Self.message, Self.message.replacing("\n", with: "\r\n")] {
            let signed = try SignFilter(keyed.configuration).sign(Array(text.utf8))
            #expect(String(decoding: signed.message, as: UTF8.self).hasSuffix(text))
            #expect(MessageText(verifying: signed.message).hasBareLineEnds == !text.contains("\r\n"))
            #expect(Set(signed.inputs.map(\.signature.algorithmName)) == ["rsa-sha256", "ed25519-sha256"])
            #expect(signed.inputs.allSatisfy { $0.bodyHash == $0.signature.bodyHash })
            let report = try await VerifyFilter(keyed.configuration).verify(signed.message, keyFile: keyed.records)
            #expect(report.outcome == .good)
            #expect(report.result == "pass")
            #expect(report.author == "example.com")
            #expect(report.signatures.map(\.result) == ["pass", "pass"])
            #expect(report.signatures.map(\.alignment?.mode) == [.exact, .exact])
            #expect(
                report.signatures.map { "\($0.selector ?? "") \($0.key?.kind ?? "")" }.sorted() == [
                    "e ed25519", "r rsa-2048",
                ])
        }
    }

    @Test("A signature that is there already is signed around, and is not among what was made")
    func signedTwice() async throws {
        let keyed = try await KeyedDirectory()
        defer { keyed.remove() }
        let once = try SignFilter(keyed.configuration).sign(Array(Self.message.utf8))
        let twice = try SignFilter(keyed.configuration).sign(once.message)
        #expect(twice.inputs.count == 2)
        let report = try await VerifyFilter(keyed.configuration).verify(twice.message, keyFile: keyed.records)
        #expect(report.signatures.map(\.result) == Array(repeating: "pass", count: report.signatures.count))
    }

    @Test("A changed message fails, and with the original at hand the report names the field")
    func changedMessage() async throws {
        let keyed = try await KeyedDirectory()
        defer { keyed.remove() }
        let signed = try SignFilter(keyed.configuration).sign(Array(Self.message.utf8)).message
        let changed = Array(String(decoding: signed, as: UTF8.self).replacing("One", with: "Two").utf8)
        let report = try await VerifyFilter(keyed.configuration)
            .verify(changed, original: signed, keyFile: keyed.records)
        #expect(report.outcome == .bad)
        #expect(report.signatures.map(\.result) == ["fail", "fail"])
        #expect(report.signatures.allSatisfy { $0.reason.contains("subject") && $0.header?.isIntact == false })
        #expect(report.signatures.allSatisfy { $0.header?.cause?.kind == "field-changed" && $0.body?.isIntact == true })
    }

    @Test("Without the original a body with other line ends is told from another body")
    func changedBody() async throws {
        let keyed = try await KeyedDirectory()
        defer { keyed.remove() }
        let text = Self.message.replacing("\n", with: "\r\n") + "More.\r\n"
        let signed = String(
            decoding: try SignFilter(keyed.configuration).sign(Array(text.utf8)).message, as: UTF8.self)
        for (changed, kind) in [
            (signed.replacing("Body.\r\n", with: "Body.\n"), "body-line-ends"),
            (signed.replacing("Body.", with: "Corpse."), "body-changed"),
        ] {
            let report = try await VerifyFilter(keyed.configuration).verify(Array(changed.utf8), keyFile: keyed.records)
            let body = try #require(report.signatures.first?.body)
            #expect(body.cause?.kind == kind)
            #expect(body.computed != body.expected)
            #expect(report.signatures.first?.header?.isIntact == true)
        }
    }

    @Test("Without a record for its key a signature does not pass")
    func noRecord() async throws {
        let keyed = try await KeyedDirectory()
        defer { keyed.remove() }
        let signed = try SignFilter(keyed.configuration).sign(Array(Self.message.utf8)).message
        let report = try await VerifyFilter(keyed.configuration).verify(signed, keyFile: "# none\n\n")
        #expect(report.outcome == .bad)
        #expect(report.signatures.allSatisfy { $0.reason.contains("no key record at") && $0.key?.kind == nil })
    }

    @Test("A message without a signature is reported as none")
    func unsigned() async throws {
        let report = try await VerifyFilter(Configuration(directory: "/")).verify(Array(Self.message.utf8), keyFile: "")
        #expect(report == VerifyDocument(outcome: .bad, result: "none", author: "example.com", signatures: []))
    }

    @Test(
        "A signature that passes is not enough: its domain must be aligned with that of From",
        arguments: [
            ("From: a@example.com", VerifyDocument.Outcome.good, "exact"),
            ("From: a@mail.example.com", .good, "relaxed"), ("From: a@example.org", .bad, "none"),
            ("From: a@example.com, b@example.com", .good, "exact"), ("From: a@example.com, b@example.org", .bad, nil),
            ("From: nobody", .bad, nil), ("From: a@example.com\r\nFrom: b@example.com", .bad, nil),
        ] as [(String, VerifyDocument.Outcome, String?)])
    func alignment(_ from: String, _ outcome: VerifyDocument.Outcome, _ mode: String?) async throws {
        let key = try SigningKey.generate(.ed25519)
        let section = Array("\(from)\r\nSubject: One\r\n".utf8)
        let template = try SignatureTemplate(sdid: "example.com", selector: "s", key: key)
        let hash = try BodyHasher(.relaxed).finish()
        let field = try template.sign(
            HeaderFields(section), bodyHash: hash, signedAt: 1_700_000_000, expiresAt: nil)
        let report = try await VerifyFilter(Configuration(directory: "/")).verify(
            field + section + [13, 10], keyFile: "s._domainkey.example.com \(key.keyRecord.text)\n")
        #expect(report.signatures.map(\.result) == ["pass"])
        #expect(report.outcome == outcome)
        #expect(report.signatures.first?.alignment?.mode.rawValue == mode)
        #expect((report.authorProblem == nil) == (mode != nil))
    }

    @Test(
        "What can't be signed is refused with a reason",
        arguments: [
            ("To: b@example.net\n\nx", "0 From fields"),
            ("From: a@example.com\nFrom: b@example.com\n\nx", "2 From fields"),
            ("From: a@example.com, b@example.com\n\nx", "one mailbox"),
            ("From: =?utf-8?q?<a@other.test>?= <a@example.com>\n\nx", "different authors"),
            ("From: <@other.test:a@example.com>\n\nx", "different authors"),
            ("From: a@example(b).com\n\nx", "plainly, as From: <a@example.com>"),
            ("From: \"=?utf-8?q?a=40other.test?=\"@example.com\n\nx", "different authors"),
            ("From: a@other.test\n\nx", "waxwing keys generate other.test"),
            ("nonsense\n\nx", "line 1"),
        ])
    func refused(_ text: String, _ words: String) async throws {
        let keyed = try await KeyedDirectory()
        defer { keyed.remove() }
        let error = #expect(throws: FilterError.self) { try SignFilter(keyed.configuration).sign(Array(text.utf8)) }
        #expect(error?.text.contains(words) == true, "\(error?.text ?? "")")
    }

    @Test("A key that is not active signs nothing, and the reason names the command")
    func inactive() async throws {
        let keyed = try await KeyedDirectory(activating: false)
        defer { keyed.remove() }
        let error = #expect(throws: FilterError.self) {
            try SignFilter(keyed.configuration).sign(Array(Self.message.utf8))
        }
        #expect(error?.text.contains("waxwing keys activate example.com") == true)
    }

    @Test("The lines of a key file are a name, white space and a record")
    func keyFiles() throws {
        let records = try KeyFile.records(
            in: "# c\n\nS._domainkey.Example.com.\t v=DKIM1; p=A\r\nx.test p=B\nx.test p=C\n")
        #expect(
            records == ["s._domainkey.example.com": .texts(["v=DKIM1; p=A"]), "x.test": .texts(["p=B", "p=C"])])
        #expect(
            try KeyFile.records(in: "x.test \"v=DKIM1; \" \"p=A\"\n") == ["x.test": .texts(["v=DKIM1; p=A"])])
        for text in ["x.test p=A\nalone\n", "x.test p=A\nx.test \"p=A\n"] {
            let error = #expect(throws: FilterError.self) { try KeyFile.records(in: text) }
            #expect(error?.text.contains("line 2") == true)
        }
    }
}
