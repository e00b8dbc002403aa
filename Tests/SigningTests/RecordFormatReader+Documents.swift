// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation

@testable import Signing

// MARK: JSON

extension RecordFormatReader {
    private static func object(_ text: String) throws -> [String: Any] {
        guard let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            throw Fault("no JSON object")
        }
        return object
    }

    private static func objects(_ value: Any?) throws -> [[String: Any]] {
        guard let objects = value as? [[String: Any]] else { throw Fault("no array of objects") }
        return objects
    }

    private static func string(_ value: Any?) throws -> String {
        guard let string = value as? String else { throw Fault("no string") }
        return string
    }

    private static func integer(_ value: Any?) throws -> Int64 {
        guard let number = value as? NSNumber else { throw Fault("no number") }
        return number.int64Value
    }

    static func json(_ text: String) throws -> [Record] {
        try objects(object(text)["records"]).map { record in
            guard let strings = record["strings"] as? [String] else { throw Fault("no strings") }
            let name = try string(record["name"])
            guard try string(record["type"]) == "TXT", try string(record["value"]) == strings.joined() else {
                throw Fault("the value is not its strings")
            }
            if let zone = record["zone"] as? String {
                let host = try string(record["host"])
                guard host + "." + zone == name else { throw Fault("\(host) in \(zone) is not \(name)") }
            }
            return Record(name: name, ttl: try integer(record["ttl"]), strings: strings)
        }
    }

    static func route53(_ text: String) throws -> [Record] {
        try objects(object(text)["Changes"]).map { change in
            guard try string(change["Action"]) == "UPSERT", let set = change["ResourceRecordSet"] as? [String: Any],
                try string(set["Type"]) == "TXT"
            else { throw Fault("no change of a TXT record set") }
            let values = try objects(set["ResourceRecords"])
            guard values.count == 1 else { throw Fault("\(values.count) values") }
            return Record(
                name: try withoutDot(string(set["Name"])), ttl: try integer(set["TTL"]),
                strings: try quotedStrings(string(values[0]["Value"]), radix: 8, escapesBackslash: false))
        }
    }

    static func cloudflare(_ text: String) throws -> [Record] {
        try objects(object(text)["posts"]).map { post in
            guard try string(post["type"]) == "TXT" else { throw Fault("no TXT record") }
            return Record(
                name: try string(post["name"]), ttl: try integer(post["ttl"]),
                strings: try quotedStrings(string(post["content"])))
        }
    }

    static func azure(_ text: String) throws -> [Record] {
        try objects(object(text)["resources"]).map { resource in
            let names = try string(resource["name"]).split(separator: "/")
            guard try string(resource["type"]) == "Microsoft.Network/dnsZones/TXT", names.count == 2,
                let properties = resource["properties"] as? [String: Any]
            else { throw Fault("no TXT record set") }
            let records = try objects(properties["TXTRecords"])
            guard records.count == 1, let values = records[0]["value"] as? [String] else { throw Fault("no record") }
            let strings = try values.map { value in
                guard value.hasPrefix("["), value.hasSuffix("]") else { return value }
                guard value.hasPrefix("[[") else { throw Fault("an expression") }
                return String(value.dropFirst())
            }
            return Record(
                name: names[1] == "@" ? String(names[0]) : "\(names[1]).\(names[0])",
                ttl: try integer(properties["TTL"]), strings: strings)
        }
    }
}

// MARK: YAML

extension RecordFormatReader {
    /// A scalar in single quotes, or one without quotes that needs none.
    private static func scalar(_ text: some StringProtocol) throws -> String {
        guard text.hasPrefix("'") else {
            guard text.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "#" || $0 == "." }), !text.hasPrefix("#") else {
                throw Fault("\(text) needs quotes")
            }
            return String(text)
        }
        guard text.count >= 2, text.hasSuffix("'") else { throw Fault("\(text) is not closed") }
        let inner = String(text.dropFirst().dropLast())
        guard !inner.replacing("''", with: "").contains("'") else { throw Fault("a quote ends \(text)") }
        return inner.replacing("''", with: "'")
    }

    /// The key and the rest of `key: rest`.
    private static func member(_ line: some StringProtocol) throws -> (String, String) {
        guard line.hasPrefix("'") else {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard let key = parts.first else { throw Fault("no key in \(line)") }
            return (String(key), parts.count == 2 ? parts[1].trimmingCharacters(in: .whitespaces) : "")
        }
        guard let end = line.firstRange(of: "':") else { throw Fault("no key in \(line)") }
        let key = try scalar(line[..<line.index(after: end.lowerBound)])
        return (key, line[end.upperBound...].trimmingCharacters(in: .whitespaces))
    }

    private static func documents(_ text: String) throws -> [[String]] {
        var documents: [[String]] = []
        for line in try lines(text) {
            if line == "---" {
                documents.append([])
            } else if documents.isEmpty {
                guard line.hasPrefix("#") else { throw Fault("text before the first document") }
            } else {
                documents[documents.count - 1].append(line)
            }
        }
        return documents
    }

    static func google(_ text: String) throws -> [Record] {
        try documents(text).map { lines in
            var members: [String: String] = [:]
            var items: [String] = []
            for line in lines {
                if line.hasPrefix("- ") {
                    items.append(try scalar(line.dropFirst(2)))
                } else {
                    let (key, value) = try member(line)
                    members[key] = try value.isEmpty ? "" : scalar(value)
                }
            }
            guard members["kind"] == "dns#resourceRecordSet", members["type"] == "TXT", items.count == 1 else {
                throw Fault("no TXT record set")
            }
            return Record(
                name: try withoutDot(members["name"] ?? ""), ttl: try number(members["ttl"] ?? ""),
                strings: try quotedStrings(items[0]))
        }
    }

    /// The provider refuses a value with a `;` that is not escaped or that follows two backslashes, drops quotes
    /// around it, and otherwise hands it on as a zone file's string.
    static func octoDNS(_ text: String) throws -> [Record] {
        try documents(text).flatMap { lines in
            guard let file = lines.first, file.hasPrefix("# "), file.hasSuffix(".yaml") else { throw Fault("no file") }
            let zone = file.dropFirst(2).dropLast(".yaml".count)
            var records: [Record] = []
            var host = ""
            var members: [String: String] = [:]
            for line in lines.dropFirst() {
                let (key, content) = try member(line.drop { $0 == " " })
                guard line.hasPrefix("  ") else {
                    host = key
                    continue
                }
                members[key] = try scalar(content)
                guard key == "value" else { continue }
                let value = members[key] ?? ""
                guard members["type"] == "TXT", !value.hasPrefix("\""), !value.contains("\" \""),
                    !value.contains("\\\\;")
                else { throw Fault("refused: \(value)") }
                let unescaped = value.replacing("\\;", with: "\u{0}")
                guard !unescaped.contains(";") else { throw Fault("unescaped ; in \(value)") }
                let string = unescaped.replacing("\u{0}", with: ";")
                records.append(
                    Record(
                        name: host.isEmpty ? String(zone) : "\(host).\(zone)", ttl: try number(members["ttl"] ?? ""),
                        strings: try quotedStrings("\"" + string.replacing("\"", with: "\\\"") + "\"")))
                members = [:]
            }
            return records
        }
    }
}
