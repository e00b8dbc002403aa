// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import TestSupport
import Testing

@testable import DKIM

@Suite struct FieldChoiceTests {
    private static let shown = [
        "from", "reply-to", "sender", "to", "cc", "subject", "date", "message-id", "mime-version", "content-type",
        "content-transfer-encoding",
    ]

    /// RFC 6376 §5.4.1, RFC 8058 §4, RFC 9477 §3.
    @Test func `the standard set holds what counts for receivers`() {
        let names = SignedFields.standard.names
        for name in [
            "list-unsubscribe", "list-unsubscribe-post", "feedback-id", "cfbl-address", "auto-submitted", "references",
            "resent-from", "content-id",
        ] {
            #expect(names.contains(name))
        }
        for name in ["received", "return-path", "bcc", "dkim-signature", "authentication-results", "comments"] {
            #expect(!names.contains(name))
        }
        #expect(names.starts(with: FieldChoiceTests.shown) && Set(names).count == names.count)
        #expect(SignedFields.standard.oversignedNames == FieldChoiceTests.shown)
    }

    @Test func `each oversigning takes what it says`() {
        let standard = SignedFields.standard
        #expect(standard.oversigning(.from).oversignedNames == ["from"])
        #expect(standard.oversigning(.standard) == standard)
        let strict = standard.oversigning(.strict).oversignedNames
        #expect(strict == standard.names.filter { !$0.hasPrefix("resent-") })
        #expect(strict.contains("list-unsubscribe") && strict.contains("autocrypt"))
        #expect(standard.oversigning(.strict).names == standard.names)
        #expect(SignedFields.minimal.names == FieldChoiceTests.shown + ["list-unsubscribe", "list-unsubscribe-post"])
        // A set never adds a field that is not signed.
        let few = SignedFields(oversigned: [], once: ["Subject", "X-Invoice"]).oversigning(.standard)
        #expect(few.names == ["from", "subject", "x-invoice"] && few.oversignedNames == ["from", "subject"])
    }

    @Test func `named oversigning adds what is missing, and From is always in it`() {
        let fields = SignedFields.minimal.oversigning(["subject", "X-Invoice"])
        #expect(fields.oversignedNames == ["from", "subject", "x-invoice"])
        #expect(fields.names.last == "x-invoice")
        #expect(SignedFields.minimal.oversigning([]).oversignedNames == ["from"])
    }

    @Test func `fields are removed by name or by their beginning, From never`() {
        let fields = SignedFields.standard.removing(["DATE", "list-*", "From", "*", "nothing"])
        #expect(fields.names == ["from"])
        let some = SignedFields.standard.removing(["Message-ID", "Resent-*"])
        #expect(!some.names.contains("message-id") && !some.names.contains { $0.hasPrefix("resent-") })
        #expect(some.names.count == SignedFields.standard.names.count - 7)
    }

    @Test func `what is no name of a field is left out`() {
        let fields = SignedFields(oversigned: ["", "a b", "a:b", "a;b", "DKIM-Signature", "From"], once: ["caf\u{E9}"])
        #expect(fields.names == ["from"])
    }

    // MARK: Recognizing a signature

    private static let message = "From: a@example.com\r\nTo: b@example.net\r\nSubject: x\r\n\r\n"

    private func template(
        _ key: SigningKey, canonicalization: MessageCanonicalization = .relaxed, fields: SignedFields = .standard,
        auid: String? = nil, selector: String = "s"
    ) throws -> SignatureTemplate {
        try SignatureTemplate(
            sdid: "example.com", selector: selector, key: key, canonicalization: canonicalization, signedFields: fields,
            auid: auid)
    }

    @Test func `a template recognizes its own signature, and no other`() throws {
        let hash = [UInt8](repeating: 7, count: 32)
        let header = try HeaderFields(octets(FieldChoiceTests.message))
        for key in try [Vectors.ed25519Key(), Vectors.rsaKey()] {
            let own = try template(key)
            let field = try own.sign(header, bodyHash: hash, signedAt: 1000, expiresAt: 2000)
            let signature = try #require(own.recognize(field, of: header, bodyHash: hash))
            #expect(signature.signedAt == 1000 && signature.expiresAt == 2000)
            let without = try own.sign(header, bodyHash: hash, signedAt: 1000, expiresAt: nil)
            #expect(own.recognize(without, of: header, bodyHash: hash)?.signedAt == 1000)

            let others = try [
                template(key, canonicalization: .simple),
                template(key, canonicalization: MessageCanonicalization(header: .relaxed, body: .simple)),
                template(key, fields: .minimal), template(key, fields: .standard.oversigning(.from)),
                template(key, fields: .standard.removing(["Date"])), template(key, auid: "@example.com"),
                template(key, selector: "t"), template(.generate(.ed25519)), template(.generate(.rsa(bits: 2048))),
            ]
            for (number, other) in others.enumerated() {
                // Names that don't occur and are not oversigned leave no trace in h=.
                if number == 2 { continue }
                #expect(other.recognize(field, of: header, bodyHash: hash) == nil, "template \(number)")
            }
            #expect(own.recognize(field, of: header, bodyHash: [UInt8](repeating: 8, count: 32)) == nil)
            for changed in [
                "From: c@example.com\r\nTo: b@example.net\r\nSubject: x\r\n\r\n",
                "From: a@example.com\r\nTo: b@example.net\r\nSubject: x\r\nReferences: y\r\n\r\n",
                "From: a@example.com\r\nSubject: x\r\n\r\n",
            ] {
                #expect(try own.recognize(field, of: HeaderFields(octets(changed)), bodyHash: hash) == nil)
            }
        }
    }

    @Test func `no octet of a recognized signature can be another`() throws {
        let hash = [UInt8](repeating: 7, count: 32)
        let header = try HeaderFields(octets(FieldChoiceTests.message))
        let own = try template(Vectors.ed25519Key())
        let field = try own.sign(header, bodyHash: hash, signedAt: 1000, expiresAt: 2000)
        for index in field.indices {
            for replacement in [field[index] ^ 1, UInt8(ascii: "A"), UInt8(ascii: " ")]
            where replacement != field[index] {
                var damaged = field
                damaged[index] = replacement
                #expect(own.recognize(damaged, of: header, bodyHash: hash) == nil, "octet \(index)")
            }
        }
        for damaged in [[], Array(field.dropLast()), field + [UInt8(ascii: " ")], Array(field.dropFirst())] {
            #expect(own.recognize(damaged, of: header, bodyHash: hash) == nil)
        }
    }

    // MARK: Signatures that are there already

    @Test func `signatures that a message came with are found with their SDID`() throws {
        let text =
            "From: a@example.com\r\nDKIM-Signature: v=1; d=Example.com; s=x\r\nSubject: x\r\n"
            + "dkim-signature:\r\n v=1;\r\n d=other\r\n .example; b=\r\nDKIM-Signature: nonsense\r\n"
        let header = try HeaderFields(octets(text))
        let found = header.presentSignatures
        #expect(found.map(\.sdid) == ["example.com", "other.example", nil])
        var rest = octets(text)
        for signature in found.reversed() { rest.removeSubrange(signature.octets) }
        #expect(rest == octets("From: a@example.com\r\nSubject: x\r\n"))
        #expect(header.contains("SUBJECT") && header.contains("Dkim-Signature") && !header.contains("Sub"))
        #expect(try HeaderFields([]).presentSignatures.isEmpty)
    }
}
