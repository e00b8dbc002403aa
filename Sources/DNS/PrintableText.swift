// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// PrintableText makes what somebody else sent safe on a terminal and in a log.
package enum PrintableText {
    /// At most `limit` characters of printable ASCII, others as `?`.
    package static func of(_ octets: some Collection<UInt8>, limit: Int = 200) -> String {
        let shown = octets.prefix(limit).map { (32...126).contains($0) ? $0 : UInt8(ascii: "?") }
        return String(decoding: shown, as: UTF8.self) + (octets.count > limit ? "..." : "")
    }

    package static func of(_ text: String, limit: Int = 200) -> String { of(Array(text.utf8), limit: limit) }
}
