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

    private struct Block {
        var label: String
        var content: ArraySlice<UInt8>
    }

    static func parse(_ text: [UInt8]) throws(SigningKeyError) -> KeyPointer {
        let keys = try blocks(in: text).filter { $0.label.hasSuffix("PRIVATE KEY") }
        guard keys.count <= 1 else { throw .moreThanOneKey }
        guard let block = keys.first else {
            guard var seed = Base64.decode(text), seed.count == 32 else { throw .noKey }
            defer { KeyPointer.erase(&seed) }
            guard let key = KeyPointer.privateKey(ed25519Seed: seed) else { throw .malformed("not an Ed25519 seed") }
            return key
        }
        switch block.label {
        case "PRIVATE KEY", "RSA PRIVATE KEY":
            break
        case "ENCRYPTED PRIVATE KEY":
            throw .encrypted
        default:
            throw .unsupported(String(block.label.dropLast(" PRIVATE KEY".count)))
        }
        // RFC 1421 §4.6: an encrypted PKCS#1 key carries header lines before its base64.
        guard !block.content.contains(UInt8(ascii: ":")) else { throw .encrypted }
        guard var der = Base64.decode(block.content) else { throw .malformed("its base64 is damaged") }
        defer { KeyPointer.erase(&der) }
        let key = block.label == "PRIVATE KEY" ? KeyPointer.privateKey(pkcs8: der) : KeyPointer.privateKey(pkcs1: der)
        guard let key else { throw .malformed("its content is not a \(block.label.lowercased())") }
        return key
    }

    static func write(pkcs8 der: [UInt8]) -> [UInt8] {
        var digits = Base64.encode(der)
        defer { KeyPointer.erase(&digits) }
        var text = [UInt8]("-----BEGIN PRIVATE KEY-----\n".utf8)
        text.reserveCapacity(digits.count + digits.count / lineDigits + 64)
        for start in stride(from: 0, to: digits.count, by: lineDigits) {
            text.append(contentsOf: digits[start..<min(start + lineDigits, digits.count)])
            text.append(UInt8(ascii: "\n"))
        }
        text.append(contentsOf: "-----END PRIVATE KEY-----\n".utf8)
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
