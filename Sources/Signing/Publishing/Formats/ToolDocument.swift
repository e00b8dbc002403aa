// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Terraform writes resources of the AWS provider.
enum Terraform {
    static func text(_ records: [TextRecord]) -> String {
        TextRecord.byZone(records).map { apex, records in
            let zone = "waxwing_" + identifier(apex)
            let data = """
                data "aws_route53_zone" "\(zone)" {
                  name = \(quoted(apex))
                }

                """
            return data + records.map { resource($0, zone: zone) }.joined()
        }.joined(separator: "\n")
    }

    private static func resource(_ record: TextRecord, zone: String) -> String {
        // The provider puts quotes around the value, so that `""` ends a string and begins the next.
        let value = record.strings.map(ProviderDocument.route53Escaped).joined(separator: "\"\"")
        return """

            resource "aws_route53_record" "waxwing_\(identifier(record.name))" {
              zone_id = data.aws_route53_zone.\(zone).zone_id
              name    = \(quoted(record.name))
              type    = "TXT"
              ttl     = \(record.ttl)
              records = [\(quoted(value))]
            }

            """
    }

    private static func identifier(_ name: String) -> String { name.replacing(".", with: "_") }

    /// A quoted template of HCL, where `${` and `%{` would begin an expression.
    private static func quoted(_ text: String) -> String {
        let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            .replacing("${", with: "$${").replacing("%{", with: "%%{")
        return "\"" + escaped + "\""
    }
}

/// OctoDNS writes zones for octoDNS' YAML provider, which splits long texts itself.
enum OctoDNS {
    static func text(_ records: [TextRecord]) -> String {
        TextRecord.byZone(records).map { apex, records in
            let entries = records.map { record in
                """
                \(YAML.quoted(record.host == "@" ? "" : record.host)):
                  ttl: \(record.ttl)
                  type: TXT
                  value: \(YAML.quoted(escaped(record.text)))

                """
            }
            return "---\n# \(apex).yaml\n" + entries.joined()
        }.joined()
    }

    /// octoDNS wants each `;` escaped, drops quotes around a value, and refuses a `;` after two backslashes: so
    /// backslashes and quotes go by their codes of zone files.
    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\092").replacing("\"", with: "\\034").replacing(";", with: "\\;")
    }
}

/// DNSControl writes an extension of a domain of `dnsconfig.js`.
enum DNSControl {
    static func text(_ records: [TextRecord]) -> String {
        TextRecord.byZone(records).map { apex, records in
            let entries = records.map { record in
                let strings = record.strings.map(quoted)
                let value = strings.count == 1 ? strings[0] : "[\n    " + strings.joined(separator: ",\n    ") + "\n  ]"
                return "  TXT(\(quoted(record.host)), \(value), TTL(\(record.ttl)))"
            }
            // No comma after the last: DNSControl reads ECMAScript 5.
            return "D_EXTEND(\(quoted(apex)),\n" + entries.joined(separator: ",\n") + "\n);\n"
        }.joined()
    }

    /// JSON's strings are JavaScript's.
    private static func quoted(_ text: String) -> String { JSONValue.string(text).line }
}
