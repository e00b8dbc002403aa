// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import CLdns

/// LdnsName is in charge of names on their way between text and the wire.
enum LdnsName {
    /// A name of ldns's that the caller frees or hands over; nil if `name` is no domain name.
    @unsafe static func make(_ name: String) -> UnsafeMutablePointer<ldns_rdf>? {
        guard !name.utf8.contains(0) else { return nil }
        return unsafe ldns_dname_new_frm_str(name)
    }

    /// Labels with their lengths, in lower case (RFC 4034 §6.2); nil if `name` is no domain name.
    static func octets(of name: String) -> [UInt8]? {
        guard let data = unsafe make(name) else { return nil }
        defer { unsafe ldns_rdf_deep_free(data) }
        unsafe ldns_dname2canonical(data)
        return unsafe octets(of: data)
    }

    /// Lower case and without a final dot, as names of replies are; nil if `name` is no domain name.
    static func canonical(_ name: String) -> String? {
        octets(of: name).flatMap { RecordData.name($0) }
    }

    /// A copy of what a field of a record holds.
    @unsafe static func octets(of data: UnsafeMutablePointer<ldns_rdf>) -> [UInt8] {
        guard let start = unsafe ldns_rdf_data(data) else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: start, count: ldns_rdf_size(data)))
    }
}
