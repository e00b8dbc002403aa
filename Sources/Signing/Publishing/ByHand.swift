// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS

/// ByHand is in charge of telling the operator what to change in DNS.
enum ByHand {
    static func text(_ change: RecordChange) -> String {
        guard let wanted = change.wanted else { return deletion(change) }
        let record = TextRecord(name: change.name, text: wanted, ttl: change.ttl, zone: change.zone)
        let others = change.replaceable.filter { $0 != wanted }
        let task =
            others.isEmpty
            ? "Create this TXT record:"
            : """
            Create this TXT record, or where the name has one, replace it (two at one name count as none):
            \(beginnings(others))
            """
        let reason =
            change.purpose == .revoke
            ? "The key is revoked: receivers are to know that nothing is signed with it any more.\n" : ""
        return """
            \(reason)\(task)

            \(record.forms)
            """
    }

    private static func deletion(_ change: RecordChange) -> String {
        let record = TextRecord(name: change.name, text: "", ttl: change.ttl, zone: change.zone)
        return """
            Delete this TXT record, and nothing else at other names:

            \(WebForm.name(record))
            \(beginnings(change.replaceable))
            \(WebForm.check(change.name))

            """
    }

    /// Enough of each text to recognize it.
    private static func beginnings(_ texts: [String]) -> String {
        let shown = 60
        return texts.map { text in
            "Now:    \(PrintableText.line(text, limit: shown))"
        }.joined(separator: "\n")
    }
}
