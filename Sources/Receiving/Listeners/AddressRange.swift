// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc

/// IP addresses with the same first bits, as in `192.0.2.0/24` or `2001:db8::/32`; a single one without `/`.
package struct AddressRange: Hashable, Sendable {
    private let octets: [UInt8]
    private let bits: Int

    /// Nil if it is not written so, or if bits behind the prefix are set: then something else was meant.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let octets = AddressRange.octets(of: String(first)) else { return nil }
        var bits = octets.count * 8
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let number = Int(parts[1]), (0...bits).contains(number)
            else { return nil }
            bits = number
        }
        self.octets = octets
        self.bits = bits
        guard octets == AddressRange.masked(octets, bits) else { return nil }
    }

    /// Whether an address, written as text, is one of these.
    package func contains(_ address: String) -> Bool {
        guard let other = AddressRange.octets(of: address), other.count == octets.count else { return false }
        return AddressRange.masked(other, bits) == octets
    }

    private static func masked(_ octets: [UInt8], _ bits: Int) -> [UInt8] {
        octets.enumerated().map { place, octet in
            let kept = min(8, max(0, bits - place * 8))
            return kept == 0 ? 0 : octet & (0xFF << (8 - UInt8(kept)))
        }
    }

    /// Four or sixteen; nil if the text is not an address.
    static func octets(of text: String) -> [UInt8]? {
        let isIPv6 = text.utf8.contains(UInt8(ascii: ":"))
        var octets = [UInt8](repeating: 0, count: isIPv6 ? 16 : 4)
        let result = unsafe octets.withUnsafeMutableBytes { space in
            unsafe inet_pton(isIPv6 ? AF_INET6 : AF_INET, text, space.baseAddress)
        }
        return result == 1 ? octets : nil
    }
}
