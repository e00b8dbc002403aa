// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import DKIM

@Suite struct SigningKeyTests {
    private func pem(_ name: String) throws -> [UInt8] { try Vectors.bytes("Keys/\(name).pem") }

    @Test func `PKCS#8 and PKCS#1 forms of one key are the same key`() throws {
        let (first, second) = try (SigningKey(pem: pem("rsa-2048")), SigningKey(pem: pem("rsa-2048-pkcs1")))
        #expect(first.publicKey == second.publicKey)
        #expect(first.kind == .rsa(bits: 2048))
        #expect(try first.publicKey.description == text(Vectors.bytes("Keys/rsa-2048.spki")))
    }

    @Test func `the seed of RFC 8463 and its PKCS#8 form are the same key`() throws {
        for seed in [
            "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=", " nWGxne/9WmC6hEr0kuws\r\nxERJxWl7MmkZcDusAxyuf2A=\r\n",
        ] {
            let key = try SigningKey(pem: octets(seed))
            #expect(try key.publicKey == Vectors.ed25519Key().publicKey)
            #expect(key.publicKey.description == "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
            #expect(key.algorithm == .ed25519SHA256)
        }
    }

    @Test(arguments: ["rsa-2048", "rsa-2048-pkcs1"])
    func `text around the key, CRLF and a missing last line end do no harm`(name: String) throws {
        let plain = try text(pem(name))
        let expected = try SigningKey(pem: octets(plain)).publicKey
        let variants = [
            plain.replacing("\n", with: "\r\n"),
            String(plain.dropLast()),
            "Bag Attributes: none\nsubject=x\n" + plain + "and after\n",
            plain.replacing("\n", with: "  \n"),
            // A public key and a certificate beside it are no second private key.
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n" + plain,
        ]
        for variant in variants { #expect(try SigningKey(pem: octets(variant)).publicKey == expected) }
    }

    static let refused: [(name: String, error: SigningKeyError)] = [
        ("ec-sec1", .unsupported("EC")),
        ("dsa", .unsupported("DSA")),
        ("ec", .unsupported("id-ecPublicKey")),
        ("x25519", .unsupported("X25519")),
        ("rsa-pss", .unsupported("RSASSA-PSS")),
        ("rsa-768", .tooShort(bits: 768)),
        ("rsa-5120", .tooLong(bits: 5120)),
        ("encrypted", .encrypted),
        ("encrypted-pkcs1", .legacyEncryption),
        ("openssh", .openSSHFormat),
        ("rsa-2048-public", .publicKey),
        ("certificate", .certificate),
    ]

    @Test(arguments: refused)
    func `a key that is no good for DKIM is refused`(name: String, error: SigningKeyError) throws {
        let pem = try pem(name)
        #expect(throws: error) { try SigningKey(pem: pem) }
    }

    @Test(arguments: refused)
    func `a refusal is one line that says what to do`(name: String, error: SigningKeyError) {
        let text = error.description
        #expect(text.utf8.allSatisfy { (32...126).contains($0) })
        let remedies = ["make another", "convert", "give"]
        #expect(remedies.contains { text.contains($0) }, "\(text)")
        let commands = ["encrypted-pkcs1": "openssl pkcs8 -topk8", "openssh": "ssh-keygen -p -m PKCS8"]
        if let command = commands[name] { #expect(text.contains(command)) }
    }

    @Test func `a key in binary form is told from text that is no key`() throws {
        for name in ["rsa-2048", "rsa-2048-pkcs1", "../RFC/ed", "encrypted-scrypt"] {
            let lines = try text(pem(name)).split(separator: "\n").filter { !$0.hasPrefix("-") }
            let der = try #require(Base64.decode(octets(lines.joined())))
            #expect(throws: SigningKeyError.binary, "\(name)") { try SigningKey(pem: der) }
        }
    }

    @Test(arguments: ["openssh.pub", "rsa-2048.spki"])
    func `a public key in another form than PEM is not a private key`(name: String) throws {
        var content = try Vectors.bytes("Keys/\(name)")
        if name.hasSuffix("spki") { content = octets("v=DKIM1; k=rsa; p=") + content }
        #expect(throws: SigningKeyError.publicKey) { try SigningKey(pem: content) }
    }

    @Test func `two private keys are refused`() throws {
        let both = try pem("rsa-2048") + pem("rsa-2048")
        #expect(throws: SigningKeyError.moreThanOneKey) { try SigningKey(pem: both) }
    }

    @Test(arguments: [
        "", "\n", "nothing", "AAAA", "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n",
    ])
    func `text without a private key is refused`(text: String) throws {
        #expect(throws: SigningKeyError.noKey) { try SigningKey(pem: octets(text)) }
    }

    @Test func `a key cut off anywhere is refused, and so is one with octets after it`() throws {
        let whole = try pem("rsa-2048-pkcs1")
        let text = text(whole)
        for count in stride(from: 30, to: whole.count - 30, by: 97) {
            #expect(throws: SigningKeyError.self, "cut at \(count)") { try SigningKey(pem: Array(whole[..<count])) }
        }
        let longer = text.replacing("-----END RSA", with: "AAAA\n-----END RSA")
        #expect(throws: SigningKeyError.self) { try SigningKey(pem: octets(longer)) }
        let wrongLabel = text.replacing("RSA PRIVATE KEY", with: "PRIVATE KEY")
        #expect(throws: SigningKeyError.malformed("its content is not a private key")) {
            try SigningKey(pem: octets(wrongLabel))
        }
    }

    /// Every octet of the modulus and the exponents matters: no damage goes unnoticed that changes a signature.
    @Test func `a damaged key is refused or still signs correctly`() throws {
        let der = try #require(
            Base64.decode(octets(text(pem("rsa-2048-pkcs1")).split(separator: "\n").dropFirst().dropLast().joined())))
        var refusals = 0
        for position in stride(from: 4, to: der.count, by: 61) {
            var damaged = der
            damaged[position] ^= 0x10
            let pem = "-----BEGIN RSA PRIVATE KEY-----\n\(Base64.string(damaged))\n-----END RSA PRIVATE KEY-----\n"
            guard let key = try? SigningKey(pem: octets(pem)) else {
                refusals += 1
                continue
            }
            let digest = [UInt8](repeating: 7, count: 32)
            #expect(try key.publicKey.verify(signature: key.sign(digest: digest), digest: digest))
        }
        #expect(refusals > 0)
    }

    @Test(arguments: [KeyKind.rsa(bits: 2048), .ed25519])
    func `a generated key survives being written and read`(kind: KeyKind) throws {
        let key = try SigningKey.generate(kind)
        let pem = try key.pem()
        #expect(text(pem).hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        #expect(text(pem).hasSuffix("\n-----END PRIVATE KEY-----\n"))
        #expect(text(pem).split(separator: "\n").allSatisfy { $0.utf8.count <= 64 })
        let again = try SigningKey(pem: pem)
        #expect(again.publicKey == key.publicKey)
        #expect(again.kind == kind)
        #expect(try again.pem() == pem)
    }

    @Test(arguments: [0, 512, 1024, 2047, 8192])
    func `only useful sizes are generated`(bits: Int) throws {
        #expect(throws: SigningKeyError.unsupported("rsa-\(bits)")) { try SigningKey.generate(.rsa(bits: bits)) }
    }

    @Test func `two generated keys differ`() throws {
        #expect(try SigningKey.generate(.ed25519).publicKey != SigningKey.generate(.ed25519).publicKey)
    }

    @Test func `many threads sign with one key`() async throws {
        for key in try [Vectors.rsaKey(), Vectors.ed25519Key()] {
            let expected = try key.sign(digest: [UInt8](repeating: 9, count: 32))
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<32 {
                    group.addTask { (try? key.sign(digest: [UInt8](repeating: 9, count: 32))) == expected }
                }
                for await isSame in group { #expect(isSame) }
            }
        }
    }

    @Test func `a signature of one key does not verify with another, nor over another digest`() throws {
        for key in try [Vectors.rsaKey(), Vectors.ed25519Key()] {
            let digest = [UInt8](repeating: 1, count: 32)
            let signature = try key.sign(digest: digest)
            #expect(try key.publicKey.verify(signature: signature, digest: digest))
            #expect(try !key.publicKey.verify(signature: signature, digest: [UInt8](repeating: 2, count: 32)))
            #expect(try !key.publicKey.verify(signature: signature.dropLast() + [0], digest: digest))
            #expect(try !key.publicKey.verify(signature: [], digest: digest))
            let other = try SigningKey.generate(key.kind == .ed25519 ? .ed25519 : .rsa(bits: 2048))
            #expect(try !other.publicKey.verify(signature: signature, digest: digest))
        }
    }

    @Test func `an error leaves nothing in the error queue`() throws {
        for name in ["rsa-768", "ec", "encrypted"] { _ = try? SigningKey(pem: pem(name)) }
        _ = try? SigningKey(pem: octets("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
        _ = try? Vectors.rsaKey().publicKey.verify(signature: [1, 2, 3], digest: [UInt8](repeating: 0, count: 32))
        #expect(CryptographyError(draining: "nothing").reasons.isEmpty)
    }
}
