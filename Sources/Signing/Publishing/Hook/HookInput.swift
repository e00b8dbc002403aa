// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// What a hook of the operator is told: the JSON on its standard input and variables of its environment.
///
/// `Hook.md` beside this file is the contract; a change that an old hook would misread needs another version.
struct HookInput: Hashable, Sendable {
    static let version: Int64 = 1
    /// What programs are found in; nothing of our own environment is handed on.
    private static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    let change: RecordChange
    /// Where the record is written.
    let name: String

    init(_ change: RecordChange, name: String) {
        self.change = change
        self.name = name
    }

    /// One line of JSON and its end.
    var json: String {
        let value = change.wanted.map(JSONValue.string) ?? .null
        let strings = change.wanted.map(TextRecord.strings) ?? []
        return JSONValue.object([
            ("version", .number(Self.version)),
            ("action", .string(change.purpose.rawValue)),
            ("domain", .string(change.domain.name)),
            ("selector", .string(change.selector.text)),
            ("name", .string(name)),
            ("type", .string("TXT")),
            ("ttl", .number(change.ttl)),
            ("value", value),
            ("strings", .array(strings.map(JSONValue.string))),
            ("replaces", .array(change.replaceable.map(JSONValue.string))),
        ]).line + "\n"
    }

    /// The same for shell scripts; the value is empty when no record is wanted.
    var environment: [String: String] {
        [
            "PATH": Self.path,
            "LANG": "C",
            "WAXWING_ACTION": change.purpose.rawValue,
            "WAXWING_DOMAIN": change.domain.name,
            "WAXWING_SELECTOR": change.selector.text,
            "WAXWING_NAME": name,
            "WAXWING_VALUE": change.wanted ?? "",
            "WAXWING_TTL": String(change.ttl),
        ]
    }
}
