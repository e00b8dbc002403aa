// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// ProviderDocument writes what the programs and APIs of DNS providers take.
enum ProviderDocument {
    /// Cloudflare refuses other lifetimes, except 1, which stands for "automatic".
    private static let cloudflareLifetimes: ClosedRange<Int64> = 60...86_400

    /// A change batch; `UPSERT` makes a record or replaces the one of its name.
    static func route53(_ records: [TextRecord]) -> String {
        let changes = records.map { record in
            JSONValue.object([
                ("Action", .string("UPSERT")),
                (
                    "ResourceRecordSet",
                    .object([
                        ("Name", .string(record.name + ".")),
                        ("Type", .string("TXT")),
                        ("TTL", .number(record.ttl)),
                        ("ResourceRecords", .array([.object([("Value", .string(route53Strings(record)))])])),
                    ])
                ),
            ])
        }
        return JSONValue.object([
            ("Comment", .string("DKIM keys")), ("Changes", .array(changes)),
        ]).document
    }

    private static func route53Strings(_ record: TextRecord) -> String {
        record.strings.map { "\"" + route53Escaped($0) + "\"" }.joined(separator: " ")
    }

    /// Route 53 has octal codes where zone files have decimal ones.
    static func route53Escaped(_ string: String) -> String {
        var escaped = ""
        for octet in string.utf8 {
            switch octet {
            case UInt8(ascii: "\""): escaped += "\\\""
            // By its code: what two backslashes mean is not documented.
            case UInt8(ascii: "\\"): escaped += "\\134"
            case 0x20...0x7e: escaped += ZoneFile.character(octet)
            default: escaped += "\\" + ZoneFile.digits(octet, radix: 8)
            }
        }
        return escaped
    }

    /// The content is quoted strings as a zone file has them.
    static func cloudflare(_ records: [TextRecord]) -> String {
        let posts = records.map { record in
            let lifetime = min(
                max(record.ttl, cloudflareLifetimes.lowerBound), cloudflareLifetimes.upperBound)
            return JSONValue.object([
                ("type", .string("TXT")),
                ("name", .string(record.name)),
                ("content", .string(ZoneFile.line(record))),
                ("ttl", .number(lifetime)),
            ])
        }
        return JSONValue.object([("posts", .array(posts))]).document
    }

    /// A YAML document for each record, as `gcloud dns record-sets export` writes them.
    static func google(_ records: [TextRecord]) -> String {
        "# gcloud dns record-sets import FILE --zone=ZONE\n"
            + records.map { record in
                """
                ---
                kind: dns#resourceRecordSet
                name: \(YAML.quoted(record.name + "."))
                rrdatas:
                - \(YAML.quoted(ZoneFile.line(record)))
                ttl: \(record.ttl)
                type: TXT

                """
            }.joined()
    }

    /// A template of Azure Resource Manager: each record set becomes what it says.
    static func azure(_ records: [TextRecord]) -> String {
        let resources = records.map { record in
            let strings = JSONValue.array(record.strings.map { .string(azureLiteral($0)) })
            return JSONValue.object([
                ("type", .string("Microsoft.Network/dnsZones/TXT")),
                ("apiVersion", .string("2018-05-01")),
                ("name", .string("\(record.apex)/\(record.host)")),
                (
                    "properties",
                    .object([
                        ("TTL", .number(record.ttl)),
                        ("TXTRecords", .array([.object([("value", strings)])])),
                    ])
                ),
            ])
        }
        let schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
        return JSONValue.object([
            ("$schema", .string(schema)),
            ("contentVersion", .string("1.0.0.0")),
            ("resources", .array(resources)),
        ]).document
    }

    /// In a template, a string in brackets is an expression; another bracket in front makes it a string again.
    private static func azureLiteral(_ string: String) -> String {
        string.hasPrefix("[") && string.hasSuffix("]") ? "[" + string : string
    }
}

/// YAML scalars.
enum YAML {
    /// In single quotes, where only the quote itself is special (YAML 1.2 §7.3.2).
    static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: "''") + "'"
    }
}
