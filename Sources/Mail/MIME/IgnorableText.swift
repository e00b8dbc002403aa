// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// IgnorableText is in charge of making a preamble or an epilogue fit to travel.
///
/// RFC 2046 §5.1.1 has readers ignore both, and there is no way to encode them: octets above 127 become question
/// marks, and long lines are broken. A line made by a break starts with a space, so it is never a delimiter.
struct IgnorableText: Sendable {
    /// Octets above 127 may not stay.
    let isSevenBit: Bool
    private var column = 0
    private var previous: UInt8 = 0

    init(isSevenBit: Bool) {
        self.isSevenBit = isSevenBit
    }

    /// Takes octets as they are.
    mutating func append(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        for byte in bytes {
            // An LF alone ends no line.
            if byte == UInt8(ascii: "\n"), previous == UInt8(ascii: "\r") {
                column = 0
            } else {
                if column >= 900 {
                    output += "\r\n ".utf8
                    column = 1
                }
                column += 1
            }
            previous = byte
            output.append(isSevenBit && byte > 127 ? UInt8(ascii: "?") : byte)
        }
    }
}
