// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import TestSupport
import Testing

@testable import DKIM

@Suite struct SignatureFieldTests {
    static let message = "From: a@example.com\r\nTo: b@example.net\r\nSubject: x\r\n\r\nhello\r\n"

    private func template(
        sdid: String = "example.com", selector: String = "s1", auid: String? = nil,
        signedFields: SignedFields = .standard
    ) throws -> SignatureTemplate {
        try SignatureTemplate(
            sdid: sdid, selector: selector, key: Vectors.ed25519Key(), signedFields: signedFields, auid: auid)
    }

    private func field(_ template: SignatureTemplate, _ message: String = message, expiresAt: Int64? = 1_700_604_800)
        throws -> String
    {
        let header = try HeaderFields(octets(message))
        return try text(
            template.sign(
                header, bodyHash: [UInt8](repeating: 0, count: 32), signedAt: 1_700_000_000, expiresAt: expiresAt))
    }

    @Test func `a field looks like this`() throws {
        let lines = try field(template(auid: "@example.com")).components(separatedBy: "\r\n")
        #expect(
            lines == [
                "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com;",
                " i=@example.com; s=s1; t=1700000000; x=1700604800; h=from:from:reply-to:",
                " sender:to:to:cc:subject:subject:date:message-id:mime-version:content-type:",
                " content-transfer-encoding; bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=;",
                " b=GqWQ2mJBQ6bivvV/K8Jm3amQ5XpHxSSqTy1gIueFTZXWf+oVIhPeLX2yIjgCoCEF6+2tFgFJKoa",
                " Gdka53vSXBQ==", "",
            ])
    }

    @Test func `the tags stand in this order and b= is last`() throws {
        let tags = try TagList(
            octets(String(field(template(auid: "x@mail.example.com")).dropFirst("DKIM-Signature:".count))))
        #expect(tags.tags.map(\.name) == ["v", "a", "c", "d", "i", "s", "t", "x", "h", "bh", "b"])
        let without = try TagList(octets(String(field(template(), expiresAt: nil).dropFirst("DKIM-Signature:".count))))
        #expect(without.tags.map(\.name) == ["v", "a", "c", "d", "s", "t", "h", "bh", "b"])
    }

    /// RFC 5322 §2.1.1, §2.2.3 and RFC 6376 §3.5, for names of any length and any number.
    @Test func `folding keeps every line within 78 columns and changes no value`() throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SeededGenerator(seed: seed)
        let keys = try [Vectors.rsaKey(), Vectors.ed25519Key(), SigningKey(pem: Vectors.bytes("Keys/rsa-2048.pem"))]
        func word(_ count: Int) -> String {
            text((0..<count).map { _ in UInt8.random(in: 97...122, using: &generator) })
        }
        for round in 0..<400 {
            let names = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                word(.random(in: 1...70, using: &generator))
            }
            let sdid = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
                word(.random(in: 1...23, using: &generator))
            }
            .joined(separator: ".")
            let selector = word(.random(in: 1...63, using: &generator))
            let template = try SignatureTemplate(
                sdid: sdid, selector: selector, key: keys[round % keys.count],
                canonicalization: Bool.random(using: &generator) ? .relaxed : .simple,
                signedFields: SignedFields(oversigned: names, once: []))
            let field = try text(
                template.sign(
                    HeaderFields(octets(SignatureFieldTests.message)), bodyHash: [UInt8](repeating: 1, count: 32),
                    signedAt: .random(in: 0...9_999_999_999, using: &generator),
                    expiresAt: Bool.random(using: &generator) ? 10_000_000_000 : nil, checking: false))
            let lines = field.components(separatedBy: "\r\n")
            #expect(lines.last == "")
            for (number, line) in lines.dropLast().enumerated() {
                #expect(line.utf8.count <= 78, "seed \(seed), round \(round): \(line)")
                #expect(!line.hasSuffix(" "), "seed \(seed), round \(round): \(line)")
                #expect(line.contains { $0 != " " }, "seed \(seed), round \(round)")
                #expect(line.hasPrefix(number == 0 ? "DKIM-Signature: v=1;" : " "), "seed \(seed), round \(round)")
                #expect(!line.hasPrefix("  "), "seed \(seed), round \(round)")
            }
            let signature = try Signature(field: octets(field))
            #expect(signature.sdid == sdid && signature.selector == selector, "seed \(seed), round \(round)")
            // A name is folded only after its colon, so that no name is torn.
            let distinct = template.signedFields.entries.map { text($0.name) }
            #expect(Set(signature.signedFieldNames) == Set(distinct), "seed \(seed), round \(round)")
            #expect(signature.value.count == (round % 3 == 0 ? 128 : round % 3 == 1 ? 64 : 256))
        }
    }

    @Test func `names as long as DNS allows stay below the hard limit of a line`() throws {
        let label = String(repeating: "a", count: 63)
        let sdid = [label, label, label].joined(separator: ".") + ".example"
        let template = try template(sdid: sdid, selector: "s")
        let lines = try field(template).components(separatedBy: "\r\n")
        #expect(lines.allSatisfy { $0.utf8.count <= 998 })
        #expect(lines.contains { $0 == " d=\(sdid);" })
    }

    @Test(arguments: [
        "", ".", "a..b", ".a", "a.", "exa mple.com", "example.com;", "example.com\r\nX: y", "b\u{FC}cher.example",
        "a=b",
        String(repeating: "a", count: 64), String(repeating: "a.", count: 126) + "aa",
    ])
    func `what is no domain name can't be an SDID or a selector`(name: String) throws {
        #expect(throws: SigningError.invalidName(tag: "d", value: name)) { try template(sdid: name) }
        #expect(throws: SigningError.invalidName(tag: "s", value: name)) { try template(selector: name) }
    }

    @Test func `a selector may have dots, and the whole name has 253 octets at most`() throws {
        #expect(try template(selector: "a.b-c_1").selector == "a.b-c_1")
        let long = [63, 63, 63].map { String(repeating: "s", count: $0) }.joined(separator: ".")
        #expect(throws: SigningError.invalidName(tag: "s", value: long)) {
            try template(sdid: String(repeating: "d", count: 50) + ".example", selector: long)
        }
    }

    @Test(arguments: ["example.com", "@example.org", "@badexample.com", "a b@example.com", "a;b@example.com", "@", ""])
    func `an AUID outside the SDID is refused`(auid: String) throws {
        #expect(throws: SigningError.invalidName(tag: "i", value: auid)) { try template(auid: auid) }
    }

    @Test func `a message without From is not signed`() throws {
        #expect(throws: SigningError.noFromField) { try field(template(), "To: b\r\nSubject: x\r\n") }
        #expect(throws: SigningError.noFromField) { try field(template(), "") }
    }

    @Test func `nonsense about times and hashes is refused`() throws {
        #expect(throws: SigningError.invalidExpiry) { try field(template(), expiresAt: 1_700_000_000) }
        let header = try HeaderFields(octets(SignatureFieldTests.message))
        #expect(throws: SigningError.invalidBodyHash) {
            try template().sign(header, bodyHash: [1, 2], signedAt: 1, expiresAt: nil)
        }
    }

    @Test func `signatures do not depend on each other nor on ones that are there already`() throws {
        let plain = try field(template())
        #expect(try field(template(), "DKIM-Signature: v=1; x\r\n" + SignatureFieldTests.message) == plain)
    }

    @Test func `the same input gives the same field`() throws {
        #expect(try field(template()) == field(template()))
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        split(separator: Array(separator.utf8), self).map { text($0) }
    }

    /// By octets: to Swift a CRLF is one character.
    private func split(separator: [UInt8], _ whole: String) -> [[UInt8]] {
        var pieces: [[UInt8]] = [[]]
        var rest = Array(whole.utf8)[...]
        while !rest.isEmpty {
            if rest.starts(with: separator) {
                pieces.append([])
                rest = rest.dropFirst(separator.count)
            } else {
                pieces[pieces.count - 1].append(rest.removeFirst())
            }
        }
        return pieces
    }
}
