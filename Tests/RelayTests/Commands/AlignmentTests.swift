// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail
import Testing

@testable import Relay

/// Text records in a table; what isn't in it does not exist.
struct TextTable: Resolver {
    var records: [String: [String]]
    /// Names whose servers don't answer.
    var silent: Set<String> = []

    func mx(_ name: String) async throws(DNSError) -> MXAnswer { .nameError }
    func addresses(_ host: String) async throws(DNSError) -> [IPAddress] { throw .nameError }

    func txt(_ name: String) async throws(DNSError) -> TXTAnswer {
        if silent.contains(name) { throw .temporary("SERVFAIL") }
        guard let texts = records[name] else { return .nameError }
        return .records(texts.map { Array($0.utf8) })
    }
}

@Suite struct AlignmentTests {
    private static func domain(_ name: String) throws -> Domain { try #require(Domain(name)) }

    // MARK: The walk (RFC 9989 §4.10)

    @Test(
        "The organizational domain is the one that the DMARC records name",
        arguments: [
            // Without any record a domain is its own organization.
            ("a.example.com", [:], "a.example.com"),
            ("a.b.example.com", ["example.com": ["v=DMARC1; p=none"]], "example.com"),
            // The one with the fewest labels decides.
            ("a.b.example.com", ["b.example.com": ["v=DMARC1"], "example.com": ["v=DMARC1; p=reject"]], "example.com"),
            // A record that says that it is the top ends the walk.
            (
                "a.b.example.com", ["b.example.com": ["v=DMARC1; psd=n"], "example.com": ["v=DMARC1; p=none"]],
                "b.example.com"
            ),
            // Below a public suffix one label more belongs to the organization.
            ("a.b.example.com", ["com": ["v=DMARC1; p=none; psd=y"]], "example.com"),
            ("a.giant.bank.example", ["bank.example": ["v=DMARC1; psd=y"]], "giant.bank.example"),
            (
                "a.giant.bank.example",
                ["bank.example": ["v=DMARC1; psd=y"], "giant.bank.example": ["v=DMARC1; p=none; psd=u"]],
                "giant.bank.example"
            ),
            // What is itself a public suffix is its own organization.
            ("bank.example", ["bank.example": ["v=DMARC1; psd=y"], "example": ["v=DMARC1; psd=y"]], "bank.example"),
            // Of two records none counts, and neither does what only looks like one.
            ("a.example.com", ["example.com": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]], "a.example.com"),
            (
                "a.example.com", ["example.com": ["v=spf1 -all", "V=DMARC1", "v=dmarc1", "p=none; v=DMARC1"]],
                "a.example.com"
            ),
            ("a.example.com", ["example.com": ["v=spf1 -all", " v = DMARC1 ; P=none; PSD=N"]], "example.com"),
        ] as [(String, [String: [String]], String)])
    func organization(_ start: String, _ records: [String: [String]], _ organization: String) async throws {
        let table = TextTable(
            records: Dictionary(uniqueKeysWithValues: records.map { ("_dmarc.\($0.key)", $0.value) }))
        var walk = TreeWalk(table)
        let found = try await walk.organization(of: Self.domain(start))
        #expect(found.domain.name == organization)
    }

    @Test(
        "A long name is cut to seven labels after the first question, so that no walk asks more than eight",
        arguments: [
            ("a.b.c.d.e.f.g.h.i.j.k.example.com", "g.h.i.j.k.example.com", 8),
            ("x.a.b.c.d.e.f.example.com", "b.c.d.e.f.example.com", 8),
            ("a.b.c.d.e.f.example.com", "b.c.d.e.f.example.com", 8),
            ("b.c.d.e.f.example.com", "c.d.e.f.example.com", 7), ("example.com", "com", 2),
        ])
    func questions(_ start: String, _ second: String, _ count: Int) async throws {
        var walk = TreeWalk(TextTable(records: [:]))
        _ = try await walk.organization(of: Self.domain(start))
        #expect(walk.questions.count == count)
        #expect(walk.questions[0] == "_dmarc.\(start)")
        #expect(walk.questions[1] == "_dmarc.\(second)")
        #expect(walk.questions.last == "_dmarc.com")
        // What was asked once is known.
        _ = try await walk.organization(of: Self.domain(second))
        #expect(walk.questions.count == count)
    }

    // MARK: Alignment

    @Test(
        "With DNS the organizational domains decide",
        arguments: [
            ("example.com", "example.com", [:], AlignmentDocument.Mode.exact, "is the domain of From"),
            (
                "mail.example.com", "example.com", ["example.com": ["v=DMARC1; p=none"]], .relaxed,
                "have the organizational domain example.com"
            ),
            (
                "example.com", "sign.example.com", ["example.com": ["v=DMARC1; p=none"]], .relaxed,
                "have the organizational domain example.com"
            ),
            (
                "mail.example.com", "example.com", ["example.com": ["v=DMARC1; p=none; adkim=s"]], .none,
                "asks for adkim=s: d= must be mail.example.com, and is example.com"
            ),
            (
                "mail.example.com", "example.com",
                ["mail.example.com": ["v=DMARC1; p=none"], "example.com": ["v=DMARC1; p=none; adkim=s"]], .relaxed,
                "have the organizational domain example.com"
            ),
            // The organization's own record stands before that of the public suffix above it.
            (
                "mail.giant.bank.example", "giant.bank.example",
                ["giant.bank.example": ["v=DMARC1; adkim=s"], "bank.example": ["v=DMARC1; psd=y"]], .none,
                "asks for adkim=s"
            ),
            (
                "example.com", "example.org", ["example.com": ["v=DMARC1"], "example.org": ["v=DMARC1"]], .none,
                "the organizational domain of example.com is example.com, that of d= is example.org"
            ),
            (
                "mail.example.com", "example.com", ["mail.example.com": ["v=DMARC1; p=reject"]], .none,
                "the organizational domain of mail.example.com is mail.example.com, that of d= is example.com"
            ),
            ("mail.example.com", "example.com", [:], .relaxed, "by the names: no DMARC record for mail.example.com"),
        ] as [(String, String, [String: [String]], AlignmentDocument.Mode, String)])
    func withDNS(
        _ author: String, _ sdid: String, _ records: [String: [String]], _ mode: AlignmentDocument.Mode, _ words: String
    ) async throws {
        let table = TextTable(
            records: Dictionary(uniqueKeysWithValues: records.map { ("_dmarc.\($0.key)", $0.value) }))
        var alignment = Alignment(author: try Self.domain(author), resolver: table)
        let document = await alignment.of(sdid: sdid)
        #expect(document.mode == mode)
        #expect(document.text.contains(words), "\(document.text)")
    }

    @Test("A server that doesn't answer leaves open what it would decide, and nothing else")
    func silence() async throws {
        let table = TextTable(records: [:], silent: ["_dmarc.example.com"])
        var alignment = Alignment(author: try Self.domain("mail.example.com"), resolver: table)
        let open = await alignment.of(sdid: "example.com")
        #expect(open.mode == .unknown)
        #expect(open.text.contains("SERVFAIL"))
        let exact = await alignment.of(sdid: "Mail.Example.com")
        #expect(exact.mode == .exact)
    }

    @Test(
        "Without DNS the names decide, and it is said",
        arguments: [
            ("example.com", "example.com", AlignmentDocument.Mode.exact), ("a.b.example.com", "example.com", .relaxed),
            ("example.com", "mail.example.com", .relaxed), ("example.com", "com", .none), ("com", "example.com", .none),
            ("example.com", "xexample.com", .none), ("a.example.com", "b.example.com", .none),
            ("example.com", "-", .none),
        ])
    func withoutDNS(_ author: String, _ sdid: String, _ mode: AlignmentDocument.Mode) async throws {
        var alignment = Alignment(author: try Self.domain(author), resolver: nil)
        let document = await alignment.of(sdid: sdid)
        #expect(document.mode == mode)
        #expect(mode == .exact || sdid == "-" || document.text.contains("by the names alone"))
    }

    // MARK: The whole command

    @Test("Key records and DMARC records come from the resolver, and its silence is neither good nor bad")
    func verifying() async throws {
        let message = Array("DKIM-Signature: \(Self.signature)\r\nFrom: a@example.com\r\n\r\nx\r\n".utf8)
        let name = "s._domainkey.example.com"
        let silent = VerifyFilter(Configuration(directory: "/"), resolver: TextTable(records: [:], silent: [name]))
        let open = try await silent.verify(message)
        #expect(open.outcome == .unknown)
        #expect(open.result == "temperror")
        #expect(open.signatures.first?.reason == "the key record at \(name) can't be had now: SERVFAIL")
        let missing = VerifyFilter(Configuration(directory: "/"), resolver: TextTable(records: [:]))
        #expect(try await missing.verify(message).outcome == .bad)
        let revoked = VerifyFilter(
            Configuration(directory: "/"), resolver: TextTable(records: [name: ["v=DKIM1; p="]]))
        #expect(try await revoked.verify(message).signatures.first?.reason == "the key was revoked")
    }

    private static let signature =
        "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA"
}
