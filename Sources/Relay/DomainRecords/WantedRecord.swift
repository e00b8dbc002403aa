// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Signing

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
    /// Seconds.
    package var ttl: Int64

    package init(
        _ kind: RecordKind, name: String, type: String = "TXT", value: String, why: String, isRequired: Bool = true,
        ttl: Int64 = TextRecord.standardTTL
    ) {
        self.kind = kind
        self.name = name
        self.type = type
        self.value = value
        self.why = why
        self.isRequired = isRequired
        self.ttl = ttl
    }

    /// An entry of a zone file (RFC 1035 §5.1), in one line.
    package var zoneLine: String {
        let data =
            switch type {
            case "TXT": TextRecord(name: name, text: value).zoneData
            case "CNAME", "PTR": value + "."
            default: value
            }
        return "\(name). \(ttl) IN \(type) \(data)"
    }
}
