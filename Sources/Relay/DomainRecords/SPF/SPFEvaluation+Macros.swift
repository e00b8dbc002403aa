// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS

/// What the macros of a record stand for (RFC 7208 §7.2).
extension SPFEvaluation {
    /// The name that a macro-string comes to, in a record of `domain`.
    func expand(_ string: SPFMacroString, _ domain: String) async -> String {
        var text = ""
        for part in string.parts {
            switch part {
            case .literal(let literal): text += literal
            case .macro(let macro): text += macro.transform(await value(of: macro.letter, domain))
            }
        }
        return SPFName.shortened(text)
    }

    private func value(of letter: Character, _ domain: String) async -> String {
        switch letter {
        case "s": "\(localPart)@\(senderDomain)"
        case "l": localPart
        case "o": senderDomain
        case "d": domain
        case "i": address.dotted
        case "p": await bestName(for: domain)
        case "v": address.isIPv6 ? "ip6" : "in-addr"
        case "h": helo
        default: ""
        }
    }

    /// RFC 7208 §7.3: a validated name, the domain's own before one below it before any other.
    private func bestName(for domain: String) async -> String {
        let names = await validatedNames()
        return names.first { SPFName.isEqualOrBelow($0, domain) && SPFName.isEqualOrBelow(domain, $0) }
            ?? names.first { SPFName.isEqualOrBelow($0, domain) } ?? names.first ?? "unknown"
    }
}

/// Names that come of macros: they may be anything.
enum SPFName {
    /// RFC 1035 §2.3.4.
    private static let maximumOctets = 253
    private static let maximumLabelOctets = 63

    /// Whether a domain can have an SPF record (RFC 7208 §4.3): two labels at least, none empty or too long.
    static func isUsable(_ name: String) -> Bool {
        isQueryable(name) && withoutDot(name).contains(".")
    }

    /// Whether the DNS can be asked for the name; other names don't exist.
    static func isQueryable(_ name: String) -> Bool {
        let name = withoutDot(name)
        guard !name.isEmpty, name.utf8.count <= maximumOctets, name.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { return false }
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
            (1...maximumLabelOctets).contains($0.utf8.count)
        }
    }

    /// RFC 7208 §7.3: labels on the left go until the rest fits.
    static func shortened(_ name: String) -> String {
        var rest = name[...]
        while withoutDot(rest).utf8.count > maximumOctets, let dot = rest.firstIndex(of: ".") {
            rest = rest[rest.index(after: dot)...]
        }
        return String(rest)
    }

    static func isEqualOrBelow(_ name: String, _ other: String) -> Bool {
        let (name, other) = (withoutDot(name).lowercased(), withoutDot(other).lowercased())
        return name == other || name.hasSuffix("." + other)
    }

    private static func withoutDot(_ name: some StringProtocol) -> String {
        name.hasSuffix(".") ? String(name.dropLast()) : String(name)
    }
}

extension IPAddress {
    /// `192.0.2.1`, and for IPv6 each half octet, with dots between them (RFC 7208 §7.4).
    var dotted: String {
        guard isIPv6 else { return description }
        return octets.map { "\(String($0 >> 4, radix: 16)).\(String($0 & 15, radix: 16))" }.joined(separator: ".")
    }

    /// An IPv4 address in IPv6 clothes is one (RFC 7208 §5).
    var unmapped: IPAddress {
        let prefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        guard isIPv6, octets.starts(with: prefix) else { return self }
        return IPAddress(octets: octets[12...]) ?? self
    }
}
