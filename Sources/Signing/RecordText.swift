// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
internal import FoundationEssentials

/// RecordText writes a key record in the forms that people paste.
enum RecordText {
    /// RFC 1035 §3.3.14: one string holds this many octets.
    static let stringOctets = 255

    /// One line: the name, a space, the record.
    ///
    /// What `waxwing verify --keys` reads.
    static func plain(_ description: KeyDescription) -> String {
        plain(name: description.recordName, description.record)
    }

    static func plain(name: String, _ record: String) -> String {
        "\(name) \(record)\n"
    }

    /// An entry of a zone file (RFC 1035 §5.1).
    ///
    /// Strings are joined without a space between them (RFC 6376 §3.6.2.2).
    static func bind(_ description: KeyDescription) -> String {
        let strings = strings(description.record).map(quoted)
        let body = strings.count == 1 ? strings[0] : "(\n  " + strings.joined(separator: "\n  ") + " )"
        return "\(description.recordName). 3600 IN TXT \(body)\n"
    }

    /// All forms, with words between them.
    static func forms(_ description: KeyDescription) -> String {
        """
        Name:  \(description.recordName)
        Type:  TXT
        Value: \(description.record)

        In a zone file:
        \(bind(description))
        """
    }

    static func strings(_ record: String) -> [String] {
        var rest = record.utf8[...]
        var strings: [String] = []
        repeat {
            strings.append(String(decoding: rest.prefix(stringOctets), as: UTF8.self))
            rest = rest.dropFirst(stringOctets)
        } while !rest.isEmpty
        return strings
    }

    /// Inside quotes a `;` begins no comment; quotes and backslashes are escaped.
    private static func quoted(_ text: String) -> String {
        "\"" + text.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] } + "\""
    }
}
