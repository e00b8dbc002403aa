// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import DKIM

/// What public verifiers expect of each other, stated again with messages and keys of our own; `README.md` beside this
/// file says which fact came from where, and where this library differs on purpose.
@Suite struct PublicProjectTests {
    private static let message =
        "From: Joe <joe@football.example.com>\r\nTo: suzie@example.net\r\nSubject: Is dinner ready?\r\n"
        + "Date: Fri, 11 Jul 2003 21:00:37 -0700\r\n\r\nHi.\r\n\r\nWe lost.\r\n"

    /// A signature with exactly these tags: what the library itself would never write can be asked of it.
    ///
    /// `%BH%` stands for the body hash. `b=` comes where the tags have it, else last.
    static func sign(
        _ tags: String, names: [String] = ["from", "to", "subject", "date"], rsa: Bool = true,
        message: String = message, body: Canonicalization = .relaxed, limit: Int? = nil
    ) throws -> String {
        let header = try HeaderFields(octets(message))
        let hasher = try BodyHasher(body, limit: limit)
        hasher.append(Array(header.bytes[header.bodyStart...]))
        let hash = try Base64.string(hasher.finish())
        let list = tags.replacing("%BH%", with: hash)
        let field = "DKIM-Signature: " + (list.contains("%B%") ? list : list + "; b=%B%")
        let unsigned = field.replacing("%B%", with: "")
        var selection = HeaderSelection(header)
        let fields = names.compactMap { selection.next(octets($0)) }
        let value = try SignatureTemplate.signature(
            header, fields: fields, unsigned: octets(unsigned), canonicalization: .relaxed,
            key: rsa ? Vectors.rsaKey() : Vectors.ed25519Key(), checking: true)
        return field.replacing("%B%", with: Base64.string(value)) + "\r\n" + message
    }

    private static func verify(_ message: String, _ records: [String]) -> [Verification] {
        Verifier(now: Vectors.now) { _ in records.isEmpty ? .none : .texts(records) }.verify(octets(message))
    }

    private static let key = "v=DKIM1; k=rsa; p=\(KeyRecordTests.rsa)"
    private static let ed25519 = "v=DKIM1; k=ed25519; p=\(KeyRecordTests.ed25519)"
    private static let end = "h=from:to:subject:date; bh=%BH%"
    private static let start = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=football.example.com; s=test"

    // MARK: Tags of the signature

    static let signatures: [(tags: String, result: VerificationResult)] = [
        ("\(start); \(end)", .pass),
        // Unknown tags, and tags that hold what looks like others.
        ("\(start); unknown=1; x1= extra ; \(end)", .pass),
        ("\(start); z=Subject:b=3Dx|From:O'Brien=20<ob@example.com>; \(end)", .pass),
        ("\(start); z=Subject:(hi\\there; \(end)", .pass),
        ("\(start); xnote=see b=here; \(end)", .pass),
        // b= in another place, and white space around it.
        ("\(start); \(end); b=%B%; xfoo=bar", .pass),
        ("\(start); \(end); b =%B%", .pass),
        ("b=%B%; \(start); \(end)", .pass),
        ("\(start); \(end); b=%B%;", .pass),
        // Degenerate folding is ugly and legal.
        ("v=1;\r\n\ta=rsa-sha256;\r\n c=relaxed/relaxed;\r\n\td=football.\r\n example.com;s=test;\(end)", .pass),
        // Domains compare without case; i= may be quoted-printable.
        ("\(start); i=Joe@Football.Example.COM; \(end)", .pass),
        ("\(start); i==6Aoe@football.example.com; \(end)", .pass),
        ("\(start); i=joe@football=2Eexample.com; \(end)", .pass),
        ("\(start); i=joe=40football.example.com; \(end)", .pass),
        ("\(start); i=joe@x.football.example.com; \(end)", .pass),
        // One known query method among others is enough.
        ("\(start); q=foo/bar:dns/txt:exam/ple; \(end)", .pass),
        ("\(start); q=http; \(end)", .permerror),
        ("\(start); q=dns/special; \(end)", .permerror),
        // x= without t= counts as well.
        ("\(start); x=\(Vectors.now + 400_000); \(end)", .pass),
        ("\(start); x=\(Vectors.now - 86_400); \(end)", .permerror),
        ("\(start); t=1000000000; x=1000000100; \(end)", .permerror),
        ("\(start); t=1700000000; x=1700000000; \(end)", .permerror),
        ("\(start); t=1700000000; x=1690000000; \(end)", .permerror),
        ("\(start); t=\(Vectors.now + 60); \(end)", .pass),
        ("\(start); t=\(Vectors.now + 86_400); \(end)", .policy),
        ("\(start); t=0x10; \(end)", .neutral),
        ("\(start); x=abc; \(end)", .neutral),
        ("\(start); l=-1; \(end)", .neutral),
        ("\(start); l=0x10; \(end)", .neutral),
        // What is required, and versions and algorithms that aren't ours.
        ("a=rsa-sha256; c=relaxed/relaxed; d=football.example.com; s=test; \(end)", .permerror),
        ("v=2; a=rsa-sha256; c=relaxed/relaxed; d=football.example.com; s=test; \(end)", .permerror),
        ("v=0.5; a=rsa-sha256; c=relaxed/relaxed; d=football.example.com; s=test; \(end)", .permerror),
        ("v=1; a=rsa-sha1; c=relaxed/relaxed; d=football.example.com; s=test; \(end)", .permerror),
        ("v=1; a=rsa-md5; c=relaxed/relaxed; d=football.example.com; s=test; \(end)", .permerror),
        ("v=1; a=dsa-sha1; c=relaxed/relaxed; d=football.example.com; s=test; \(end)", .permerror),
        ("v=1; a=ed25519-sha1; c=relaxed/relaxed; d=football.example.com; s=test; \(end)", .permerror),
        ("v=1; a=rsa-sha256; c=future; d=football.example.com; s=test; \(end)", .permerror),
        ("v=1; a=rsa-sha256; c=relaxed/relaxed; s=test; \(end)", .permerror),
        ("v=1; a=rsa-sha256; c=relaxed/relaxed; d=football.example.com; s=test; bh=%BH%", .permerror),
        ("\(start); h=; bh=%BH%", .permerror),
        ("\(start); h=to:subject:date; bh=%BH%", .permerror),
        // Tag names have a case, and stand once.
        ("v=1; a=rsa-sha256; c=relaxed/relaxed; D=football.example.com; S=test; \(end)", .permerror),
        ("v=1; a=rsa-sha256; c=relaxed/relaxed; d=evil.example; d=football.example.com; s=test; \(end)", .neutral),
        ("synerr", .neutral),
        // Names that are none.
        ("v=1; a=rsa-sha256; c=relaxed/relaxed; d=exa mple..com; s=test; \(end)", .neutral),
        ("v=1; a=rsa-sha256; c=relaxed/relaxed; d=legitimate.example(.attacker.example; s=test; \(end)", .neutral),
        ("v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com\u{E9}; s=test; \(end)", .neutral),
        ("\(start); i=user@evil.example; \(end)", .permerror),
        ("\(start); h=from:to:subject:date::; bh=%BH%", .neutral),
        ("\(start);; \(end)", .neutral),
    ]

    @Test(arguments: signatures)
    func `each form of a signature has the result that verifiers agree on`(
        tags: String, result: VerificationResult
    ) throws {
        let verifications = PublicProjectTests.verify(try PublicProjectTests.sign(tags), [PublicProjectTests.key])
        #expect(verifications.map(\.result) == [result], "\(verifications.map(\.reason))")
    }

    // MARK: Key records

    static let records: [(records: [String], result: VerificationResult)] = [
        (["p=\(KeyRecordTests.rsa)"], .pass),
        (["v=DKIM1; n=; p=\(KeyRecordTests.rsa)"], .pass),
        (["v=DKIM1; n=it's; p=\(KeyRecordTests.rsa)"], .pass),
        (["v=DKIM1; n=see(below; p=\(KeyRecordTests.rsa)"], .pass),
        (["v=DKIM1; n=a\\b; p=\(KeyRecordTests.rsa)"], .pass),
        (["v=DKIM1; n=send%20comments%20to%20tony%40example; s=*; p=\(KeyRecordTests.rsa)"], .pass),
        (["v=DKIM1; h=sha1:sha256; p=\(KeyRecordTests.rsa)"], .pass),
        (["v=DKIM1; h= sha1:sha 256:other; p=\(KeyRecordTests.rsa)"], .pass),
        (["v=DKIM1; h=sha1; p=\(KeyRecordTests.rsa)"], .permerror),
        (["v=DKIM1; h=bad; p=\(KeyRecordTests.rsa)"], .permerror),
        (["v=DKIM1; s=email; p=\(KeyRecordTests.rsa)"], .pass),
        (["v=DKIM1; s=email:web:fine; x1 = extra ; t = y:n:extra; p=\(KeyRecordTests.rsa)"], .pass),
        (["v=DKIM1; s=*; p=\(KeyRecordTests.rsa)"], .pass),
        (["v=DKIM1; s=chat; p=\(KeyRecordTests.rsa)"], .permerror),
        (["v=DKIM1; s=tlsrpt; p=\(KeyRecordTests.rsa)"], .permerror),
        (["v=DKIM1; t=y; p=\(KeyRecordTests.rsa)"], .pass),
        (["v=DKIM1; g=jl*g; p=\(KeyRecordTests.rsa)"], .pass),
        (["v=DKIM1; g=*poe; p=\(KeyRecordTests.rsa)"], .pass),
        (["v=DKIM1; g=; p=\(KeyRecordTests.rsa)"], .pass),
        (["k=rsa; v=DKIM1; p=\(KeyRecordTests.rsa)"], .permerror),
        (["v=dkim1; k=rsa; p=\(KeyRecordTests.rsa)"], .permerror),
        (["v=DKIM3; t=y; p=\(KeyRecordTests.rsa)"], .permerror),
        (["k=rsa; t; p=\(KeyRecordTests.rsa)"], .permerror),
        (["k=foobar; t=y; p=\(KeyRecordTests.rsa)"], .permerror),
        (["v=DKIM1; k=rsa; p=; p=\(KeyRecordTests.rsa)"], .permerror),
        (["v=DKIM1; k=rsa; t=y; p="], .permerror),
        (["p="], .permerror),
        ([""], .permerror),
        ([], .permerror),
        ([ed25519], .permerror),
        (["v=DKIM1; p=\(KeyRecordTests.ed25519)"], .permerror),
    ]

    @Test(arguments: records)
    func `each form of a key record has the result that verifiers agree on`(
        records: [String], result: VerificationResult
    ) throws {
        let signed = try PublicProjectTests.sign("\(PublicProjectTests.start); \(PublicProjectTests.end)")
        let verifications = PublicProjectTests.verify(signed, records)
        #expect(verifications.map(\.result) == [result], "\(verifications.map(\.reason))")
    }

    @Test(arguments: [
        ("v=DKIM1; k=ed25519; p=\(KeyRecordTests.ed25519)", VerificationResult.pass),
        ("v=DKIM1; p=\(KeyRecordTests.ed25519)", .permerror),
        ("v=DKIM1; k=ed25519; p=MCowBQYDK2VwAyEA\(KeyRecordTests.ed25519)", .permerror),
        ("v=DKIM1; k=ed25519; p=", .permerror), ("\"\"", .permerror), (key, .permerror),
    ])
    func `Ed25519 keys are taken in their one form`(record: String, result: VerificationResult) throws {
        let tags = PublicProjectTests.start.replacing("rsa-sha256", with: "ed25519-sha256")
        let signed = try PublicProjectTests.sign("\(tags); \(PublicProjectTests.end)", rsa: false)
        #expect(PublicProjectTests.verify(signed, [record]).map(\.result) == [result])
    }

    @Test func `RSA keys below 1024 bits are not taken`() throws {
        // The public half of `Keys/rsa-768.pem`.
        let record =
            "v=DKIM1; p=MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhANc8Y3Auy9mlkmXuPKvlWNApc8x0/Hjon7880fsEhtg/GUKZQ1q1"
            + "41CY55QECjp3bEOfbA4C6/PUJyMDR5HhdFZXfj53ifse3JM0wbPxneexbaQ4xZBWY9EGt1BmmjioLwIDAQAB"
        let signed = try PublicProjectTests.sign("\(PublicProjectTests.start); \(PublicProjectTests.end)")
        let verification = try #require(PublicProjectTests.verify(signed, [record]).first)
        #expect(verification.result == .permerror)
        #expect(verification.reason.contains("an RSA key of 768 bits is too short"))
    }

    @Test(arguments: [
        ("joe@football.example.com", VerificationResult.pass), ("@football.example.com", .pass),
        ("joe@x.football.example.com", .permerror),
    ])
    func `t=s asks for the same domain in i= and d=`(auid: String, result: VerificationResult) throws {
        let signed = try PublicProjectTests.sign("\(PublicProjectTests.start); i=\(auid); \(PublicProjectTests.end)")
        let record = "v=DKIM1; t=s; p=\(KeyRecordTests.rsa)"
        #expect(PublicProjectTests.verify(signed, [record]).map(\.result) == [result])
    }

    @Test func `a name server that doesn't answer is a temporary error`() throws {
        let signed = try PublicProjectTests.sign("\(PublicProjectTests.start); \(PublicProjectTests.end)")
        for reason in ["the query timed out", "SERVFAIL"] {
            let verifications = Verifier(now: Vectors.now) { _ in .temporaryFailure(reason) }.verify(octets(signed))
            #expect(verifications.map(\.result) == [.temperror])
            #expect(verifications.map(\.reason) == [reason])
        }
    }
}
