// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import CLdns

/// ReplyMessage is what a name server sent, read by ldns and copied out of it.
struct ReplyMessage: Sendable {
    /// A record, its data cut into fields as its type has them.
    struct Record: Hashable, Sendable {
        /// In lower case, without the final dot.
        var owner: String
        var type: Int
        var ttl: UInt32
        var fields: [[UInt8]]
    }

    /// Codes of RFC 1035 §4.1.1 and RFC 2136 §2.2.
    enum Code: Int, Sendable {
        case noError = 0
        case formatError = 1
        case serverFailure = 2
        case nameError = 3
        case notImplemented = 4
        case refused = 5
        case nameExists = 6
        case recordsExist = 7
        case recordsMissing = 8
        case notAuthoritative = 9
        case notZone = 10
    }

    var codeNumber: Int
    var isAuthoritative: Bool
    var isTruncated: Bool
    var answer: [Record]
    var authority: [Record]
    /// RFC 8945: the record that proves who sent the message.
    var signature: Record?

    var code: Code? { Code(rawValue: codeNumber) }

    /// Nil if `octets` are no message.
    init?(_ octets: [UInt8]) {
        var parsed: UnsafeMutablePointer<ldns_pkt>?
        guard unsafe ldns_wire2pkt(&parsed, octets, octets.count) == LDNS_STATUS_OK, let packet = unsafe parsed else {
            return nil
        }
        defer { unsafe ldns_pkt_free(packet) }
        // RFC 6891 §6.1.3: the upper eight bits stand in the OPT record.
        let lower = unsafe Int(ldns_pkt_get_rcode(packet).rawValue)
        codeNumber = unsafe Int(ldns_pkt_edns_extended_rcode(packet)) << 4 | lower
        // `bool` of ldns is a char here.
        isAuthoritative = unsafe ldns_pkt_aa(packet) != 0
        isTruncated = unsafe ldns_pkt_tc(packet) != 0
        answer = unsafe Self.records(in: ldns_pkt_answer(packet))
        authority = unsafe Self.records(in: ldns_pkt_authority(packet))
        if let record = unsafe ldns_pkt_tsig(packet) { signature = unsafe Self.record(record) }
    }

    func answers(_ type: RecordType, of owner: String) -> [Record] {
        answer.filter { $0.type == type.rawValue && $0.owner == owner }
    }

    /// The code as `dig` shows it.
    var codeText: String {
        switch code {
        case .noError: "NOERROR"
        case .formatError: "FORMERR"
        case .serverFailure: "SERVFAIL"
        case .nameError: "NXDOMAIN"
        case .notImplemented: "NOTIMP"
        case .refused: "REFUSED"
        case .nameExists: "YXDOMAIN"
        case .recordsExist: "YXRRSET"
        case .recordsMissing: "NXRRSET"
        case .notAuthoritative: "NOTAUTH"
        case .notZone: "NOTZONE"
        case nil: "rcode \(codeNumber)"
        }
    }

    private static func records(in list: UnsafeMutablePointer<ldns_rr_list>?) -> [Record] {
        guard let list = unsafe list else { return [] }
        return (0..<(unsafe ldns_rr_list_rr_count(list))).compactMap { index in
            guard let record = unsafe ldns_rr_list_rr(list, index) else { return nil }
            return unsafe self.record(record)
        }
    }

    /// Nil for a record of another class than IN, TSIG aside, or without a sound owner.
    private static func record(_ record: UnsafeMutablePointer<ldns_rr>) -> Record? {
        let type = unsafe ldns_rr_get_type(record)
        guard unsafe ldns_rr_get_class(record) == LDNS_RR_CLASS_IN || type == LDNS_RR_TYPE_TSIG,
            let name = unsafe ldns_rr_owner(record), let owner = unsafe RecordData.name(LdnsName.octets(of: name))
        else { return nil }
        let fields = (0..<(unsafe ldns_rr_rd_count(record))).compactMap { index in
            unsafe ldns_rr_rdf(record, index).map { data in unsafe LdnsName.octets(of: data) }
        }
        return unsafe Record(owner: owner, type: Int(type.rawValue), ttl: ldns_rr_ttl(record), fields: fields)
    }

    /// Where the last record of a message begins; nil if it has none, or is malformed.
    static func lastRecord(in octets: [UInt8]) -> Int? {
        guard octets.count >= 12 else { return nil }
        let counts = stride(from: 4, to: 12, by: 2).map { Int(octets[$0]) << 8 | Int(octets[$0 + 1]) }
        var position = 12
        var last: Int?
        for (section, count) in zip(
            [LDNS_SECTION_QUESTION, LDNS_SECTION_ANSWER, LDNS_SECTION_AUTHORITY, LDNS_SECTION_ADDITIONAL], counts)
        {
            for _ in 0..<count {
                last = section == LDNS_SECTION_QUESTION ? nil : position
                var record: UnsafeMutablePointer<ldns_rr>?
                guard
                    unsafe ldns_wire2rr(&record, octets, octets.count, &position, section) == LDNS_STATUS_OK
                else { return nil }
                unsafe ldns_rr_free(record)
            }
        }
        return last
    }
}
