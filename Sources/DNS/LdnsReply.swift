// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import CLdns

/// LdnsReply reads what a name server said: rcode, AA flag and records.
///
/// Only authoritative data counts.
enum LdnsReply {
    /// More aliases in a row are taken for a circle.
    static let maximumAliases = 8

    static func read(
        _ reply: UnsafeMutablePointer<ldns_pkt>, owner: UnsafeMutablePointer<ldns_rdf>
    ) -> ServerAnswer.Kind {
        let code = unsafe ldns_pkt_get_rcode(reply)
        guard code == LDNS_RCODE_NOERROR || code == LDNS_RCODE_NXDOMAIN else { return .failure(text(of: code)) }
        guard unsafe ldns_pkt_aa(reply) != 0 else {
            let servers = unsafe records(of: LDNS_RR_TYPE_NS, owner: nil, in: ldns_pkt_authority(reply))
            let names = servers.compactMap { $0.first.flatMap { RecordData.name($0) } }
            return names.isEmpty || code == LDNS_RCODE_NXDOMAIN
                ? .failure("the server is not authoritative") : .referral(names)
        }
        guard let answer = unsafe ldns_pkt_answer(reply) else { return .failure("the reply is malformed") }
        return unsafe follow(owner, in: answer, isNameError: code == LDNS_RCODE_NXDOMAIN)
    }

    /// The text records of `owner`, or of the name that it is an alias of.
    private static func follow(
        _ owner: UnsafeMutablePointer<ldns_rdf>, in answer: UnsafeMutablePointer<ldns_rr_list>, isNameError: Bool
    ) -> ServerAnswer.Kind {
        var current = unsafe octets(of: owner)
        for hop in 0...maximumAliases {
            let texts = unsafe records(of: LDNS_RR_TYPE_TXT, owner: current, in: answer)
            if !texts.isEmpty {
                // Each field is one character-string with its length before it.
                return .records(texts.map { fields in Array(fields.map { $0.dropFirst() }.joined()) })
            }
            guard let target = unsafe records(of: LDNS_RR_TYPE_CNAME, owner: current, in: answer).first?.first else {
                // RFC 2308 §2.1: with an alias, NXDOMAIN is said of its target.
                if isNameError { return .nameError }
                guard hop > 0, let name = RecordData.name(current) else { return .noData }
                return .alias(name)
            }
            current = target
        }
        return .failure("too many aliases")
    }

    /// The records of one type, and of one owner unless nil: each as the octets of its fields.
    private static func records(
        of type: ldns_rr_type, owner: [UInt8]?, in list: UnsafeMutablePointer<ldns_rr_list>?
    ) -> [[[UInt8]]] {
        guard let list = unsafe list else { return [] }
        var found: [[[UInt8]]] = []
        for index in 0..<(unsafe ldns_rr_list_rr_count(list)) {
            guard let record = unsafe ldns_rr_list_rr(list, index), unsafe ldns_rr_get_type(record) == type,
                let recordOwner = unsafe ldns_rr_owner(record)
            else { continue }
            if let owner, !sameName(unsafe octets(of: recordOwner), owner) { continue }
            var fields: [[UInt8]] = []
            for field in 0..<(unsafe ldns_rr_rd_count(record)) {
                if let data = unsafe ldns_rr_rdf(record, field) { fields.append(unsafe octets(of: data)) }
            }
            found.append(fields)
        }
        return found
    }

    private static func octets(of data: UnsafeMutablePointer<ldns_rdf>) -> [UInt8] {
        guard let start = unsafe ldns_rdf_data(data) else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: start, count: ldns_rdf_size(data)))
    }

    private static func sameName(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        RecordData.name(left) == RecordData.name(right)
    }

    private static func text(of code: ldns_pkt_rcode) -> String {
        switch code {
        case LDNS_RCODE_FORMERR: "FORMERR"
        case LDNS_RCODE_SERVFAIL: "SERVFAIL"
        case LDNS_RCODE_NOTIMPL: "NOTIMP"
        case LDNS_RCODE_REFUSED: "REFUSED"
        case LDNS_RCODE_NOTAUTH: "NOTAUTH"
        default: "rcode \(code.rawValue)"
        }
    }
}
