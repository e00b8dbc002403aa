// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS

/// An SPF record (RFC 7208 §3): which hosts may use a domain in MAIL and EHLO.
struct SPFRecord: Hashable, Sendable {
    /// What a match means (RFC 7208 §4.6.2).
    enum Qualifier: Character, Hashable, Sendable {
        case pass = "+"
        case fail = "-"
        case softfail = "~"
        case neutral = "?"
    }

    /// What an address is compared with (RFC 7208 §5).
    enum Mechanism: Hashable, Sendable {
        case all
        case include(SPFMacroString)
        /// Without a name: the domain of the record.
        case a(SPFMacroString?, SPFPrefixes)
        case mx(SPFMacroString?, SPFPrefixes)
        case ptr(SPFMacroString?)
        /// `ip4` and `ip6`.
        case network(IPAddress, prefix: Int)
        case exists(SPFMacroString)

        /// Whether the mechanism counts among the ten that may ask the DNS (RFC 7208 §4.6.4).
        var takesLookup: Bool {
            switch self {
            case .include, .a, .mx, .ptr, .exists: true
            case .all, .network: false
            }
        }
    }

    struct Directive: Hashable, Sendable {
        var qualifier: Qualifier
        var mechanism: Mechanism
        /// As it is written in the record.
        var text: String
    }

    /// In their order, which is that of their evaluation.
    var directives: [Directive]
    /// Whose record decides when no directive matches (RFC 7208 §6.1).
    var redirect: SPFMacroString?

    /// The directives that can be reached: none after `all` (RFC 7208 §5.1).
    var reachable: ArraySlice<Directive> {
        guard let end = directives.firstIndex(where: { $0.mechanism == .all }) else { return directives[...] }
        return directives[...end]
    }

    /// RFC 7208 §5.1: with an `all`, redirect is ignored.
    var effectiveRedirect: SPFMacroString? {
        reachable.last?.mechanism == .all ? nil : redirect
    }

    /// Whether text at a name is an SPF record at all (RFC 7208 §4.5): all others are ignored.
    static func isRecord(_ octets: [UInt8]) -> Bool {
        let version = Array("v=spf1".utf8)
        // RFC 5234 §2.3: literal text in the grammar has no case.
        guard octets.prefix(version.count).map({ ASCII.lowercased($0) }) == version else { return false }
        return octets.count == version.count || octets[version.count] == UInt8(ascii: " ")
    }
}

/// How many bits of an address count: `/24//64` (RFC 7208 §5).
struct SPFPrefixes: Hashable, Sendable {
    var ipv4 = 32
    var ipv6 = 128

    func matches(_ address: IPAddress, _ network: IPAddress) -> Bool {
        address.matches(network, prefix: address.isIPv6 ? ipv6 : ipv4)
    }
}

/// Why text is no valid SPF record, in one line: the result is permerror (RFC 7208 §4.6).
struct SPFSyntaxError: Error, Hashable, Sendable {
    var text: String
}

extension IPAddress {
    /// Whether both are of one family and begin with the same bits.
    func matches(_ other: IPAddress, prefix: Int) -> Bool {
        guard octets.count == other.octets.count, (0...octets.count * 8).contains(prefix) else { return false }
        let whole = prefix / 8
        guard octets[..<whole] == other.octets[..<whole] else { return false }
        guard prefix % 8 > 0 else { return true }
        let mask = ~(UInt8.max >> UInt8(prefix % 8))
        return octets[whole] & mask == other.octets[whole] & mask
    }
}

/// Octets as the grammar of RFC 5234 sorts them.
enum ASCII {
    static func lowercased(_ octet: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(octet) ? octet | 0x20 : octet
    }

    static func isDigit(_ octet: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet)
    }

    static func isLetter(_ octet: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(octet | 0x20)
    }
}
