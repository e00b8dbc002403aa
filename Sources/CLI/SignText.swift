// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation

/// What signatures are made over, for people.
enum SignText {
    static func of(_ inputs: [SigningInput]) -> String {
        if inputs.isEmpty { return "no signature: the configuration says that this domain's mail leaves unsigned\n" }
        return inputs.map(text).joined(separator: "\n")
    }

    private static func text(_ input: SigningInput) -> String {
        let signature = input.signature
        let body = lines(input.canonicalBody)
        var text = """
            signature d=\(signature.sdid) s=\(signature.selector) a=\(signature.algorithmName) c=\(signature.canonicalization)
            body, \(signature.canonicalization.body.name): \(input.bodyOctets) octets as given, \
            \(input.canonicalBody.count) octets and \(body.count) lines in canonical form

            """
        if let first = body.first { text += "    first line  \(first)\n" }
        if body.count > 1, let last = body.last { text += "    last line   \(last)\n" }
        text += "    bh=         \(Data(input.bodyHash).base64EncodedString())\n"
        text += "header fields, \(signature.canonicalization.header.name), in the order of hashing:\n"
        for line in lines(input.headerFields) { text += "    \(line)\n" }
        if !input.coverage.oversigned.isEmpty {
            text += "listed once more than they occur, so that none can be added (nothing is hashed for that):\n"
            text += "    \(input.coverage.oversigned.joined(separator: " "))\n"
        }
        if !input.coverage.unsigned.isEmpty {
            text += "not signed:\n    \(input.coverage.unsigned.joined(separator: " "))\n"
        }
        text += "the signature field itself, with an empty b= and no CRLF at its end:\n"
        for line in lines(input.signatureField) { text += "    \(line)\n" }
        text += "signed: \(input.octets.count) octets, whose SHA-256 digest is \(hexadecimal(input.digest))\n"
        return text
    }

    /// Each line with its line end, in printable ASCII.
    static func lines(_ bytes: [UInt8]) -> [String] {
        var lines: [String] = []
        var line = ""
        for byte in bytes {
            line += visible(byte)
            if byte == UInt8(ascii: "\n") {
                lines.append(line)
                line = ""
            }
        }
        return line.isEmpty ? lines : lines + [line]
    }

    private static func visible(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "\\"): "\\\\"
        case UInt8(ascii: "\r"): "\\r"
        case UInt8(ascii: "\n"): "\\n"
        case UInt8(ascii: "\t"): "\\t"
        case 32...126: String(UnicodeScalar(byte))
        default: "\\x" + hexadecimal([byte])
        }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { byte in String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }.joined()
    }
}
