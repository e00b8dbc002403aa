// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What a record is for; in the order in which they are shown.
package enum RecordKind: String, Codable, Hashable, Sendable, CaseIterable {
    /// The addresses of the name in EHLO.
    case host
    /// The name of an address.
    case ptr
    case spf
    case dkim
    case dmarc
    /// Where answers and bounces go.
    case mx
    case mtaSTS = "mta-sts"
    case tlsrpt
}

/// A record of the DNS that mail of a domain needs.
package struct WantedRecord: Codable, Hashable, Sendable {
    package var kind: RecordKind
    /// Without a final dot.
    package var name: String
    /// `A`, `AAAA`, `CNAME`, `PTR` or `TXT`.
    package var type: String
    /// The data: an address, a name without a final dot, or a text of any length.
    package var value: String
    /// In words for the operator.
    package var why: String
    /// Without it mail is refused or distrusted; others are advice.
    package var isRequired: Bool

    package init(
        _ kind: RecordKind, name: String, type: String = "TXT", value: String, why: String, isRequired: Bool = true
    ) {
        self.kind = kind
        self.name = name
        self.type = type
        self.value = value
        self.why = why
        self.isRequired = isRequired
    }

    /// An entry of a zone file (RFC 1035 §5.1), in one line.
    package var zoneLine: String {
        let data =
            switch type {
            case "TXT": characterStrings.map(WantedRecord.quoted).joined(separator: " ")
            case "CNAME", "PTR": value + "."
            default: value
            }
        return "\(name). 3600 IN \(type) \(data)"
    }

    /// RFC 1035 §3.3.14: at most 255 octets each, joined again without anything between them.
    private var characterStrings: [String] {
        let octets = Array(value.utf8)
        return stride(from: 0, to: max(1, octets.count), by: 255).map { start in
            String(decoding: octets[start..<min(start + 255, octets.count)], as: UTF8.self)
        }
    }

    /// Inside quotes a `;` begins no comment; quotes and backslashes are escaped.
    private static func quoted(_ text: String) -> String {
        "\"" + text.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] } + "\""
    }
}
