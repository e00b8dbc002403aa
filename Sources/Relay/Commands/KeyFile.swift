// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Mail

/// KeyFile is in charge of key records that stand in a file instead of in DNS.
///
///     # a line each: name, white space, record
///     s1._domainkey.example.com    v=DKIM1; k=rsa; p=MIIB…
///     s2._domainkey.example.com    "v=DKIM1; k=rsa; " "p=MIIB…"
enum KeyFile {
    /// Names in lower case to their records; a name may stand in more than one line.
    static func records(in text: String) throws(FilterError) -> [String: KeyRecordAnswer] {
        var records: [String: [String]] = [:]
        // CR and LF together are one Character of Swift's.
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            if line.allSatisfy(\.isWhitespace) || line.hasPrefix("#") { continue }
            let parts = line.split(maxSplits: 1, whereSeparator: isBlank)
            guard parts.count == 2, let name = Domain(parts[0]) else {
                throw FilterError(
                    text: "line \(index + 1) of the key file is not a name, white space and a key record")
            }
            let value = parts[1].drop(while: isBlank)
            guard let record = value.hasPrefix("\"") ? characterStrings(value) : String(value) else {
                throw FilterError(text: "line \(index + 1) of the key file has a quote without its other half")
            }
            records[name.name, default: []].append(record)
        }
        return records.mapValues { .texts($0) }
    }

    private static func isBlank(_ character: Character) -> Bool {
        character == " " || character == "\t"
    }

    /// The strings between quotes, joined without anything between them (RFC 6376 §3.6.2.2).
    private static func characterStrings(_ text: Substring) -> String? {
        let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
        guard parts.count % 2 == 1 else { return nil }
        return stride(from: 1, to: parts.count, by: 2).map { String(parts[$0]) }.joined()
    }
}
