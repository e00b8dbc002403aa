// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import DKIM

@Suite struct KeyRecordTests {
    static let rsa =
        "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
    static let ed25519 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    @Test(arguments: [
        "v=DKIM1; k=rsa; p=\(rsa)", "p=\(rsa)", "v=DKIM1;p=\(rsa);", " v = DKIM1 ; k = rsa ; p = \(rsa) ; ",
        "v=DKIM1; h=sha1:sha256; k=rsa; n=see qp=3Btext; s=*; t=y:s; p=\(rsa)",
        "k=rsa; p=\(rsa); g=*; unknown=1", "v=DKIM1; p=\(rsa.prefix(50)) \t\(rsa.dropFirst(50))",
    ])
    func `these records hold the RSA key`(record: String) throws {
        #expect(try KeyRecord(record).publicKey == Vectors.rsaKey().publicKey)
    }

    @Test func `an RSA key may be published as SubjectPublicKeyInfo or as RSAPublicKey`() throws {
        let (spki, pkcs1) = try (
            text(Vectors.bytes("Keys/rsa-2048.spki")), text(Vectors.bytes("Keys/rsa-2048.rsapublickey"))
        )
        #expect(spki != pkcs1)
        #expect(try KeyRecord("v=DKIM1; p=\(spki)").publicKey == KeyRecord("v=DKIM1; p=\(pkcs1)").publicKey)
    }

    @Test func `an Ed25519 key is published as its 32 octets`() throws {
        let record = try KeyRecord("v=DKIM1; k=ed25519; p=\(KeyRecordTests.ed25519)")
        #expect(try record.publicKey == Vectors.ed25519Key().publicKey)
        #expect(record.keyType == "ed25519")
    }

    static let refused: [(record: String, error: KeyRecordError)] = [
        ("", .malformed("not a list of tags: it is empty")),
        ("v=spf1 -all", .version),
        ("v=DKIM1; k=rsa", .malformed("no p= in it")),
        ("v=DKIM2; p=\(rsa)", .version),
        ("v=dkim1; p=\(rsa)", .version),
        ("k=rsa; v=DKIM1; p=\(rsa)", .version),
        ("v=DKIM1; v=DKIM1; p=\(rsa)", .malformed("the tag v= stands there twice")),
        ("v=DKIM1; p=\(rsa); p=", .malformed("the tag p= stands there twice")),
        ("v=DKIM1;; p=\(rsa)", .malformed("not a list of tags: a semicolon without a tag before it")),
        ("; p=\(rsa)", .malformed("not a list of tags: a semicolon without a tag before it")),
        ("v=DKIM1; k=dsa; p=\(rsa)", .keyType("dsa")),
        ("v=DKIM1; k=RSA; p=\(rsa)", .keyType("RSA")),
        ("v=DKIM1; p=\(rsa)A", .publicKey("its base64 is damaged")),
        ("v=DKIM1; p=AAAA", .publicKey("not a key of the type rsa")),
        ("v=DKIM1; p=\(ed25519)", .publicKey("not a key of the type rsa")),
        ("v=DKIM1; k=ed25519; p=\(rsa)", .publicKey("an Ed25519 key has 32 octets, not 162")),
        // The key wrapped in SubjectPublicKeyInfo: a mistake that many make.
        (
            "v=DKIM1; k=ed25519; p=MCowBQYDK2VwAyEA\(ed25519)",
            .publicKey(
                "an Ed25519 key has 32 octets, not 44: "
                    + "publish its last 32, without the SubjectPublicKeyInfo around them")
        ),
        // What a provider leaves that cuts a record off at 255 octets.
        (
            "v=DKIM1; k=rsa; p=\(rsa.prefix(160))",
            .publicKey("it is cut off: 120 of 162 octets are there, so a part of the TXT record is missing")
        ),
        ("v=DKIM1; k=rsa; p=MCowBQYDK2VwAyEA\(ed25519)", .publicKey("it is of the type ed25519")),
        ("v=DKIM1 p=\(rsa)", .version),
        ("p", .malformed("not a list of tags: \"p\" has no equals sign")),
        ("1p=x", .malformed("not a list of tags: \"1p\" is not the name of a tag")),
        (
            "v=DKIM1; p=x; this is\u{E9} no tag at all",
            .malformed("not a list of tags: \"this?is???no?tag?at?\u{2026}\" has no equals sign")
        ),
    ]

    @Test(arguments: refused)
    func `a record that can't be used is refused with a reason`(record: String, error: KeyRecordError) {
        #expect(throws: error) { try KeyRecord(record) }
    }

    @Test func `an empty key says that it was revoked`() throws {
        for record in ["v=DKIM1; p=", "p=;", "v=DKIM1; k=ed25519; p= "] {
            #expect(try KeyRecord(record).publicKey == nil)
        }
        #expect(KeyRecord.revoked(keyType: "ed25519").text == "v=DKIM1; k=ed25519; p=")
    }

    @Test(arguments: [
        ("h=sha1", false), ("h=sha256", true), ("h=sha1:sha256", true), ("h= sha1 : sha256 ", true), ("s=email", true),
        ("s=*", true), ("s=tlsrpt", false), ("s=tlsrpt:email", true), ("h=sha256; s=other", false), ("n=x", true),
    ])
    func `a record says what it is for`(tags: String, isForMail: Bool) throws {
        #expect(try KeyRecord("v=DKIM1; \(tags); p=\(KeyRecordTests.rsa)").allowsMail == isForMail)
    }

    @Test func `flags are read`() throws {
        let both = try KeyRecord("t=y : s:z; p=")
        #expect(both.isTesting && both.forbidsSubdomains)
        let neither = try KeyRecord("t=ys; p=")
        #expect(!neither.isTesting && !neither.forbidsSubdomains)
    }

    @Test func `the record of a key is the one to publish`() throws {
        #expect(try Vectors.rsaKey().keyRecord.text == "v=DKIM1; k=rsa; p=\(KeyRecordTests.rsa)")
        #expect(try Vectors.ed25519Key().keyRecord.text == "v=DKIM1; k=ed25519; p=\(KeyRecordTests.ed25519)")
    }

    @Test func `a written record reads the same, whatever it holds`() throws {
        for key in try [Vectors.rsaKey(), Vectors.ed25519Key(), SigningKey(pem: Vectors.bytes("Keys/rsa-2048.pem"))] {
            for flags in 0..<16 {
                var record = key.keyRecord
                record.isTesting = flags & 1 != 0
                record.forbidsSubdomains = flags & 2 != 0
                record.hashAlgorithms = flags & 4 != 0 ? ["sha256"] : nil
                record.services = flags & 8 != 0 ? ["email", "tlsrpt"] : nil
                #expect(try KeyRecord(record.text) == record)
                #expect(try KeyRecord(record.characterStrings.joined()) == record)
                #expect(record.characterStrings.allSatisfy { (1...255).contains($0.utf8.count) })
            }
        }
    }

    @Test func `a record of 2048 bits needs two character strings`() throws {
        let record = try SigningKey(pem: Vectors.bytes("Keys/rsa-2048.pem")).keyRecord
        #expect(record.characterStrings.map(\.utf8.count) == [255, 155])
    }
}

@Suite struct Base64Tests {
    /// RFC 4648 §10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `octets and base64 are each other's counterpart`(plain: String, encoded: String) {
        #expect(Base64.string(octets(plain)) == encoded)
        #expect(Base64.decode(octets(encoded)) == octets(plain))
    }

    /// White space may stand anywhere, even inside the padding (RFC 6376 §3.5).
    @Test func `folding anywhere is read over`() {
        let encoded = octets("Zm9vYg==")
        for position in 0...encoded.count {
            let folded = encoded[..<position] + octets(" \r\n\t") + encoded[position...]
            #expect(Base64.decode(folded) == octets("foob"))
        }
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zg===", "Zm8", "Zm9v=", "Zg==Zg==", "Zh==", "Zm9=", "Z-8=", "Z_8=", "=", "Zm 9\u{0B}v",
        "Zm9v\0",
    ])
    func `what is not base64 is refused`(encoded: String) {
        #expect(Base64.decode(octets(encoded)) == nil)
    }
}
