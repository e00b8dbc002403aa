// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// The names that `d=`, `s=` and `i=` hold (RFC 6376 §3.1, §3.5).
enum DomainName {
    /// RFC 1035 §2.3.4.
    static let maximumOctets = 253
    static let maximumLabelOctets = 63

    /// Labels of letters, digits, hyphens and underscores, with dots between.
    static func isValid(_ name: String) -> Bool {
        guard (1...maximumOctets).contains(name.utf8.count) else { return false }
        return name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            (1...maximumLabelOctets).contains(label.count) && label.allSatisfy(isLabelOctet)
        }
    }

    /// Whether `auid` is `[local-part]@domain` with the domain being the SDID or below it (RFC 6376 §3.5 `i=`).
    ///
    /// Octets that would have to be quoted (RFC 6376 §2.11) are not let through.
    static func isAUID(_ auid: String, of sdid: String) -> Bool {
        guard let at = auid.utf8.lastIndex(of: UInt8(ascii: "@")) else { return false }
        let domain = String(auid[auid.index(after: at)...])
        return isValid(domain) && isEqualOrBelow(domain, sdid)
            && auid[..<at].utf8.allSatisfy { (33...126).contains($0) && $0 != 0x3B && $0 != 0x3D }
    }

    /// Whether `name` is `other` or a name below it; ASCII case doesn't matter.
    static func isEqualOrBelow(_ name: String, _ other: String) -> Bool {
        let name = name.utf8.map(HeaderCanonicalization.lowercase)
        let other = other.utf8.map(HeaderCanonicalization.lowercase)
        guard name.count > other.count else { return name == other }
        return name.suffix(other.count) == other[...] && name[name.count - other.count - 1] == UInt8(ascii: ".")
    }

    private static func isLabelOctet(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}
