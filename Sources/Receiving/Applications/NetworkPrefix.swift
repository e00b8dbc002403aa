// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc

/// NetworkPrefix is in charge of which addresses a setting means: one, or all that begin with the same bits.
package struct NetworkPrefix: Hashable, Sendable, CustomStringConvertible {
    private let octets: [UInt8]
    private let length: Int

    /// Such as `192.0.2.7`, `192.0.2.0/24` or `2001:db8::/32`; nil if `text` is anything else, or has bits behind the
    /// prefix.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let octets = NetworkPrefix.octets(of: String(parts[0])) else { return nil }
        var length = octets.count * 8
        if parts.count == 2 {
            let digits = parts[1]
            guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(digits),
                number <= length
            else { return nil }
            length = number
        }
        guard octets == NetworkPrefix.masked(octets, length) else { return nil }
        self.octets = octets
        self.length = length
    }

    /// - Parameter address: as `Peer` has it, so an IPv4 address is never written in IPv6.
    package func contains(_ address: String) -> Bool {
        guard let other = NetworkPrefix.octets(of: address), other.count == octets.count else { return false }
        return NetworkPrefix.masked(other, length) == octets
    }

    /// Whether only programs of this machine have such addresses (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
    package var isLoopback: Bool {
        octets.count == 4 ? length >= 8 && octets[0] == 127 : description == "::1"
    }

    package var description: String {
        NetworkPrefix.text(octets) + (length == octets.count * 8 ? "" : "/\(length)")
    }

    /// What failures are counted by: one host has a whole /64 of IPv6 addresses (RFC 4291 §2.5.1).
    static func host(of address: String) -> String {
        guard let octets = octets(of: address), octets.count == 16 else { return address }
        return text(masked(octets, 64)) + "/64"
    }

    private static func masked(_ octets: [UInt8], _ length: Int) -> [UInt8] {
        octets.indices.map { index in
            let bits = min(8, max(0, length - index * 8))
            return octets[index] & ~UInt8(truncatingIfNeeded: 0xFF >> bits)
        }
    }

    private static func octets(of text: String) -> [UInt8]? {
        var four = in_addr()
        var sixteen = in6_addr()
        if unsafe inet_pton(AF_INET, text, &four) == 1 {
            return unsafe withUnsafeBytes(of: &four) { bytes in unsafe Array(bytes) }
        }
        guard unsafe inet_pton(AF_INET6, text, &sixteen) == 1 else { return nil }
        return unsafe withUnsafeBytes(of: &sixteen) { bytes in unsafe Array(bytes) }
    }

    private static func text(_ octets: [UInt8]) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = octets.count == 16 ? AF_INET6 : AF_INET
        guard unsafe inet_ntop(family, octets, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
