// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// Names one key under a domain: `s=` (RFC 6376 §3.1).
package struct Selector: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// What is left of a domain name beside `._domainkey.` and the shortest domain.
    static let maximumOctets = 200

    /// In lower case.
    package let text: String

    /// Nil unless `text` is dotted labels of letters, digits and inner hyphens (RFC 6376 §3.1, RFC 5321 §4.1.2).
    package init?(_ text: String) {
        guard text.utf8.count <= Selector.maximumOctets, !text.contains("_"), !text.hasSuffix("."),
            let name = Domain(text)
        else { return nil }
        for label in name.name.split(separator: ".") where label.hasPrefix("-") || label.hasSuffix("-") {
            return nil
        }
        self.text = name.name
    }

    package var description: String { text }

    package static func < (left: Selector, right: Selector) -> Bool {
        left.text < right.text
    }

    /// Where the key record stands: `<selector>._domainkey.<domain>` (RFC 6376 §3.6.2.1).
    package func recordName(in domain: Domain) -> String {
        "\(text)._domainkey.\(domain.name)"
    }
}
