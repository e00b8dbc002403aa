// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// ProxyHeader is in charge of the header by which a proxy tells whom it speaks for: HAProxy's PROXY protocol, versions
/// 1 (a line of text) and 2 (binary).
///
///     PROXY TCP4 192.0.2.7 192.0.2.1 56324 587
enum ProxyHeader: Hashable, Sendable {
    /// The client's address, as text.
    case client(String)
    /// The proxy speaks for itself, or does not know for whom: the connection's own address stands.
    case own

    enum Parsed: Hashable, Sendable {
        /// The header and how many octets it has.
        case header(ProxyHeader, length: Int)
        case needsMore
        case malformed
    }

    /// Of version 1, with its CRLF.
    private static let maximumLineOctets = 107
    /// Of version 2: 16, and so much for addresses and what may follow them.
    private static let maximumBinaryOctets = 16 + 520
    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]

    /// Looks at the first octets of a connection.
    static func parse(_ octets: some RandomAccessCollection<UInt8>) -> Parsed {
        let input = Array(octets.prefix(maximumBinaryOctets))
        if input.starts(with: signature.prefix(input.count)) {
            return input.count < 16 ? .needsMore : binary(input)
        }
        let word = Array("PROXY ".utf8)
        return input.starts(with: word.prefix(input.count)) || input.starts(with: word) ? line(input) : .malformed
    }

    // MARK: - Version 1

    private static func line(_ input: [UInt8]) -> Parsed {
        let start = input.prefix(maximumLineOctets)
        guard let end = start.firstIndex(of: 0x0A) else {
            return start.count < maximumLineOctets ? .needsMore : .malformed
        }
        guard end > 0, input[end - 1] == 0x0D, input[..<end].allSatisfy({ $0 < 0x80 }) else { return .malformed }
        let words = String(decoding: input[..<(end - 1)], as: UTF8.self)
            .split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 2 else { return .malformed }
        // What follows UNKNOWN means nothing.
        if words[1] == "UNKNOWN" { return .header(.own, length: end + 1) }
        let width = words[1] == "TCP4" ? 4 : words[1] == "TCP6" ? 16 : 0
        guard words.count == 6, width > 0,
            words[2...3].allSatisfy({ AddressRange.octets(of: String($0))?.count == width }),
            words[4...5].allSatisfy(isPort)
        else { return .malformed }
        return .header(.client(String(words[2])), length: end + 1)
    }

    private static func isPort(_ text: Substring) -> Bool {
        let isNumber = (1...5).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        return isNumber && text != "" && (Int(text) ?? .max) <= 65_535 && (text == "0" || !text.hasPrefix("0"))
    }

    // MARK: - Version 2

    private static func binary(_ input: [UInt8]) -> Parsed {
        let length = Int(input[14]) << 8 | Int(input[15])
        let (version, command) = (input[12] >> 4, input[12] & 0x0F)
        guard version == 2, command <= 1, 16 + length <= maximumBinaryOctets else { return .malformed }
        // The addresses come first; what follows them is skipped.
        let width: Int? =
            switch input[13] {
            case 0x11: 4
            case 0x21: 16
            // Neither IP nor a stream, or unspecified: nothing that would say who the client is.
            case 0x00, 0x12, 0x22, 0x31, 0x32: 0
            default: nil
            }
        guard let width, length >= (width == 0 ? 0 : 2 * width + 4) else { return .malformed }
        guard input.count >= 16 + length else { return .needsMore }
        if command == 0 || width == 0 { return .header(.own, length: 16 + length) }
        return .header(.client(text(input[16..<(16 + width)])), length: 16 + length)
    }

    private static func text(_ octets: ArraySlice<UInt8>) -> String {
        if octets.count == 4 { return octets.map { "\($0)" }.joined(separator: ".") }
        let octets = Array(octets)
        return stride(from: 0, to: 16, by: 2)
            .map { String(Int(octets[$0]) << 8 | Int(octets[$0 + 1]), radix: 16) }.joined(separator: ":")
    }
}
