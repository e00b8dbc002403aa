// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// The text forms of private keys (RFC 7468).
///
/// Parsed here and not by OpenSSL's PEM reader, which takes the first key that it finds and may ask for a
/// passphrase on the terminal.
enum PrivateKeyText {
    private static let begin = [UInt8]("-----BEGIN ".utf8)
    private static let end = [UInt8]("-----END ".utf8)
    private static let dashes = [UInt8]("-----".utf8)
    private static let lineDigits = 64
    private static let seedOctets = 32
    /// Public keys as OpenSSH and key records have them.
    private static let publicBeginnings = ["ssh-", "v=DKIM1", "k=rsa", "k=ed25519", "p="].map { Array($0.utf8) }

    /// RFC 7468 §10.
    static let pkcs8Label = "PRIVATE KEY"
    /// RFC 7468 §11.
    static let encryptedPKCS8Label = "ENCRYPTED PRIVATE KEY"
    private static let pkcs1Label = "RSA PRIVATE KEY"

    private struct Block {
        var label: String
        var content: ArraySlice<UInt8>
    }

    static func parse(_ text: [UInt8], passphrase: [UInt8]?) throws(SigningKeyError) -> KeyPointer {
        let blocks = try blocks(in: text)
        let keys = blocks.filter { $0.label.hasSuffix("PRIVATE KEY") }
        guard keys.count <= 1 else { throw .moreThanOneKey }
        guard let block = keys.first else { return try seed(text, beside: blocks) }
        switch block.label {
        case pkcs8Label, pkcs1Label, encryptedPKCS8Label: break
        case "OPENSSH PRIVATE KEY": throw .openSSHFormat
        default: throw .unsupported(String(block.label.dropLast(" PRIVATE KEY".count)))
        }
        // RFC 1421 §4.6: an encrypted PKCS#1 key carries header lines before its base64, DEK-Info among them.
        guard !block.content.contains(UInt8(ascii: ":")) else { throw .legacyEncryption }
        guard var der = Base64.decode(block.content) else { throw .malformed("its base64 is damaged") }
        defer { KeyPointer.erase(&der) }
        if block.label == encryptedPKCS8Label {
            guard let passphrase else { throw .encrypted }
            return try KeyPointer.privateKey(encryptedPKCS8: der, passphrase: passphrase)
        }
        let key = block.label == pkcs8Label ? KeyPointer.privateKey(pkcs8: der) : KeyPointer.privateKey(pkcs1: der)
        guard let key else { throw .malformed("its content is not a \(block.label.lowercased())") }
        return key
    }

    /// A bare Ed25519 seed; an error says what the text is instead.
    private static func seed(_ text: [UInt8], beside blocks: [Block]) throws(SigningKeyError) -> KeyPointer {
        guard var seed = Base64.decode(text), seed.count == seedOctets else { throw mistake(text, blocks) }
        defer { KeyPointer.erase(&seed) }
        guard let key = KeyPointer.privateKey(ed25519Seed: seed) else { throw .malformed("not an Ed25519 seed") }
        return key
    }

    /// What somebody who has no private key in the file has probably mistaken for one.
    private static func mistake(_ text: [UInt8], _ blocks: [Block]) -> SigningKeyError {
        if blocks.contains(where: { $0.label.hasSuffix("PUBLIC KEY") }) { return .publicKey }
        if blocks.contains(where: { $0.label.contains("CERTIFICATE") }) { return .certificate }
        if publicBeginnings.contains(where: { text.starts(with: $0) }) { return .publicKey }
        // X.690 §8.9.1, §8.1.3.5: a SEQUENCE with its length in two more octets, as every RSA key has it, or in one.
        if text.starts(with: [0x30, 0x82]) || text.starts(with: [0x30, 0x81]) || isPKCS8OfEd25519(text) {
            return .binary
        }
        return .noKey
    }

    /// RFC 8410 §7: 48 octets, which begin with a SEQUENCE of 46 and the version.
    private static func isPKCS8OfEd25519(_ text: [UInt8]) -> Bool {
        text.count == 48 && text.starts(with: [0x30, 0x2E, 0x02, 0x01])
    }

    static func write(_ der: [UInt8], label: String) -> [UInt8] {
        var digits = Base64.encode(der)
        defer { KeyPointer.erase(&digits) }
        var text: [UInt8] = []
        // All at once: a text that grows leaves copies of itself behind.
        text.reserveCapacity(digits.count + digits.count / lineDigits + 2 * label.utf8.count + 64)
        text.append(contentsOf: "-----BEGIN \(label)-----\n".utf8)
        for start in stride(from: 0, to: digits.count, by: lineDigits) {
            text.append(contentsOf: digits[start..<min(start + lineDigits, digits.count)])
            text.append(UInt8(ascii: "\n"))
        }
        text.append(contentsOf: "-----END \(label)-----\n".utf8)
        return text
    }

    private static func blocks(in text: [UInt8]) throws(SigningKeyError) -> [Block] {
        var blocks: [Block] = []
        var position = 0
        while let start = find(begin, in: text, from: position) {
            guard let labelEnd = find(dashes, in: text, from: start + begin.count) else {
                throw .malformed("its first line is incomplete")
            }
            let label = text[(start + begin.count)..<labelEnd]
            let contentStart = labelEnd + dashes.count
            guard let contentEnd = find(end + label + dashes, in: text, from: contentStart) else {
                throw .malformed("its last line is missing")
            }
            blocks.append(
                Block(label: String(decoding: label, as: UTF8.self), content: text[contentStart..<contentEnd]))
            position = contentEnd + end.count + label.count + dashes.count
        }
        return blocks
    }

    private static func find(_ pattern: [UInt8], in text: [UInt8], from start: Int) -> Int? {
        guard start + pattern.count <= text.count else { return nil }
        return (start...(text.count - pattern.count)).first { text[$0..<($0 + pattern.count)].elementsEqual(pattern) }
    }
}
