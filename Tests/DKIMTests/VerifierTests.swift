// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import DKIM

@Suite struct VerifierTests {
    private let message = octets(
        "Received: one\r\nFrom: a@football.example.com\r\nTo: b@example.net\r\nSubject: Is  dinner ready?\r\n"
            + "X-Other: 1\r\n\r\nHi.\r\n\r\nWe lost.\r\n")

    private func template(
        _ canonicalization: MessageCanonicalization = .relaxed, rsa: Bool = true, auid: String? = nil
    ) throws -> SignatureTemplate {
        try SignatureTemplate(
            sdid: "football.example.com", selector: rsa ? "test" : "brisbane",
            key: rsa ? Vectors.rsaKey() : Vectors.ed25519Key(), canonicalization: canonicalization, auid: auid)
    }

    private func verifier(_ records: [String], now: Int64 = Vectors.now) -> Verifier {
        Verifier(now: now) { _ in records.isEmpty ? .none : .texts(records) }
    }

    private func change(_ message: [UInt8], _ text: String, to other: String) -> [UInt8] {
        let changed = DKIMTests.text(message).replacing(text, with: other)
        #expect(octets(changed) != message)
        return octets(changed)
    }

    @Test func `both signatures of RFC 8463 pass`() throws {
        let verifications = try Vectors.verifier.verify(Vectors.bytes("RFC/rfc8463.eml"))
        #expect(verifications.map(\.result) == [.pass, .pass])
        #expect(verifications.map(\.reason) == ["", ""])
        #expect(verifications.map(\.signature?.algorithmName) == ["ed25519-sha256", "rsa-sha256"])
        #expect(Verifier.overall(verifications) == .pass)
    }

    @Test func `the signature of RFC 6376 passes`() throws {
        let verifications = try Vectors.verifier.verify(Vectors.bytes("RFC/rfc6376.eml"))
        #expect(verifications.map(\.result) == [.pass])
        #expect(verifications.first?.signature?.auid == "joe@football.example.com")
    }

    @Test func `a message without a signature has none`() {
        #expect(Vectors.verifier.verify(message).isEmpty)
        #expect(Verifier.overall([]) == .none)
        #expect(Verifier.keyRecordNames(in: message).isEmpty)
    }

    @Test func `the names of the key records are known before they are asked for`() throws {
        #expect(
            try Verifier.keyRecordNames(in: Vectors.bytes("RFC/rfc8463.eml"))
                == ["brisbane._domainkey.football.example.com", "test._domainkey.football.example.com"])
    }

    /// Every octet of the signed fields and of the body, each in one bit.
    @Test(arguments: [true, false])
    func `no octet that is signed can be changed`(rsa: Bool) throws {
        let signed = try Vectors.sign(message, with: template(.simple, rsa: rsa))
        let header = try HeaderFields(signed)
        let names = ["from", "to", "subject"].map(octets)
        var positions = Array(header.bodyStart..<signed.count - 2)
        for field in header.fields where names.contains(where: { header.isNamed(field, $0) }) {
            positions += field.octets
        }
        for position in positions {
            var changed = signed
            changed[position] ^= 1
            #expect(Verifier.overall(Vectors.verifier.verify(changed)) != .pass, "octet \(position)")
        }
    }

    @Test func `relaxed tolerates white space, folding and case of names, and simple does not`() throws {
        for (canonicalization, result) in [
            (MessageCanonicalization.relaxed, VerificationResult.pass), (.simple, .fail),
        ] {
            let signed = try Vectors.sign(message, with: template(canonicalization))
            var changed = change(signed, "Subject: Is  dinner ready?", to: "SUBJECT:Is\r\n dinner \t ready? ")
            changed = change(changed, "We lost.", to: "We  lost.\t")
            #expect(Vectors.verifier.verify(changed).map(\.result) == [result])
        }
        // The other two pairs: each half has its own rule.
        let mixed = try Vectors.sign(message, with: template(.init(header: .relaxed, body: .simple)))
        #expect(Vectors.verifier.verify(change(mixed, "To: b", to: "to:  b")).map(\.result) == [.pass])
        #expect(Vectors.verifier.verify(change(mixed, "We lost", to: "We  lost")).map(\.result) == [.fail])
    }

    @Test func `fields above, unsigned ones and more empty lines at the end do no harm`() throws {
        let signed = try octets("Received: by next\r\nX-Spam: no\r\n") + Vectors.sign(message, with: template(.simple))
        #expect(
            Vectors.verifier.verify(change(signed, "X-Other: 1", to: "X-Other: 2") + [13, 10, 13, 10]).map(\.result)
                == [.pass])
    }

    // MARK: What a failure says

    @Test(arguments: ["From: eve@example.org", "Subject: buy", "Cc: c@example.org", "Date: now"])
    func `a field that was added is named`(field: String) throws {
        let name = String(field.prefix { $0 != ":" })
        for rsa in [true, false] {
            let signed = try Vectors.sign(message, with: template(rsa: rsa))
            let changed = change(signed, "X-Other: 1", to: "X-Other: 1\r\n\(field)")
            let verification = try #require(Vectors.verifier.verify(changed).first)
            #expect(verification.result == .fail)
            #expect(verification.reason == "the field \(name) was added after signing")
        }
    }

    @Test func `text that was added below the body is told from other changes`() throws {
        let signed = try Vectors.sign(message, with: template())
        let longer = try #require(Vectors.verifier.verify(signed + octets("-- \r\nlist footer\r\n")).first)
        #expect(longer.reason == "the body differs: text was added after its line 3")
        let other = try #require(Vectors.verifier.verify(change(signed, "lost", to: "won")).first)
        #expect(other.reason == "the body differs")
        let empty = try #require(Vectors.verifier.verify(change(signed, "Hi.\r\n\r\nWe lost.\r\n", to: "")).first)
        #expect(empty.reason == "the body differs: it is empty")
    }

    @Test func `with RSA another key is told from a changed field`() throws {
        let signed = try Vectors.sign(message, with: template())
        let changed = try #require(Vectors.verifier.verify(change(signed, "To: b", to: "To: c")).first)
        #expect(changed.reason == "a signed header field differs")
        let other = try SigningKey.generate(.rsa(bits: 2048)).keyRecord.text
        let foreign = try #require(verifier([other]).verify(signed).first)
        #expect(foreign.result == .fail)
        #expect(foreign.reason == "the signature was not made with the published key, or b= differs")
    }

    @Test(arguments: [
        ("To: b", "To: c", "the field to differs from octet 4 of its canonical form on"),
        (
            "Subject: Is  dinner", "Subject: Is lunch",
            "the field subject differs from octet 12 of its canonical form on"
        ),
        ("Subject: Is  dinner ready?\r\n", "", "the field subject was removed after signing"),
        ("X-Other: 1", "Reply-To: eve", "the field reply-to was added after signing"),
        ("We lost", "We won", "the body differs from line 3, octet 4 on (octet 11 of its canonical form)"),
        (
            "s=test;", "s=test; z=x;",
            "no signed field differs from the original: the signature field itself does, or the key"
        ),
    ])
    func `with the original at hand the difference is named`(old: String, new: String, reason: String) throws {
        for rsa in [true, false] where rsa || !old.contains("s=test") {
            let signed = try Vectors.sign(message, with: template(rsa: rsa))
            let verification = try #require(
                Vectors.verifier.verify(change(signed, old, to: new), original: message).first)
            #expect(verification.result == .fail)
            #expect(verification.reason == reason)
        }
    }

    // MARK: Key records and times

    @Test func `what DNS says decides`() throws {
        let signed = try Vectors.sign(message, with: template())
        let key = KeyRecordTests.rsa
        let cases: [(records: [String], result: VerificationResult, reason: String)] = [
            (["p=\(key)"], .pass, ""),
            (["v=DKIM1; t=y; p=\(key)"], .pass, "the domain is testing DKIM"),
            (["v=spf1 -all", "p=\(key)"], .pass, ""),
            (["p=\(key)", "v=DKIM1; k=rsa; p=\(key)"], .pass, ""),
            ([], .permerror, "no key record at test._domainkey.football.example.com"),
            (["v=DKIM1; p="], .permerror, "the key was revoked"),
            (["p=\(key)", "p="], .permerror, "2 key records at test._domainkey.football.example.com"),
            (
                ["v=DKIM1; h=sha1; p=\(key)"], .permerror,
                "the key record does not allow this use: its h=sha1 lacks sha256"
            ),
            (
                ["v=DKIM1; s=tlsrpt; p=\(key)"], .permerror,
                "the key record does not allow this use: its s=tlsrpt lacks email"
            ),
            (["k=ed25519; p=\(KeyRecordTests.ed25519)"], .permerror, "the key is not one for rsa-sha256"),
            (["garbage"], .permerror, "malformed key record: not a list of tags: \"garbage\" has no equals sign"),
        ]
        for testCase in cases {
            let verification = try #require(verifier(testCase.records).verify(signed).first)
            #expect(verification.result == testCase.result, "\(testCase.records)")
            #expect(verification.reason == testCase.reason)
        }
        let silent = Verifier(now: Vectors.now) { _ in .temporaryFailure("time-out") }
        #expect(silent.verify(signed).map(\.result) == [.temperror])
    }

    @Test func `a key record can forbid subdomains in i=`() throws {
        let record = "t=s; p=\(KeyRecordTests.rsa)"
        for (auid, result) in [
            ("@football.example.com", VerificationResult.pass), ("@x.football.example.com", .permerror),
        ] {
            let signed = try Vectors.sign(message, with: template(auid: auid))
            #expect(verifier([record]).verify(signed).map(\.result) == [result])
        }
    }

    @Test func `a signature is good until its x= and from its t= on`() throws {
        let signed = try Vectors.sign(message, with: template(), signedAt: 1000, expiresAt: 100_000)
        let record = ["p=\(KeyRecordTests.rsa)"]
        let cases: [(now: Int64, result: VerificationResult)] = [
            (1000, .pass), (100_000, .pass), (100_001, .permerror), (1000 - Verifier.clockSkew, .pass),
            (999 - Verifier.clockSkew, .policy),
        ]
        for testCase in cases {
            #expect(
                verifier(record, now: testCase.now).verify(signed).map(\.result) == [testCase.result], "\(testCase)")
        }
    }

    @Test func `l= covers the octets that it says and the rest is pointed out`() throws {
        let header = try HeaderFields(message)
        func signed(octets count: Int) throws -> [UInt8] {
            let hasher = try BodyHasher(.relaxed, limit: count)
            hasher.append(Array(message[header.bodyStart...]))
            let hash = try Base64.string(hasher.finish())
            let unsigned = octets(
                "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=football.example.com; s=test; l=\(count); "
                    + "h=from; bh=\(hash); b=")
            let signature = try SignatureTemplate.signature(
                header, fields: [1], unsigned: unsigned, canonicalization: .relaxed, key: Vectors.rsaKey(),
                checking: true)
            return unsigned + Base64.encode(signature) + [13, 10] + message
        }
        let whole = "Hi.\r\n\r\nWe lost.\r\n".utf8.count
        let exact = try #require(Vectors.verifier.verify(signed(octets: whole)).first)
        #expect((exact.result, exact.reason) == (.pass, ""))
        let part = try #require(Vectors.verifier.verify(signed(octets: 5)).first)
        #expect((part.result, part.reason) == (.pass, "l= leaves the last \(whole - 5) octets of the body unsigned"))
        let beyond = try #require(Vectors.verifier.verify(signed(octets: whole + 1)).first)
        #expect(beyond.result == .permerror)
    }

    @Test func `each signature is judged for itself`() throws {
        let once = try Vectors.sign(message, with: template())
        let twice = try Vectors.sign(once, with: template(rsa: false))
        #expect(Vectors.verifier.verify(twice).map(\.result) == [.pass, .pass])
        let damaged = octets("DKIM-Signature: v=1; what\r\n") + twice
        #expect(Vectors.verifier.verify(damaged).map(\.result) == [.neutral, .pass, .pass])
        #expect(Verifier.overall(Vectors.verifier.verify(damaged)) == .pass)
    }

    @Test func `a flood of signatures is not worked off`() throws {
        var flooded = message
        for _ in 0..<Verifier.maximumSignatures + 2 { flooded = octets("DKIM-Signature: v=1\r\n") + flooded }
        let results = Vectors.verifier.verify(flooded).map(\.result)
        #expect(results == Array(repeating: .permerror, count: Verifier.maximumSignatures) + [.policy, .policy])
    }

    @Test func `a message that is none is neutral, and cutting one off anywhere never traps`() throws {
        #expect(Vectors.verifier.verify(octets("not a field\r\n\r\n")).map(\.result) == [.neutral])
        let signed = try Vectors.bytes("RFC/rfc8463.eml")
        for count in 0..<signed.count {
            let results = Vectors.verifier.verify(Array(signed[..<count])).map(\.result)
            #expect(!results.contains(.pass) || count > signed.count - 3, "cut at \(count)")
        }
    }
}
