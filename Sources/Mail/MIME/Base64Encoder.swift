// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Base64Encoder is in charge of writing octets as lines of 76 characters of base64 (RFC 2045 §6.8), in pieces
/// of any size.
///
/// Lines end where the next one starts, so the output has no line end at its own end.
struct Base64Encoder: Sendable {
    /// RFC 2045 §6.8: lines of at most 76 characters.
    static let maximumColumns = 76
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private var lines = Base64Lines()
    /// The octets that don't make a group of three yet.
    private var held: UInt32 = 0
    private var heldCount = 0

    /// Takes octets as they are.
    mutating func append(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        for byte in bytes {
            held = held << 8 | UInt32(byte)
            heldCount += 1
            if heldCount == 3 {
                write(held, characters: 4, to: &output)
                held = 0
                heldCount = 0
            }
        }
    }

    /// Writes the last group with its padding.
    mutating func finish(to output: inout [UInt8]) {
        guard heldCount > 0 else { return }
        write(held << UInt32(8 * (3 - heldCount)), characters: heldCount + 1, to: &output)
        for _ in heldCount..<3 { lines.append(UInt8(ascii: "="), to: &output) }
        held = 0
        heldCount = 0
    }

    private mutating func write(_ group: UInt32, characters: Int, to output: inout [UInt8]) {
        for character in 0..<characters {
            let value = Int(group >> UInt32(18 - 6 * character)) & 63
            lines.append(Base64Encoder.alphabet[value], to: &output)
        }
    }

    /// Whether an octet is a character of base64 or its padding.
    static func isCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): true
        default: false
        }
    }
}

/// Base64Lines is in charge of laying characters of base64 out as lines.
///
/// Alone it gives short lines to base64 that has long ones: RFC 2045 §6.8 has readers ignore every other character,
/// so those go, and the characters of base64 keep their order.
struct Base64Lines: Sendable {
    private var column = 0

    /// Takes one character of base64.
    mutating func append(_ character: UInt8, to output: inout [UInt8]) {
        if column == Base64Encoder.maximumColumns {
            output.append(UInt8(ascii: "\r"))
            output.append(UInt8(ascii: "\n"))
            column = 0
        }
        output.append(character)
        column += 1
    }
}
