// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

extension IPAddress {
    /// Where the names of the address stand: below `in-addr.arpa` (RFC 1035 §3.5) or `ip6.arpa` (RFC 3596 §2.5).
    package var reverseName: String {
        guard isIPv6 else { return octets.reversed().map { "\($0)." }.joined() + "in-addr.arpa" }
        let digits = octets.reversed().flatMap { [$0 & 0x0F, $0 >> 4] }
        return digits.map { String($0, radix: 16) + "." }.joined() + "ip6.arpa"
    }
}
