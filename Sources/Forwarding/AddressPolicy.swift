// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import DNS

/// Which addresses the DNS of a stranger may send Waxwing to.
///
/// A domain can name any address as its mail exchanger, also one inside the operator's network (RFC 6890 lists what is
/// not global).
package enum AddressPolicy {
    /// Whether `address` is one that a host of the Internet can have.
    package static func isGlobal(_ address: IPAddress) -> Bool {
        address.isIPv6 ? isGlobal(ipv6: address.octets) : isGlobal(ipv4: address.octets[...])
    }

    private static func isGlobal(ipv4 octets: ArraySlice<UInt8>) -> Bool {
        let first = octets.startIndex
        let (a, b, c) = (octets[first], octets[first + 1], octets[first + 2])
        switch a {
        case 0, 10, 127, 224...255: return false
        case 100: return !(64...127).contains(b)
        case 169: return b != 254
        case 172: return !(16...31).contains(b)
        case 192: return !(b == 168 || b == 0 && c == 0)
        case 198: return b != 18 && b != 19
        default: return true
        }
    }

    private static func isGlobal(ipv6 octets: [UInt8]) -> Bool {
        // ::/96 (loopback, unspecified, IPv4-compatible).
        if octets[..<12].allSatisfy({ $0 == 0 }) { return false }
        // ::ffff:0:0/96: an IPv4 address in other clothes.
        if octets[..<10].allSatisfy({ $0 == 0 }), octets[10] == 0xFF, octets[11] == 0xFF {
            return isGlobal(ipv4: octets[12...])
        }
        // 64:ff9b:1::/48 is a network's own (RFC 8215).
        if octets[..<6] == [0x00, 0x64, 0xFF, 0x9B, 0x00, 0x01] { return false }
        // 64:ff9b::/96 and 2002::/16 lead to the IPv4 address inside.
        if octets[..<4] == [0x00, 0x64, 0xFF, 0x9B] { return isGlobal(ipv4: octets[12...]) }
        if octets[..<2] == [0x20, 0x02] { return isGlobal(ipv4: octets[2..<6]) }
        // Global unicast is 2000::/3; fc00::/7, fe80::/10 and ff00::/8 lie outside.
        return octets[0] & 0xE0 == 0x20
    }
}
