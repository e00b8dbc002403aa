// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// ZoneFile writes entries of zone files (RFC 1035 §5.1), with whole names, so that it does not matter which zone's
/// file they go to.
enum ZoneFile {
    static func entries(_ records: [TextRecord]) -> String {
        records.map(entry).joined()
    }

    static func entry(_ record: TextRecord) -> String {
        let strings = record.strings.map(quoted)
        let data = strings.count == 1 ? strings[0] : "(\n  " + strings.joined(separator: "\n  ") + " )"
        return "\(record.name). \(record.ttl) IN TXT \(data)\n"
    }

    /// All strings in one line.
    static func line(_ record: TextRecord) -> String {
        record.strings.map(quoted).joined(separator: " ")
    }

    /// One string: inside quotes a `;` begins no comment, and other octets than printable ASCII are `\DDD`, decimal.
    static func quoted(_ string: String) -> String {
        var quoted = "\""
        for octet in string.utf8 {
            switch octet {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): quoted += "\\" + character(octet)
            case 0x20...0x7e: quoted += character(octet)
            default: quoted += "\\" + digits(octet, radix: 10)
            }
        }
        return quoted + "\""
    }

    static func character(_ octet: UInt8) -> String { String(Unicode.Scalar(octet)) }

    /// Three digits.
    static func digits(_ octet: UInt8, radix: Int) -> String {
        let text = String(octet, radix: radix)
        return String(repeating: "0", count: 3 - text.count) + text
    }
}

/// UpdateScript writes commands for BIND's `nsupdate`.
enum UpdateScript {
    /// An update is about one zone (RFC 2136 §2.3), so each zone has its own `send`.
    ///
    /// What the name held before goes: a key record is the only one of its name (RFC 6376 §3.6.2.2).
    static func text(_ records: [TextRecord]) -> String {
        var text = ""
        for (apex, records) in TextRecord.byZone(records) {
            if records.allSatisfy(\.isZoneKnown) { text += "zone \(apex).\n" }
            for record in records {
                text += "update delete \(record.name). TXT\n"
                text += "update add \(record.name). \(record.ttl) IN TXT \(ZoneFile.line(record))\n"
            }
            text += "send\n"
        }
        return text
    }
}

/// TinyDNS writes lines for `tinydns-data`, which splits long texts itself.
enum TinyDNS {
    static func text(_ records: [TextRecord]) -> String {
        records.map { "'\($0.name):\(escaped($0.text)):\($0.ttl)\n" }.joined()
    }

    /// A colon ends a field: what is no letter, digit or harmless sign is `\nnn`, octal.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for octet in text.utf8 {
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: " "), UInt8(ascii: "="), UInt8(ascii: "+"),
                UInt8(ascii: "/"), UInt8(ascii: ";"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                escaped += ZoneFile.character(octet)
            default:
                escaped += "\\" + ZoneFile.digits(octet, radix: 8)
            }
        }
        return escaped
    }
}
