// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import DKIM

@Suite struct HeaderTests {
    static func canonical(_ field: String, _ canonicalization: Canonicalization) throws -> String {
        let header = try HeaderFields(octets(field))
        var form: [UInt8] = []
        header.append(try #require(header.fields.first), canonicalization, to: &form)
        return text(form)
    }

    /// RFC 6376 §3.4.2, §3.4.5: a field and its relaxed form.
    static let relaxedForms: [(field: String, form: String)] = [
        ("A: X\r\n", "a:X"),
        ("B : Y\t\r\n\tZ  \r\n", "b:Y Z"),
        ("Subject:x\r\n", "subject:x"),
        ("SUBJECT: X y  Z\r\n", "subject:X y Z"),
        ("Subject:\r\n", "subject:"),
        ("Subject:   \r\n", "subject:"),
        ("Subject:\r\n x\r\n", "subject:x"),
        ("Subject: a\r\n\tb\r\n", "subject:a b"),
        ("Subject: a\r\n \t b\r\n", "subject:a b"),
        ("Subject: a\r\n \r\n c\r\n", "subject:a c"),
        ("Subject \t: a : b\r\n", "subject:a : b"),
        ("Subject: a\u{0B}\u{0C}b \u{0C} c\r\n", "subject:a\u{0B}\u{0C}b \u{0C} c"),
        ("Subject: gr\u{FC}n\u{A0}\u{2003}x\r\n", "subject:gr\u{FC}n\u{A0}\u{2003}x"),
        ("Subject: a\rb\nc\r\n", "subject:a\rb\nc"),
        ("Subject: no line end", "subject:no line end"),
    ]

    @Test(arguments: relaxedForms)
    func `a field has its relaxed form`(field: String, form: String) throws {
        #expect(try HeaderTests.canonical(field, .relaxed) == form)
    }

    @Test(arguments: relaxedForms.map(\.field))
    func `the simple form is the field itself`(field: String) throws {
        let withoutEnd = field.hasSuffix("\r\n") ? String(field.dropLast()) : field
        #expect(try HeaderTests.canonical(field, .simple) == withoutEnd)
    }

    @Test(arguments: relaxedForms.map(\.form))
    func `a relaxed form doesn't change again`(form: String) throws {
        #expect(try HeaderTests.canonical(form, .relaxed) == form)
    }

    @Test func `the example of the RFC gives its simple and relaxed forms`() throws {
        // RFC 6376 §3.4.5.
        let message = octets("A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n")
        let header = try HeaderFields(message)
        #expect(header.count == 2)
        #expect(text(message[header.bodyStart...]) == " C \r\nD \t E\r\n\r\n\r\n")
        #expect(header.name(at: 1) == "B")
    }

    @Test func `a continuation of white space only does not end the header section`() throws {
        let header = try HeaderFields(octets("A: 1\r\n \r\n\t\r\nB: 2\r\n\r\nC: 3\r\n"))
        #expect(header.count == 2)
        #expect(header.bytes[header.bodyStart...].elementsEqual(octets("C: 3\r\n")))
    }

    @Test func `a header section alone has no body`() throws {
        for section in ["A: 1\r\n", "A: 1\r\nB: 2", ""] {
            let header = try HeaderFields(octets(section))
            #expect(header.bodyStart == section.utf8.count)
        }
    }

    @Test func `a message that begins with an empty line has no fields`() throws {
        let header = try HeaderFields(octets("\r\nA: 1\r\n"))
        #expect(header.count == 0)
        #expect(header.bodyStart == 2)
    }

    @Test(arguments: [
        ("A: 1\r\nno colon\r\n", 2), (" continuation\r\n", 1), (": x\r\n", 1), ("A: 1\r\n : x\r\nB b: 2\r\n", 2),
    ])
    func `what is no field is refused with its place`(section: String, position: Int) throws {
        #expect(throws: MalformedHeaderField(position: position)) { try HeaderFields(octets(section)) }
    }

    @Test func `names select fields from the bottom up, whatever their case`() throws {
        // RFC 6376 §5.4.2.
        let header = try HeaderFields(octets("X-A: 1\r\nFrom: a\r\nx-a: 2\r\nX-a : 3\r\n"))
        var selection = HeaderSelection(header)
        let name = octets("x-a")
        #expect(selection.next(name) == 3)
        #expect(selection.next(name) == 2)
        #expect(selection.next(octets("from")) == 1)
        #expect(selection.next(name) == 0)
        #expect(selection.next(name) == nil)
        #expect(selection.next(octets("x-")) == nil)
    }
}

@Suite struct SignedFieldsTests {
    private func names(_ policy: SignedFields, _ section: String) throws -> [String] {
        try policy.select(from: HeaderFields(octets(section))).names.map { text($0) }
    }

    @Test func `an oversigned name is listed once more than it occurs`() throws {
        let policy = SignedFields(oversigned: ["From", "Subject"], once: ["References", "List-ID"])
        let section = "From: a\r\nReferences: x\r\nX-Other: 1\r\nDKIM-Signature: v=1\r\n"
        #expect(try names(policy, section) == ["from", "from", "subject", "references"])
    }

    @Test func `a name that is listed once covers every occurrence, and none if there is none`() throws {
        let policy = SignedFields(oversigned: [], once: ["Resent-To"])
        #expect(try names(policy, "From: a\r\nResent-To: 1\r\nresent-to: 2\r\n") == ["from", "resent-to", "resent-to"])
        #expect(try names(policy, "From: a\r\n") == ["from"])
    }

    @Test func `From can't be left out and DKIM-Signature can't be named`() throws {
        let policy = SignedFields(oversigned: ["DKIM-Signature"], once: ["Bad:Name", "", "dkim-signature", "a;b"])
        #expect(policy.entries.map { text($0.name) } == ["from"])
        #expect(policy.removing(["FROM"]) == policy)
    }

    @Test func `the standard policy oversigns what a reader sees, and leaves trace fields alone`() throws {
        let all = SignedFields.standard.entries
        let oversigned = Set(all.filter(\.isOversigned).map { text($0.name) })
        #expect(
            oversigned == [
                "from", "to", "cc", "subject", "date", "message-id", "reply-to", "sender", "mime-version",
                "content-type", "content-transfer-encoding",
            ])
        let names = Set(all.map { text($0.name) })
        #expect(names.isSuperset(of: ["list-unsubscribe", "list-unsubscribe-post", "feedback-id", "cfbl-address"]))
        #expect(names.isDisjoint(with: ["return-path", "received", "bcc", "delivered-to", "authentication-results"]))
        #expect(names.count == all.count)
    }

    @Test func `removing fields keeps the others in their order`() throws {
        let less = SignedFields.standard.removing(["Message-ID", "date"])
        #expect(
            less.entries == SignedFields.standard.entries.filter { !["message-id", "date"].contains(text($0.name)) })
    }
}
