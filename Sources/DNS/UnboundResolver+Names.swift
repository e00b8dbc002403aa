// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// From addresses to names.
extension UnboundResolver {
    /// The names of an address (PTR records), at least one.
    package func names(of address: IPAddress) async throws(DNSError) -> [String] {
        switch try await records(of: address.reverseName, type: .ptr).kind {
        case .nameError: throw .nameError
        case .noData: throw .noData
        case .records(let data):
            let names = data.compactMap(RecordData.name).filter { !$0.isEmpty }
            guard !names.isEmpty else { throw .temporary("the PTR records of \(address) are malformed") }
            return names
        }
    }
}

extension IPAddress {
    /// Where the names of the address stand: below `in-addr.arpa` (RFC 1035 §3.5) or `ip6.arpa` (RFC 3596 §2.5).
    package var reverseName: String {
        guard isIPv6 else { return octets.reversed().map { "\($0)." }.joined() + "in-addr.arpa" }
        return octets.reversed().map { "\(String($0 & 15, radix: 16)).\(String($0 >> 4, radix: 16))." }.joined()
            + "ip6.arpa"
    }
}
