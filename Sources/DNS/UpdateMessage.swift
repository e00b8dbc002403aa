// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import CLdns

/// UpdateMessage writes the messages that change a zone (RFC 2136), with ldns.
enum UpdateMessage {
    /// RFC 1035 §3.3: what one character-string holds.
    static let stringOctets = 255

    /// One entry of the prerequisite or of the update section.
    struct Entry: Hashable, Sendable {
        /// RFC 2136 §2.4 and §2.5: beside the zone's own class, ANY and NONE say what is meant.
        enum Class: UInt32, Hashable, Sendable {
            case zone = 1
            case none = 254
            case any = 255
        }

        var type: RecordType
        var `class`: Class
        var ttl: UInt32 = 0
        /// Empty where only the type is meant.
        var fields: [[UInt8]] = []

        /// Prerequisite: no record of this type (RFC 2136 §2.4.3).
        static func missing(_ type: RecordType) -> Entry { Entry(type: type, class: .none) }

        /// Prerequisite: together with its like, all records of this type (RFC 2136 §2.4.2).
        static func present(text fields: [[UInt8]]) -> Entry { Entry(type: .txt, class: .zone, fields: fields) }

        /// Update: a text record is added (RFC 2136 §2.5.1).
        static func add(text: [UInt8], ttl: UInt32) -> Entry {
            Entry(type: .txt, class: .zone, ttl: ttl, fields: strings(text))
        }

        /// Update: all text records are deleted (RFC 2136 §2.5.2).
        static let deleteTexts = Entry(type: .txt, class: .any)
    }

    /// A text in strings of at most 255 octets, each with its length before it.
    static func strings(_ text: [UInt8]) -> [[UInt8]] {
        guard !text.isEmpty else { return [[0]] }
        return stride(from: 0, to: text.count, by: stringOctets).map { start in
            let string = text[start..<min(start + stringOctets, text.count)]
            return [UInt8(string.count)] + string
        }
    }

    /// Nil if a name is none, or without memory.
    static func octets(zone: String, name: String, prerequisites: [Entry], updates: [Entry]) -> [UInt8]? {
        guard let first = unsafe list(prerequisites, name) else { return nil }
        defer { unsafe ldns_rr_list_deep_free(first) }
        guard let second = unsafe list(updates, name) else { return nil }
        defer { unsafe ldns_rr_list_deep_free(second) }
        guard let top = unsafe LdnsName.make(zone),
            let packet = unsafe ldns_update_pkt_new(top, LDNS_RR_CLASS_IN, first, second, nil)
        else { return nil }
        defer { unsafe ldns_pkt_free(packet) }
        unsafe ldns_pkt_set_id(packet, UInt16.random(in: .min ... .max))
        // RFC 2136 §2.2: what is RD elsewhere must be zero.
        unsafe ldns_pkt_set_rd(packet, 0)
        return unsafe QueryMessage.octets(of: packet)
    }

    @unsafe private static func list(_ entries: [Entry], _ name: String) -> UnsafeMutablePointer<ldns_rr_list>? {
        guard let list = unsafe ldns_rr_list_new() else { return nil }
        for entry in entries {
            guard let record = unsafe record(entry, name) else {
                unsafe ldns_rr_list_deep_free(list)
                return nil
            }
            guard unsafe ldns_rr_list_push_rr(list, record) != 0 else {
                unsafe ldns_rr_free(record)
                unsafe ldns_rr_list_deep_free(list)
                return nil
            }
        }
        return unsafe list
    }

    @unsafe private static func record(_ entry: Entry, _ name: String) -> UnsafeMutablePointer<ldns_rr>? {
        guard let owner = unsafe LdnsName.make(name) else { return nil }
        guard let record = unsafe ldns_rr_new() else {
            unsafe ldns_rdf_deep_free(owner)
            return nil
        }
        unsafe ldns_rr_set_owner(record, owner)
        unsafe ldns_rr_set_type(record, ldns_rr_type(rawValue: UInt32(entry.type.rawValue)))
        unsafe ldns_rr_set_class(record, ldns_rr_class(rawValue: entry.class.rawValue))
        unsafe ldns_rr_set_ttl(record, entry.ttl)
        for field in entry.fields {
            guard let data = unsafe ldns_rdf_new_frm_data(LDNS_RDF_TYPE_STR, field.count, field) else {
                unsafe ldns_rr_free(record)
                return nil
            }
            guard unsafe ldns_rr_push_rdf(record, data) != 0 else {
                unsafe ldns_rdf_deep_free(data)
                unsafe ldns_rr_free(record)
                return nil
            }
        }
        return unsafe record
    }
}
