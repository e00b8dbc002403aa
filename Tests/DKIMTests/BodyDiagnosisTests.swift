// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import TestSupport
import Testing

@testable import DKIM

/// What is said of a body whose hash differs, when nothing but the message is at hand.
@Suite struct BodyDiagnosisTests {
    private static let header = "From: a@football.example.com\r\nSubject: One\r\n"

    /// A signature made over `hashed`, whatever that is, on a message with another body.
    static func finding(
        hashed: [UInt8], sent: String, _ canonicalization: Canonicalization = .relaxed, header: String = header,
        limit: Int? = nil
    ) throws -> BodyFinding {
        let tags =
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/\(canonicalization.name); d=football.example.com; s=test; "
            + (limit.map { "l=\($0); " } ?? "") + "h=from; bh=\(Base64.string(try SHA256.digest(of: hashed))); b="
        let fields = try HeaderFields(octets(header))
        let from = try #require(fields.fields.firstIndex { fields.isNamed($0, octets("from")) })
        let value = try SignatureTemplate.signature(
            fields, fields: [from], unsigned: octets(tags), canonicalization: .relaxed, key: Vectors.rsaKey(),
            checking: true)
        let message = octets(tags) + Base64.encode(value) + octets("\r\n\(header)\r\n\(sent)")
        let verification = try #require(Vectors.verifier.verify(message).first)
        #expect(verification.header?.isIntact == true)
        let finding = try #require(verification.body)
        #expect(verification.result == (finding.isIntact ? .pass : .fail))
        #expect(finding.isIntact || verification.reason == finding.cause?.description)
        return finding
    }

    static let long = String(repeating: "x", count: 998)

    /// What was hashed, what arrived, how c= says to hash it, and what is said of it.
    static let cases: [(hashed: String, sent: String, c: Canonicalization, kind: FailureCause.Kind, words: String)] = [
        ("a  b\r\n", "a  b\r\n", .relaxed, .bodyCanonicalization, "with simple canonicalization, not with relaxed"),
        ("a b\r\n", "a  b\r\n", .simple, .bodyCanonicalization, "with relaxed canonicalization, not with simple"),
        ("a\r\nb\r\n", "a\nb\r\n", .relaxed, .bodyLineEnds, "with CRLF for each lone LF"),
        ("a\r\nb\r\n", "a\rb\r\n", .simple, .bodyLineEnds, "with CRLF for each lone CR"),
        ("a\r\nb\r\n", "a\r\r\nb\r\r\n", .relaxed, .bodyLineEnds, "with CRLF for each CR CR LF"),
        ("a\nb\n", "a\r\nb\r\n", .relaxed, .bodyLineEnds, "with LF for line ends: it was signed as a file"),
        ("a\nb\n", "a\r\nb\r\n", .simple, .bodyLineEnds, "with LF for line ends: it was signed as a file"),
        ("a\r\nb", "a\r\nb\r\n", .relaxed, .bodyEnd, "without its final CRLF"),
        ("a\r\n\r\n\r\n", "a\r\n\r\n\r\n", .relaxed, .bodyEnd, "with the empty lines at its end"),
        ("a\r\n\r\n", "a\r\n", .simple, .bodyEnd, "with the empty lines at its end"),
        ("\r\n", "", .relaxed, .bodyCanonicalization, "with simple canonicalization"),
        ("", "\r\n", .simple, .bodyCanonicalization, "with relaxed canonicalization"),
        (".\r\n.a\r\n", "..\r\n..a\r\n", .relaxed, .bodyDots, "with one dot less"),
        ("..\r\n..a\r\nb\r\n", ".\r\n.a\r\nb\r\n", .simple, .bodyDots, "with one dot more"),
        ("From me\r\n", ">From me\r\n", .relaxed, .bodyFromQuoting, "without the > before \"From \""),
        (">From me\r\n", "From me\r\n", .relaxed, .bodyFromQuoting, "with > before \"From \""),
        ("a\r\n", "\r\na\r\n", .relaxed, .bodyStart, "without the empty line at its start"),
        ("\r\na\r\n", "a\r\n", .relaxed, .bodyStart, "with an empty line at its start"),
        ("\(long)yz\r\n", "\(long)\r\n yz\r\n", .relaxed, .bodyLongLines, "once lines broken at 990 to 998 octets"),
        ("a\r\nb\r\n", "a \nb\r\n", .simple, .bodyLineEnds, "and with relaxed canonicalization"),
        ("a\r\n", "a\r\n-- \r\na list\r\n", .relaxed, .bodyTextAdded, "text was added after its line 1"),
        ("a\r\n", "a\r\n.\r\n", .relaxed, .bodyTextAdded, "text was added after its line 1"),
        ("a\r\n", "", .relaxed, .bodyEmpty, "it is empty"),
        ("a\r\n", "", .simple, .bodyEmpty, "it is empty"),
        ("a\r\n", "b\r\n", .relaxed, .bodyChanged, "the body differs"),
    ]

    @Test(arguments: cases)
    func `a change of the body is named`(
        hashed: String, sent: String, c: Canonicalization, kind: FailureCause.Kind, words: String
    ) throws {
        let finding = try BodyDiagnosisTests.finding(hashed: octets(hashed), sent: sent, c)
        #expect(!finding.isIntact)
        #expect(finding.cause?.kind == kind)
        #expect(finding.cause?.description.contains(words) == true, "\(String(describing: finding.cause))")
    }

    @Test(arguments: [
        ("quoted-printable", "gr=FC=C3=BCn =3D=\r\n fine\r\n"), ("BASE64", "Z3L8w7xuID0gZmluZQ0K\r\n"),
    ])
    func `a relay that encodes an 8-bit body is named`(encoding: String, sent: String) throws {
        let hashed = octets("gr") + [0xFC, 0xC3, 0xBC] + octets("n = fine\r\n")
        let header = BodyDiagnosisTests.header + "Content-Transfer-Encoding: \(encoding)\r\n"
        let finding = try BodyDiagnosisTests.finding(hashed: hashed, sent: sent, header: header)
        #expect(finding.cause?.kind == .bodyEncoding)
    }

    @Test func `an intact body has no cause, and what l= leaves out is counted`() throws {
        let whole = try BodyDiagnosisTests.finding(hashed: octets("a\r\nb\r\n"), sent: "a\r\nb\r\n")
        #expect((whole.isIntact, whole.octets, whole.unsignedOctets, whole.cause) == (true, 6, 0, nil))
        let part = try BodyDiagnosisTests.finding(hashed: octets("a\r\n"), sent: "a\r\nb\r\n", limit: 3)
        #expect((part.isIntact, part.octets, part.unsignedOctets, part.cause) == (true, 6, 3, nil))
        let nothing = try BodyDiagnosisTests.finding(hashed: [], sent: "a\r\nb\r\n", limit: 0)
        #expect((nothing.isIntact, nothing.unsignedOctets) == (true, 6))
    }

    @Test func `a verifier that shall not explain does not`() throws {
        let message = octets("From: a@football.example.com\r\n\r\nHi.\r\n")
        let template = try SignatureTemplate(
            sdid: "football.example.com", selector: "test", key: Vectors.rsaKey())
        let signed = try Vectors.sign(message, with: template)
        let verifier = Verifier(now: Vectors.now, explainsFailures: false) { _ in
            .texts(["p=\(KeyRecordTests.rsa)"])
        }
        let body = try #require(verifier.verify(signed + octets("more\r\n")).first)
        #expect((body.result, body.reason, body.body?.cause) == (.fail, "the body differs", nil))
        let header = try #require(verifier.verify(octets("Subject: new\r\n") + signed).first)
        #expect((header.result, header.reason, header.header?.cause) == (.fail, "a signed header field differs", nil))
    }

    @Test func `random bodies are diagnosed without a trap`() throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let alphabet = octets("a .\r\n\r\n=\t>From ")
        for _ in 0..<200 {
            let count = Int.random(in: 0...80, using: &generator)
            let sent = text((0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 })
            let header = BodyDiagnosisTests.header + "Content-Transfer-Encoding: quoted-printable\r\n"
            let finding = try BodyDiagnosisTests.finding(hashed: octets("other"), sent: sent, header: header)
            #expect(!finding.isIntact && finding.cause != nil, "seed \(seed)")
        }
    }
}
