// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import DKIM

/// What is said of a header section whose signature does not verify, when nothing but the message is at hand.
@Suite struct HeaderDiagnosisTests {
    struct Case: CustomTestStringConvertible, Sendable {
        /// What was signed, and what arrived.
        var signed: String
        var sent: String
        var canonicalization = Canonicalization.relaxed
        var kind: FailureCause.Kind
        var words: String

        var testDescription: String { words }
    }

    /// The signature field whose `b=` is empty, over `h=from:to:subject`.
    private static func tags(_ canonicalization: Canonicalization, rsa: Bool, names: String) throws -> String {
        let hash = try Base64.string(SHA256.digest(of: octets("a\r\n")))
        return "DKIM-Signature: v=1; a=\(rsa ? "rsa" : "ed25519")-sha256; c=\(canonicalization.name)/relaxed; "
            + "d=football.example.com; s=\(rsa ? "test" : "brisbane"); h=\(names); bh=\(hash); b="
    }

    /// Signs exactly `input`, and verifies it on a message with other fields.
    private static func finding(
        input: (String) -> [UInt8], sent: String, _ canonicalization: Canonicalization, rsa: Bool = true,
        names: String = "from:to:subject", change: (String) -> String = { $0 }
    ) throws -> HeaderFinding {
        let tags = try tags(canonicalization, rsa: rsa, names: names)
        let key = rsa ? try Vectors.rsaKey() : try Vectors.ed25519Key()
        let value = try Base64.string(key.sign(digest: SHA256.digest(of: input(tags))))
        let message = octets("\(change(tags))\(value)\r\n\(sent)\r\na\r\n")
        let verification = try #require(Vectors.verifier.verify(message).first)
        #expect(verification.body?.isIntact == true)
        return try #require(verification.header)
    }

    /// The canonical form of whole fields and of the signature field.
    private static func canonical(
        _ section: String, _ tags: String, _ canonicalization: Canonicalization, names: String = "from:to:subject"
    ) throws -> [UInt8] {
        let header = try HeaderFields(octets(section))
        var selection = HeaderSelection(header)
        let fields = names.split(separator: ":").compactMap { selection.next(octets(String($0))) }
        return SignatureTemplate.signingInput(
            header, fields: fields, unsigned: octets(tags), canonicalization: canonicalization)
    }

    static let from = "From: A B <a@football.example.com>\r\n"

    static let cases: [Case] = [
        Case(
            signed: from + "To: b@example.net\r\nSubject: One\r\n",
            sent: from + "To: b@example.net\r\nSubject: One\r\nSubject: Two\r\n", kind: .fieldAdded,
            words: "the field Subject was added after signing"),
        Case(
            signed: from + "Subject: One two\r\n", sent: from + "Subject: [list] One two\r\n", kind: .fieldChanged,
            words: "the field Subject matches without the [tag] at its start: a mailing list put it there"),
        Case(
            signed: from + "Subject: One two\r\n", sent: from + "Subject: ***SPAM*** One two\r\n",
            kind: .fieldChanged, words: "the field Subject matches without the *mark* at its start"),
        Case(
            signed: "From: \"A B\" <a@football.example.com>\r\nTo: b\r\n", sent: from + "To: b\r\n",
            kind: .fieldChanged, words: "the field From matches with quotes around the display name"),
        Case(
            signed: from + "To: b\r\n", sent: "From: \"A B\" <a@football.example.com>\r\nTo: b\r\n",
            kind: .fieldChanged, words: "the field From matches without quotes"),
        Case(
            signed: from + "Subject: abcdef\r\n", sent: from + "Subject: abc\r\n def\r\n", kind: .fieldWhiteSpace,
            words: "the header section matches without the white space of its folds"),
        Case(
            signed: from + "To: a@x.example,b@x.example\r\n", sent: from + "To: a@x.example, b@x.example\r\n",
            kind: .fieldWhiteSpace, words: "the header section matches without the space after its commas"),
        Case(
            signed: from + "To: a@x.example, b@x.example\r\n", sent: from + "To: a@x.example,b@x.example\r\n",
            kind: .fieldWhiteSpace, words: "the header section matches with a space after each comma"),
        Case(
            signed: from + "Subject: One two\r\n", sent: from + "Subject: One\r\n two\r\n", canonicalization: .simple,
            kind: .fieldWhiteSpace, words: "the header section matches without its folds"),
        Case(
            signed: from + "Subject: One two\r\n", sent: from + "Subject: One\r\n\t\ttwo\r\n",
            canonicalization: .simple, kind: .fieldWhiteSpace,
            words: "the header section matches with one space for each fold"),
        Case(
            signed: from + "Subject: One\r\n\ttwo\r\n", sent: from + "Subject: One\r\n two\r\n",
            canonicalization: .simple, kind: .fieldWhiteSpace, words: "with a tab after each fold, not a space"),
        Case(
            signed: from + "Subject: One\r\n two\r\n", sent: from + "Subject: One\r\n\ttwo\r\n",
            canonicalization: .simple, kind: .fieldWhiteSpace, words: "with a space after each fold, not a tab"),
        Case(
            signed: from + "Subject: One\r\n", sent: from + "Subject:One\r\n", canonicalization: .simple,
            kind: .fieldWhiteSpace, words: "the header section matches with a space after the colon"),
        Case(
            signed: from + "Subject:One\r\n", sent: from + "Subject: One\r\n", canonicalization: .simple,
            kind: .fieldWhiteSpace, words: "the field Subject matches without the white space after the colon"),
        Case(
            signed: from + "subject: One\r\n", sent: from + "Subject: One\r\n", canonicalization: .simple,
            kind: .fieldWhiteSpace, words: "the field Subject matches with its name in lower case"),
        Case(
            signed: from + "Subject: One\r\n", sent: from + "Subject: One \r\n", canonicalization: .simple,
            kind: .fieldWhiteSpace, words: "without white space at its end"),
        Case(
            signed: from + "Subject: One\r\n", sent: from + "Subject: Two\r\n", kind: .headerChanged,
            words: "a signed header field differs"),
        Case(
            signed: from + "Subject: One\r\n", sent: from, kind: .headerChanged, words: "a signed header field differs"),
    ]

    @Test(arguments: cases)
    func `a change of the header section is named`(_ testCase: Case) throws {
        for rsa in [true, false] {
            let finding = try HeaderDiagnosisTests.finding(
                input: { tags in
                    (try? HeaderDiagnosisTests.canonical(testCase.signed, tags, testCase.canonicalization)) ?? []
                },
                sent: testCase.sent, testCase.canonicalization, rsa: rsa)
            #expect(finding.isIntact == false)
            #expect(finding.cause?.kind == testCase.kind)
            #expect(finding.cause?.description.contains(testCase.words) == true, "\(String(describing: finding.cause))")
        }
    }

    @Test func `a field name with an angle bracket is no address to be quoted`() throws {
        for rsa in [true, false] {
            let finding = try HeaderDiagnosisTests.finding(
                input: { _ in octets("something else") }, sent: HeaderDiagnosisTests.from + "X<Y: 1\r\n", .relaxed,
                rsa: rsa, names: "from:x<y")
            #expect(finding.cause?.kind == .headerChanged)
        }
    }

    /// Each of some hundred trials hashes all that is signed.
    @Test func `a huge header section is judged without trials`() throws {
        let huge = "To: \(String(repeating: "x", count: 1024 * 1024))\r\n"
        let signed = HeaderDiagnosisTests.from + huge
        let finding = try HeaderDiagnosisTests.finding(
            input: { (try? HeaderDiagnosisTests.canonical(signed, $0, .relaxed)) ?? [] },
            sent: signed + "Subject: Two\r\n", .relaxed)
        #expect(finding.isIntact == false)
        #expect(finding.cause?.kind == .headerChanged)
    }

    private let section = HeaderDiagnosisTests.from + "To: b@example.net\r\nSubject:  One\r\n"

    @Test func `faults of the signer's software are told from changes`() throws {
        let section = section + "Subject: Two\r\n"
        let lineEnd = try HeaderDiagnosisTests.finding(
            input: { ((try? HeaderDiagnosisTests.canonical(section, $0, .relaxed)) ?? []) + [13, 10] },
            sent: section, .relaxed)
        #expect(lineEnd.cause?.kind == .signerFault)
        #expect(lineEnd.cause?.description.contains("hashes a CRLF after the signature field") == true)

        let top = try HeaderDiagnosisTests.finding(
            input: { (try? HeaderDiagnosisTests.canonical(self.section, $0, .relaxed)) ?? [] },
            sent: section, .relaxed)
        // The first of two was hashed: the field that was added below it says the same, and is told first.
        #expect(top.cause?.kind == .fieldAdded)
        let reversed = HeaderDiagnosisTests.from + "To: b@example.net\r\nSubject: Two\r\nSubject:  One\r\n"
        let both = try HeaderDiagnosisTests.finding(
            input: { tags in
                (try? HeaderDiagnosisTests.canonical(reversed, tags, .relaxed, names: "from:to:subject:subject")) ?? []
            },
            sent: section, .relaxed, names: "from:to:subject:subject")
        #expect(both.cause?.kind == .signerFault)
        #expect(both.cause?.description.contains("takes repeated fields from the top") == true)

        let other = try HeaderDiagnosisTests.finding(
            input: { (try? HeaderDiagnosisTests.canonical(section, $0, .simple)) ?? [] }, sent: section, .relaxed)
        #expect(other.cause?.kind == .headerCanonicalization)

        let empty = try HeaderDiagnosisTests.finding(
            input: { tags in
                let names = "from:to:subject:cc"
                return (try? HeaderDiagnosisTests.canonical(section + "cc:\r\n", tags, .relaxed, names: names)) ?? []
            },
            sent: section, .relaxed, names: "from:to:subject:cc")
        #expect(empty.cause?.kind == .signerFault)
        #expect(empty.cause?.description.contains("fields that are not there as empty ones") == true)
    }

    @Test func `a change of the signature field itself is told from a change of the others`() throws {
        let finding = try HeaderDiagnosisTests.finding(
            input: { (try? HeaderDiagnosisTests.canonical(self.section, $0, .simple)) ?? [] }, sent: section, .simple,
            change: { $0.replacing("; h=", with: ";\r\n h=") })
        #expect(finding.cause?.kind == .fieldWhiteSpace)
        #expect(
            finding.cause?.description == "the signature field matches without its folds: it was folded after signing")
    }

    @Test func `fields that are covered, oversigned, absent, and open to anyone are told apart`() throws {
        let section =
            "Received: one\r\nFrom: eve\r\nContent-Type: text/html\r\nFrom: a\r\nTo: b\r\nSubject: c\r\nX-A: 1\r\n"
            + "DKIM-Signature: v=1\r\nX-A: 2\r\n"
        let names = ["from", "to", "to", "subject", "cc", "x-a", "cc", "reply-to"]
        let coverage = FieldCoverage(try HeaderFields(octets(section)), names: names)
        #expect(coverage.signed == ["from", "to", "subject", "x-a"])
        #expect(coverage.oversigned == ["to", "cc", "reply-to"])
        #expect(coverage.absent == ["cc", "reply-to"])
        #expect(coverage.unsigned == ["received", "from", "content-type", "x-a"])
        #expect(coverage.exposed == ["from", "content-type"])
    }

    @Test func `without a key the coverage is known and nothing else`() throws {
        let message = octets(section + "\r\na\r\n")
        let template = try SignatureTemplate(
            sdid: "football.example.com", selector: "test", key: Vectors.rsaKey())
        let signed = try Vectors.sign(message, with: template)
        let verifier = Verifier(now: Vectors.now) { _ in .none }
        let verification = try #require(verifier.verify(signed).first)
        #expect(verification.result == .permerror)
        #expect(verification.header?.isIntact == nil)
        #expect(verification.header?.coverage.signed == ["from", "to", "subject"])
        #expect(verification.body?.isIntact == true)
        // An expired signature says what it would be otherwise.
        let late = Verifier(now: Vectors.now + 700_000) { _ in .texts(["p=\(KeyRecordTests.rsa)"]) }
        let expired = try #require(late.verify(signed).first)
        #expect((expired.result, expired.header?.isIntact, expired.body?.isIntact) == (.permerror, true, true))
    }
}
