// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS

/// Texts of programs and people, of which lines are kept.
extension PrintableText {
    static let lineLimit = 500
    static let lineCount = 20

    /// One line; line ends become spaces.
    static func line(_ text: some StringProtocol, limit: Int = lineLimit) -> String {
        let octets = text.utf8.prefix(limit).map { octet in
            switch octet {
            case 0x20...0x7e: octet
            case 0x09, 0x0a, 0x0d: UInt8(ascii: " ")
            default: UInt8(ascii: "?")
            }
        }
        return String(decoding: octets, as: UTF8.self) + (text.utf8.count > limit ? "..." : "")
    }

    /// The last lines, without empty ones.
    static func lines(_ text: String) -> String {
        text.utf8.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }).suffix(lineCount)
            .map { line(String(decoding: $0, as: UTF8.self)) }.joined(separator: "\n")
    }
}
