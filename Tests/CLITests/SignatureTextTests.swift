// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Relay
import Testing

@testable import CLI

@Suite("Texts of sign and verify") struct SignatureTextTests {
    private static let section = Array("Received: one\r\nFrom: a@example.com\r\nSubject: Gr\u{FC}n\t1\\2\r\n".utf8)

    private func signed(_ key: SigningKey, body: [UInt8]) throws -> [UInt8] {
        let template = try SignatureTemplate(
            sdid: "example.com", selector: "s1", key: key,
            canonicalization: .init(header: .simple, body: .relaxed),
            signedFields: SignedFields(oversigned: ["From"], once: ["Subject"]))
        let hasher = try BodyHasher(.relaxed)
        hasher.append(body)
        let field = try template.sign(
            HeaderFields(Self.section), bodyHash: hasher.finish(), signedAt: 1_700_000_000, expiresAt: nil)
        return field + Self.section + [13, 10] + body
    }

    private func document(_ message: [UInt8], _ key: SigningKey?) async throws -> VerifyDocument {
        let records = key.map { "s1._domainkey.example.com \($0.keyRecord.text)\n" } ?? ""
        return try await VerifyFilter(Configuration(directory: "/")).verify(message, keyFile: records)
    }

    @Test("Verify says of an intact message what holds and what is covered")
    func intact() async throws {
        let key = try SigningKey.generate(.ed25519)
        let text = VerifyText.of(try await document(signed(key, body: Array("Hi. \r\n".utf8)), key))
        #expect(
            text == """
                pass d=example.com s=s1 a=ed25519-sha256
                    key         ed25519 at s1._domainkey.example.com
                    body        intact, 5 octets in canonical form
                    header      intact
                    signed      from subject
                    oversigned  from
                    not signed  received
                    alignment   exact: d= is the domain of From
                    signed at   \(Moment.text(1_700_000_000))

                """)
    }

    @Test("What strangers wrote neither steers the terminal nor hides a line, and no time is too late to be shown")
    func harmless() async throws {
        let field =
            "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s1; bh=AAAA; b=AAAA; x=99999999999999999999;"
            + " h=from:\u{1B}[2J:\u{9B}1m:\u{202E}x\r\n"
        let text = VerifyText.of(try await document(Array(field.utf8) + Self.section + [13, 10], nil))
        #expect(text.contains("\\u{1b}[2j \\u{9b}1m \\u{202e}x\n"))
        #expect(text.contains("s after 1970"))
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || (32...126).contains($0.value) })
    }

    @Test("Verify says of a changed message what differs, and why if that can be known")
    func changed() async throws {
        let key = try SigningKey.generate(.ed25519)
        let message = try signed(key, body: Array("Hi.\r\n".utf8))
        let longer = VerifyText.of(try await document(message + Array("-- \r\nfooter\r\n".utf8), key))
        #expect(longer.hasPrefix("fail d=example.com s=s1 a=ed25519-sha256: the body differs: text was added"))
        #expect(longer.contains("    body        differs, 17 octets in canonical form\n      computed  "))
        #expect(longer.contains("\n      expected  "))
        #expect(longer.contains("\n      because   the body differs: text was added after its line 1\n"))
        #expect(longer.contains("\n    header      intact\n"))
        let spoiled = Array("Subject: Buy\r\nTo: b\r\n".utf8) + message
        let open = VerifyText.of(try await document(spoiled, nil))
        #expect(open.hasPrefix("permerror d=example.com s=s1 a=ed25519-sha256: no key record at"))
        #expect(open.contains("\n    key         none at s1._domainkey.example.com\n"))
        #expect(open.contains("\n    header      not known: there is no key to tell\n"))
        #expect(open.contains("\n      exposed   subject to\n"))
    }

    @Test("A message without signature, and one without author, are told as such")
    func nothing() async throws {
        let none = try await document(Self.section + [13, 10], nil)
        #expect(VerifyText.of(none) == "none: the message has no DKIM-Signature field\n")
        let key = try SigningKey.generate(.ed25519)
        let two = try await document(Array("From: b@example.com\r\n".utf8) + signed(key, body: []), key)
        #expect(two.outcome == .bad)
        #expect(
            VerifyText.of(two).hasSuffix(
                "no author domain to align with: the message has 2 From fields, where one must stand\n"))
    }

    @Test("The JSON has its documented names")
    func json() async throws {
        let key = try SigningKey.generate(.ed25519)
        let message = try signed(key, body: Array("Hi.\r\n".utf8)) + Array("more\r\n".utf8)
        let text = try JSONText.of(try await document(message, key))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(Set(object.keys) == ["outcome", "result", "author", "signatures"])
        let signature = try #require((object["signatures"] as? [[String: Any]])?.first)
        #expect(
            Set(signature.keys) == [
                "result", "reason", "domain", "selector", "algorithm", "canonicalization", "identity", "signedAt",
                "key",
                "body", "header", "alignment",
            ])
        func keys(_ name: String) -> Set<String> { Set((signature[name] as? [String: Any] ?? [:]).keys) }
        #expect(keys("key") == ["name", "kind", "isTesting"])
        #expect(keys("body") == ["isIntact", "computed", "expected", "octets", "unsignedOctets", "cause"])
        #expect(keys("header") == ["isIntact", "signed", "oversigned", "absent", "unsigned", "exposed"])
        #expect(keys("alignment") == ["mode", "text"])
        let cause = (signature["body"] as? [String: Any])?["cause"] as? [String: String]
        #expect(cause == ["kind": "body-text-added", "text": "the body differs: text was added after its line 1"])
    }

    @Test("Sign explains each signature octet by octet")
    func explanation() throws {
        let key = try SigningKey.generate(.ed25519)
        let message = try signed(key, body: Array("Hi.  you\r\n\r\nBye\r\n\r\n".utf8))
        let text = SignText.of(try SigningInput.all(in: message))
        let lines = text.components(separatedBy: "\n")
        #expect(lines[0] == "signature d=example.com s=s1 a=ed25519-sha256 c=simple/relaxed")
        #expect(lines[1] == "body, relaxed: 19 octets as given, 16 octets and 3 lines in canonical form")
        #expect(lines[2] == #"    first line  Hi. you\r\n"#)
        #expect(lines[3] == #"    last line   Bye\r\n"#)
        #expect(lines[4].hasPrefix("    bh=         "))
        #expect(lines[5] == "header fields, simple, in the order of hashing:")
        #expect(lines[6] == #"    From: a@example.com\r\n"#)
        #expect(lines[7] == #"    Subject: Gr\xc3\xbcn\t1\\2\r\n"#)
        #expect(lines[9] == "    from")
        #expect(lines[10...11] == ["not signed:", "    received"])
        #expect(text.contains("    DKIM-Signature: v=1; a=ed25519-sha256; c=simple/relaxed; d=example.com; s=s1;"))
        #expect(lines.contains { $0.hasSuffix(" b=") && !$0.hasSuffix("\\n") })
        #expect(SignText.of([]).hasPrefix("no signature"))
    }
}
