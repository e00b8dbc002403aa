// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// QuotedPrintable is in charge of writing octets of any value as short lines of printable ASCII (RFC 2045 §6.7).
package enum QuotedPrintable {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// The encoded form of text whose lines end in CRLF; its line ends stay line ends.
    package static func encode(_ text: some Collection<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count + text.count / 4)
        var column = 0
        var index = text.startIndex
        while index != text.endIndex {
            let byte = text[index]
            let after = text.index(after: index)
            if byte == UInt8(ascii: "\r"), after != text.endIndex, text[after] == UInt8(ascii: "\n") {
                output += [byte, UInt8(ascii: "\n")]
                column = 0
                index = text.index(after: after)
                continue
            }
            let isLiteral = isLiteral(byte, isLastOfLine: after == text.endIndex || text[after] == UInt8(ascii: "\r"))
            // RFC 2045 §6.7 (5): at most 76 octets a line, the `=` of a soft line break included.
            if column + (isLiteral ? 1 : 3) > 75 {
                output += "=\r\n".utf8
                column = 0
            }
            if isLiteral {
                output.append(byte)
                column += 1
            } else {
                output += [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
                column += 3
            }
            index = after
        }
        return output
    }

    private static func isLiteral(_ byte: UInt8, isLastOfLine: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "="): false
        // RFC 2045 §6.7 (3): white space at the end of a line would be lost on the way.
        case UInt8(ascii: " "), UInt8(ascii: "\t"): !isLastOfLine
        default: (33...126).contains(byte)
        }
    }
}
