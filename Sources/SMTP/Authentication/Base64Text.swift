// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Base64Text is in charge of base64 as AUTH uses it (RFC 4954 §4, RFC 4648 §4): no line breaks, padding required,
/// nothing else tolerated.
package enum Base64Text {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    package static func encode(_ octets: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((octets.count + 2) / 3 * 4)
        var rest = octets[...]
        while !rest.isEmpty {
            let group = Array(rest.prefix(3))
            rest = rest.dropFirst(3)
            let bits = (0..<3).reduce(UInt32(0)) { $0 << 8 | UInt32($1 < group.count ? group[$1] : 0) }
            for index in 0..<4 {
                let isPadding = index > group.count
                text.append(isPadding ? padding : alphabet[Int(bits >> UInt32(18 - 6 * index) & 0x3F)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil if `text` is not base64.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var octets: [UInt8] = []
        octets.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        var digits = 0
        var paddings = 0
        for byte in text {
            if byte == padding {
                paddings += 1
                bits <<= 6
            } else {
                // Padding ends the text.
                guard paddings == 0, let value = value(of: byte) else { return nil }
                bits = bits << 6 | value
            }
            digits += 1
            guard digits == 4 else { continue }
            guard paddings <= 2 else { return nil }
            let group = [UInt8(bits >> 16 & 0xFF), UInt8(bits >> 8 & 0xFF), UInt8(bits & 0xFF)]
            // RFC 4648 §3.5: bits that stand for nothing are zero, or two texts would mean the same.
            guard group.dropFirst(3 - paddings).allSatisfy({ $0 == 0 }) else { return nil }
            octets += group.prefix(3 - paddings)
            bits = 0
            digits = 0
        }
        return octets
    }

    private static func value(of byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
