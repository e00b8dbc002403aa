// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// The service extensions that a next hop offers, as far as the client makes use of them (RFC 5321 §2.2).
package struct ClientExtensions: Hashable, Sendable {
    /// RFC 2920.
    package var hasPipelining = false
    /// RFC 6152.
    package var hasEightBitMIME = false
    /// RFC 3207.
    package var hasStartTLS = false
    /// RFC 1870.
    package var hasSize = false
    /// RFC 3461.
    package var hasDSN = false
    /// The fixed maximum of SIZE, in octets; nil when there is none or it can't be represented.
    package var maximumSize: Int?

    /// None: what HELO gets.
    package init() {}

    /// Reads the positive reply to EHLO.
    ///
    /// Its first line is the greeting.
    package init(reply: PeerReply) {
        for line in reply.lines.dropFirst() {
            let words = line.split(separator: UInt8(ascii: " "))
            guard let keyword = words.first else { continue }
            switch String(decoding: keyword.map(ClientExtensions.upper), as: UTF8.self) {
            case "PIPELINING": hasPipelining = true
            case "8BITMIME": hasEightBitMIME = true
            case "STARTTLS": hasStartTLS = true
            case "DSN": hasDSN = true
            case "SIZE":
                hasSize = true
                // RFC 1870 §5: zero, or no number, is no fixed maximum.
                let number = words.count > 1 ? Int(String(decoding: words[1], as: UTF8.self)) : nil
                if let number, number > 0 { maximumSize = number }
            default: break
            }
        }
    }

    private static func upper(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte & ~0x20 : byte
    }
}
