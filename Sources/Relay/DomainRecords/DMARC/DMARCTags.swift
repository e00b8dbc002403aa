// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// The tags of a DMARC record (RFC 9989 §4.8).
struct DMARCTags: Hashable, Sendable {
    /// By name, in lower case; of a tag that is there twice the first.
    private(set) var values: [String: String] = [:]
    /// In their order, `v` left out.
    private(set) var names: [String] = []
    /// What stands between two semicolons and is no tag; receivers ignore it.
    private(set) var broken: [String] = []
    /// Tags that are there more than once.
    private(set) var repeated: [String] = []

    /// Nil if the text is no DMARC record: `v=DMARC1` stands first, in just these letters (RFC 9989 §4.7 `v`).
    init?(_ text: String) {
        for (index, part) in text.split(separator: ";", omittingEmptySubsequences: false).enumerated() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else {
                if index == 0 { return nil }
                let rest = DMARCTags.trim(part)
                if !rest.isEmpty { broken.append(rest) }
                continue
            }
            let (written, value) = (DMARCTags.trim(pair[0]), DMARCTags.trim(pair[1]))
            let name = written.lowercased()
            if index == 0 {
                guard written == "v", value == "DMARC1" else { return nil }
            } else if values[name] == nil {
                values[name] = value
                names.append(name)
            } else {
                repeated.append(name)
            }
        }
    }

    subscript(name: String) -> String? { values[name] }

    /// Without spaces and tabs at its ends.
    static func trim(_ text: Substring) -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return String(text)
    }
}
