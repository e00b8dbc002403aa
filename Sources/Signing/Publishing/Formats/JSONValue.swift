// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// A JSON value (RFC 8259) that keeps the order of its members, for people who read it.
enum JSONValue {
    case object([(name: String, value: JSONValue)])
    case array([JSONValue])
    case string(String)
    case number(Int64)
    case null

    /// Indented, with a line end.
    var document: String { text(indent: "") + "\n" }

    /// In one line.
    var line: String {
        switch self {
        case .object(let members):
            "{" + members.map { Self.quoted($0.name) + ":" + $0.value.line }.joined(separator: ",") + "}"
        case .array(let values): "[" + values.map(\.line).joined(separator: ",") + "]"
        case .string(let text): Self.quoted(text)
        case .number(let number): String(number)
        case .null: "null"
        }
    }

    private func text(indent: String) -> String {
        let inner = indent + "  "
        switch self {
        case .object(let members) where !members.isEmpty:
            let lines = members.map { "\(inner)\(Self.quoted($0.name)): \($0.value.text(indent: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        case .array(let values) where !values.isEmpty:
            return "[\n" + values.map { inner + $0.text(indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        default:
            return line
        }
    }

    /// RFC 8259 §7.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                quoted += "\\"
                quoted.unicodeScalars.append(scalar)
            case "\u{0}"..<" ", "\u{7f}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default:
                quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

/// Waxwing's own document of records.
enum RecordDocument {
    static func text(_ records: [TextRecord]) -> String {
        let values = records.map { record in
            JSONValue.object([
                ("name", .string(record.name)),
                ("type", .string("TXT")),
                ("ttl", .number(record.ttl)),
                ("value", .string(record.text)),
                ("strings", .array(record.strings.map(JSONValue.string))),
                ("zone", record.isZoneKnown ? .string(record.apex) : .null),
                ("host", .string(record.host)),
            ])
        }
        return JSONValue.object([("records", .array(values))]).document
    }
}
