// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

extension IPAddress {
    /// Where the names of the address stand: below `in-addr.arpa` (RFC 1035 §3.5) or `ip6.arpa` (RFC 3596 §2.5).
    package var reverseName: String { RecordData.reverseName(of: self) }
}
