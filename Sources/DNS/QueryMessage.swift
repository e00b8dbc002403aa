// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import CLdns
internal import Glibc

/// QueryMessage writes questions to name servers, with ldns.
enum QueryMessage {
    /// What a datagram may hold without being cut up on the way (DNS flag day 2020).
    private static let datagramOctets: UInt16 = 1232

    /// A question that no server may hand on: RD is not set.
    ///
    /// Nil if `name` is no domain name.
    static func octets(name: String, type: RecordType) -> [UInt8]? {
        guard let owner = unsafe LdnsName.make(name),
            let packet = unsafe ldns_pkt_query_new(
                owner, ldns_rr_type(rawValue: UInt32(type.rawValue)), LDNS_RR_CLASS_IN, 0)
        else { return nil }
        defer { unsafe ldns_pkt_free(packet) }
        unsafe ldns_pkt_set_id(packet, UInt16.random(in: .min ... .max))
        unsafe ldns_pkt_set_edns_udp_size(packet, datagramOctets)
        return unsafe octets(of: packet)
    }

    /// The message as it is sent; nil only without memory.
    @unsafe static func octets(of packet: UnsafeMutablePointer<ldns_pkt>) -> [UInt8]? {
        var start: UnsafeMutablePointer<UInt8>?
        var count = 0
        guard unsafe ldns_pkt2wire(&start, packet, &count) == LDNS_STATUS_OK, let start = unsafe start else {
            return nil
        }
        defer { unsafe free(start) }
        return unsafe Array(UnsafeBufferPointer(start: start, count: count))
    }
}
