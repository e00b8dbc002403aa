// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// `XText` is in charge of the encoding of values in ESMTP parameters (RFC 3461 §4): `+2B` stands for a plus sign.
package enum XText {
    /// Nil if it is none: a space, an equals sign, or a plus sign without two hexadecimal digits in upper case.
    package static func decoded(_ text: some Collection<UInt8>) -> [UInt8]? {
        var octets: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    return nil
                }
                octets.append(high << 4 | low)
            case UInt8(ascii: "="): return nil
            case 0x21...0x7E: octets.append(byte)
            default: return nil
            }
        }
        return octets
    }

    /// The text for a report (RFC 3464 §2.2.1: without the encoding); as it is if it can't be decoded.
    package static func readable(_ text: String) -> String {
        decoded(text.utf8).map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
