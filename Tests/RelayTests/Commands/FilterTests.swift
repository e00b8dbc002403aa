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
                .init(.activate, domain: "example.com", selector: selector, isUnproven: true))
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
            #expect(String(decoding: signed, as: UTF8.self).hasSuffix(text))
            #expect(MessageText(signed).hasBareLineEnds == !text.contains("\r\n"))
            let report = try await VerifyFilter(keyed.configuration).verify(signed, keyFile: keyed.records)
            #expect(report.isPass)
            #expect(
                report.lines.sorted() == [
                    "pass d=example.com s=e a=ed25519-sha256", "pass d=example.com s=r a=rsa-sha256",
                ])
        }
    }

    @Test("A changed message fails, and with the original at hand the report names the field")
    func changedMessage() async throws {
        let keyed = try await KeyedDirectory()
        defer { keyed.remove() }
        let signed = try SignFilter(keyed.configuration).sign(Array(Self.message.utf8))
        let changed = Array(String(decoding: signed, as: UTF8.self).replacing("One", with: "Two").utf8)
        let report = try await VerifyFilter(keyed.configuration)
            .verify(changed, original: signed, keyFile: keyed.records)
        #expect(!report.isPass)
        #expect(report.lines.count == 2)
        #expect(report.lines.allSatisfy { $0.hasPrefix("fail d=example.com") && $0.contains("subject") })
    }

    @Test("Without a record for its key a signature does not pass")
    func noRecord() async throws {
        let keyed = try await KeyedDirectory()
        defer { keyed.remove() }
        let signed = try SignFilter(keyed.configuration).sign(Array(Self.message.utf8))
        let report = try await VerifyFilter(keyed.configuration).verify(signed, keyFile: "# none\n\n")
        #expect(!report.isPass)
        #expect(report.lines.allSatisfy { $0.contains("no key record at") })
    }

    @Test("A message without a signature is reported as none")
    func unsigned() async throws {
        let report = try await VerifyFilter(Configuration(directory: "/")).verify(Array(Self.message.utf8), keyFile: "")
        #expect(report == VerifyFilter.Report(isPass: false, lines: ["none: the message has no DKIM-Signature field"]))
    }

    @Test(
        "What can't be signed is refused with a reason",
        arguments: [
            ("To: b@example.net\n\nx", "0 From fields"),
            ("From: a@example.com\nFrom: b@example.com\n\nx", "2 From fields"),
            ("From: a@example.com, b@example.com\n\nx", "one mailbox"),
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
        let records = try VerifyFilter.records(
            in: "# c\n\nS._domainkey.Example.com.\t v=DKIM1; p=A\r\nx.test p=B\nx.test p=C\n")
        #expect(
            records == ["s._domainkey.example.com": .texts(["v=DKIM1; p=A"]), "x.test": .texts(["p=B", "p=C"])])
        let error = #expect(throws: FilterError.self) { try VerifyFilter.records(in: "x.test p=A\nalone\n") }
        #expect(error?.text.contains("line 2") == true)
    }
}
