// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// PercentEncoding is in charge of octets as `%C3%9C`, in URIs (RFC 3986 §2) and in parameters (RFC 2231 §7).
package enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Only letters, digits, hyphens, dots, underscores and tildes stand for themselves.
    package static func append(_ octets: some Sequence<UInt8>, to output: inout [UInt8]) {
        for byte in octets {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                output.append(byte)
            default:
                output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }
}
