// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Relay

/// Records and what was found of them, for people and for other programs.
enum DnsText {
    // MARK: Records

    static func plain(_ records: [WantedRecord]) -> String {
        records.map { "\($0.name) \($0.type) \($0.value)\n" }.joined()
    }

    static func bind(_ records: [WantedRecord]) -> String {
        records.map { record in
            "; \(title(record.kind))\(record.isRequired ? "" : ", optional"): \(record.why)\n\(record.zoneLine)\n"
        }.joined(separator: "\n")
    }

    static func reading(_ records: [WantedRecord], summary: String) -> String {
        var text = sentence(summary) + "\n"
        for kind in RecordKind.allCases {
            for record in records where record.kind == kind {
                text += "\n\(title(kind))\(record.isRequired ? "" : " (optional)"): \(record.why).\n"
                text += "  Name   \(record.name)\n  Type   \(record.type)\n  Value  \(record.value)\n"
            }
        }
        return text
    }

    // MARK: Findings

    static func check(_ document: DomainRecordsDocument) -> String {
        var text = sentence(document.summary) + "\n"
        for kind in RecordKind.allCases {
            let findings = document.findings.filter { $0.kind == kind }
            guard !findings.isEmpty else { continue }
            text += "\n\(title(kind))\n" + findings.map(finding).joined()
        }
        return text + "\n\(total(document))\n"
    }

    private static func finding(_ finding: RecordFinding) -> String {
        let status = finding.status.rawValue
        var text = "  \(status)\(String(repeating: " ", count: 9 - status.count))\(finding.name): \(finding.text)\n"
        let indent = String(repeating: " ", count: 11)
        for line in finding.found ?? [] { text += "\(indent)found: \(line)\n" }
        if let remedy = finding.remedy { text += "\(indent)\(remedy)\n" }
        if let wanted = finding.wanted { text += "\(indent)\(wanted.zoneLine)\n" }
        return text
    }

    private static func total(_ document: DomainRecordsDocument) -> String {
        func count(_ status: RecordFinding.Status, _ name: String) -> String {
            let number = document.findings.count { $0.status == status }
            return "\(number) \(name)\(number == 1 ? "" : "s")"
        }
        return "\(count(.problem, "problem")), \(count(.warning, "warning"))"
    }

    private static func title(_ kind: RecordKind) -> String {
        switch kind {
        case .host: "Name of the host"
        case .ptr: "Name of the address"
        case .spf: "SPF"
        case .dkim: "DKIM"
        case .dmarc: "DMARC"
        case .mx: "MX"
        case .mtaSTS: "MTA-STS"
        case .tlsrpt: "TLSRPT"
        }
    }

    private static func sentence(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst() + "."
    }
}
