// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// A TXT record as it is to stand in DNS.
package struct TextRecord: Hashable, Sendable {
    /// RFC 1035 §3.3.14: one string holds this many octets.
    package static let stringOctets = 255
    package static let standardTTL: Int64 = 3600

    /// The whole name, without a final dot.
    package var name: String
    package var text: String
    /// Seconds.
    package var ttl: Int64
    /// The zone that holds the name, without a final dot; nil: nobody has asked for it.
    package var zone: String?

    package init(name: String, text: String, ttl: Int64 = TextRecord.standardTTL, zone: String? = nil) {
        self.name = name
        self.text = text
        self.ttl = ttl
        // However it came: with a final dot, or in capitals.
        self.zone = zone.flatMap { Domain($0)?.name }
    }

    /// The text in strings of at most 255 octets, to be joined without a space (RFC 6376 §3.6.2.2).
    package var strings: [String] { Self.strings(text) }

    /// A text in strings of at most 255 octets; at least one.
    package static func strings(_ text: String) -> [String] {
        var strings: [String] = []
        var string = ""
        var octets = 0
        for scalar in text.unicodeScalars {
            let length = UTF8.width(scalar)
            if octets + length > stringOctets {
                strings.append(string)
                string = ""
                octets = 0
            }
            string.unicodeScalars.append(scalar)
            octets += length
        }
        return strings + [string]
    }

    /// The data as an entry of a zone file has it (RFC 1035 §5.1), in one line.
    package var zoneData: String { ZoneFile.line(self) }

    /// Whether `zone` is known and holds the name.
    var isZoneKnown: Bool {
        guard let zone else { return false }
        return name == zone || name.hasSuffix("." + zone)
    }

    /// The zone; while nobody knows it, the domain of the key, which is the zone for most.
    var apex: String {
        if let zone, isZoneKnown { return zone }
        if let marker = name.firstRange(of: "._domainkey.") { return String(name[marker.upperBound...]) }
        return name.firstIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? name
    }

    /// The name without the zone, as forms and tools with one zone at a time want it.
    var host: String { host(in: apex) }

    func host(in zone: String) -> String {
        guard name != zone else { return "@" }
        return name.hasSuffix("." + zone) ? String(name.dropLast(zone.count + 1)) : name
    }

    /// Records by their zone, in the order in which the zones turn up.
    static func byZone(_ records: [TextRecord]) -> [(apex: String, records: [TextRecord])] {
        var zones: [(apex: String, records: [TextRecord])] = []
        for record in records {
            if let index = zones.firstIndex(where: { $0.apex == record.apex }) {
                zones[index].records.append(record)
            } else {
                zones.append((record.apex, [record]))
            }
        }
        return zones
    }
}

extension KeyDescription {
    /// What is to stand in DNS for the key now; nil: nothing.
    package func textRecord(ttl: Int64) -> TextRecord? {
        wantedRecord.map { TextRecord(name: recordName, text: $0, ttl: ttl, zone: proof?.evidence.zone) }
    }

    package var textRecord: TextRecord? { textRecord(ttl: TextRecord.standardTTL) }
}
