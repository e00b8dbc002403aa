// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// A domain name as mail uses it: ASCII labels (A-labels for internationalised names), in lower case,
/// without a final dot.
///
/// Shape: at most 253 octets; labels of 1 to 63 letters, digits, hyphens and underscores (RFC 1035 §2.3.4,
/// RFC 5321 §2.3.5; the underscore is needed for names such as `_domainkey`).
package struct Domain: Hashable, Comparable, Sendable, CustomStringConvertible {
    package static let maximumOctets = 253
    package static let maximumLabelOctets = 63

    /// The name in lower case, without a final dot.
    package let name: String

    /// Nil if `text` is not a domain name of the shape above.
    ///
    /// One final dot is accepted and dropped.
    package init?(_ text: some StringProtocol) {
        var bytes = Array(text.utf8)
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard !bytes.isEmpty, bytes.count <= Domain.maximumOctets else { return nil }
        var labelOctets = 0
        for index in bytes.indices {
            switch bytes[index] {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                bytes[index] |= 0x20
                labelOctets += 1
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"):
                labelOctets += 1
            case UInt8(ascii: "."):
                guard labelOctets > 0 else { return nil }
                labelOctets = 0
            default:
                return nil
            }
            guard labelOctets <= Domain.maximumLabelOctets else { return nil }
        }
        guard labelOctets > 0 else { return nil }
        self.name = String(decoding: bytes, as: UTF8.self)
    }

    package var description: String { name }

    package static func < (left: Domain, right: Domain) -> Bool {
        left.name < right.name
    }

    /// Whether this is `other` or a name below it.
    package func isEqualOrBelow(_ other: Domain) -> Bool {
        self == other || name.hasSuffix("." + other.name)
    }

    /// The domain without its first label; nil for a single label.
    package var parent: Domain? {
        guard let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")) else { return nil }
        return Domain(name[name.utf8.index(after: dot)...])
    }
}
