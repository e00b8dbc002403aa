// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Testing

@testable import DKIM

/// Keys under a passphrase, as others write them and as others read them.
@Suite struct SigningKeyEncryptionTests {
    /// With white space and octets above 127: a passphrase is octets.
    static let passphrase = octets("Grünspan 7")

    private func pem(_ name: String) throws -> [UInt8] { try Vectors.bytes("Keys/\(name).pem") }

    /// Each made by `openssl pkcs8 -topk8`.
    @Test(arguments: [
        ("encrypted-scrypt", "rsa-2048"), ("encrypted-aes128-sha1", "rsa-2048"), ("encrypted-des3", "rsa-2048"),
        ("encrypted-sha512", "rsa-2048"), ("encrypted-ed25519", "../RFC/ed"),
    ])
    func `an encrypted key is the key that it was made from`(encrypted: String, plain: String) throws {
        let expected = try SigningKey(pem: pem(plain))
        let key = try SigningKey(pem: pem(encrypted), passphrase: Self.passphrase)
        #expect(key.publicKey == expected.publicKey)
        let digest = [UInt8](repeating: 3, count: 32)
        #expect(try key.sign(digest: digest) == expected.sign(digest: digest))
    }

    @Test(arguments: ["encrypted-scrypt", "encrypted-aes128-sha1", "encrypted-ed25519"])
    func `a wrong passphrase and a missing one are told apart`(name: String) throws {
        let pem = try pem(name)
        #expect(throws: SigningKeyError.encrypted) { try SigningKey(pem: pem) }
        for wrong in ["", "gr\u{fc}nspan 7", "Gru\u{308}nspan 7", "Grünspan 7\n", "Grünspan"] {
            #expect(throws: SigningKeyError.wrongPassphrase, "\(wrong)") {
                try SigningKey(pem: pem, passphrase: octets(wrong))
            }
        }
    }

    /// One wrong passphrase in 256 decrypts to octets that end as padding does: those are told as wrong, too.
    @Test func `none of a thousand wrong passphrases is taken for something else`() throws {
        let pem = try pem("encrypted-aes128-sha1")
        for number in 0..<1000 {
            #expect(throws: SigningKeyError.wrongPassphrase, "\(number)") {
                try SigningKey(pem: pem, passphrase: octets("guess \(number)"))
            }
        }
    }

    @Test func `a scheme that OpenSSL does not have is not taken for a wrong passphrase`() throws {
        let pem = try pem("encrypted-pbes1")
        let error = #expect(throws: SigningKeyError.self) { try SigningKey(pem: pem, passphrase: Self.passphrase) }
        guard case .cryptography(let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!reason.reasons.isEmpty)
        #expect(CryptographyError(draining: "nothing").reasons.isEmpty)
    }

    @Test func `what is encrypted has to be good for DKIM all the same`() throws {
        let pem = try pem("encrypted-ec")
        #expect(throws: SigningKeyError.unsupported("id-ecPublicKey")) {
            try SigningKey(pem: pem, passphrase: Self.passphrase)
        }
    }

    @Test func `a damaged encrypted key is refused wherever the damage is`() throws {
        let lines = try text(pem("encrypted-aes128-sha1")).split(separator: "\n")
        let der = try #require(Base64.decode(octets(lines.dropFirst().dropLast().joined())))
        for position in stride(from: 0, to: der.count, by: 41) {
            var damaged = der
            damaged[position] ^= 0x20
            let label = PrivateKeyText.encryptedPKCS8Label
            let pem = PrivateKeyText.write(damaged, label: label)
            // A flipped bit of the ciphertext garbles a block of the key; nothing of that may sign wrongly.
            guard let key = try? SigningKey(pem: pem, passphrase: Self.passphrase) else { continue }
            let digest = [UInt8](repeating: 7, count: 32)
            #expect(try key.publicKey.verify(signature: key.sign(digest: digest), digest: digest), "\(position)")
        }
        for count in [0, 1, 20, der.count / 2, der.count - 1] {
            let pem = PrivateKeyText.write(Array(der[..<count]), label: PrivateKeyText.encryptedPKCS8Label)
            #expect(throws: SigningKeyError.self) { try SigningKey(pem: pem, passphrase: Self.passphrase) }
        }
        let longer = PrivateKeyText.write(der + [0], label: PrivateKeyText.encryptedPKCS8Label)
        #expect(throws: SigningKeyError.malformed("its content is not an encrypted private key")) {
            try SigningKey(pem: longer, passphrase: Self.passphrase)
        }
    }

    @Test func `a passphrase for a key that needs none does no harm`() throws {
        let key = try SigningKey(pem: pem("rsa-2048"), passphrase: Self.passphrase)
        #expect(try key.publicKey == SigningKey(pem: pem("rsa-2048")).publicKey)
    }

    @Test(arguments: [KeyKind.rsa(bits: 2048), .ed25519])
    func `what is written under a passphrase can be read with it only`(kind: KeyKind) throws {
        let key = try kind == .ed25519 ? Vectors.ed25519Key() : SigningKey(pem: pem("rsa-2048"))
        let pem = try key.pem(passphrase: Self.passphrase)
        #expect(text(pem).hasPrefix("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"))
        #expect(text(pem).hasSuffix("\n-----END ENCRYPTED PRIVATE KEY-----\n"))
        #expect(try SigningKey(pem: pem, passphrase: Self.passphrase).publicKey == key.publicKey)
        #expect(throws: SigningKeyError.wrongPassphrase) { try SigningKey(pem: pem, passphrase: octets("other")) }
        // The salt is drawn each time.
        #expect(try key.pem(passphrase: Self.passphrase) != pem)
        #expect(throws: SigningKeyError.emptyPassphrase) { try key.pem(passphrase: []) }
    }

    @Test(
        .enabled(if: OpenSSLProgram.path != nil, "LEFT OUT: there is no openssl program"),
        arguments: [KeyKind.rsa(bits: 2048), .ed25519])
    func `openssl reads what is written under a passphrase`(kind: KeyKind) throws {
        let key = try kind == .ed25519 ? Vectors.ed25519Key() : SigningKey(pem: pem("rsa-2048"))
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("waxwing-openssl-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let (file, passphrase) = (directory.appendingPathComponent("key.pem"), directory.appendingPathComponent("pass"))
        try Data(key.pem(passphrase: Self.passphrase)).write(to: file)
        try Data(Self.passphrase + octets("\n")).write(to: passphrase)

        let plain = try OpenSSLProgram.run(["pkey", "-in", file.path, "-passin", "file:\(passphrase.path)"])
        #expect(try SigningKey(pem: plain).publicKey == key.publicKey)
        let form = try text(OpenSSLProgram.run(["asn1parse", "-in", file.path]))
        for name in ["PBES2", "PBKDF2", "hmacWithSHA256", "aes-256-cbc", "INTEGER           :0927C0"] {
            #expect(form.contains(name), "\(name)")
        }
    }
}

/// The `openssl` program, as far as the machine has one.
private enum OpenSSLProgram {
    static let path = ["/usr/bin/openssl", "/usr/local/bin/openssl"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// What it prints.
    static func run(_ arguments: [String]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(path))
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return Array(data)
    }
}
