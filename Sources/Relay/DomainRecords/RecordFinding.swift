// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS

/// What was found out about one record.
///
/// Fields may be added; those that are here keep their names and meanings. What is not known is left out.
package struct RecordFinding: Codable, Hashable, Sendable {
    package enum Status: String, Codable, Hashable, Sendable, Comparable {
        case ok, warning, problem

        private var rank: Int {
            switch self {
            case .ok: 0
            case .warning: 1
            case .problem: 2
            }
        }

        package static func < (left: Status, right: Status) -> Bool { left.rank < right.rank }
    }

    package var kind: RecordKind
    package var status: Status
    /// The name of the record, or what else it is about.
    package var name: String
    /// What is so, and why it matters.
    package var text: String
    /// What the DNS shows, a record or a line each, in printable ASCII.
    package var found: [String]?
    /// What to do.
    package var remedy: String?
    /// What should be in the DNS.
    package var wanted: WantedRecord?

    package init(
        _ kind: RecordKind, _ status: Status, _ name: String, _ text: String, found: [String] = [],
        remedy: String? = nil, wanted: WantedRecord? = nil
    ) {
        self.kind = kind
        self.status = status
        self.name = name
        self.text = text
        self.found = found.isEmpty ? nil : found
        self.remedy = remedy
        self.wanted = wanted
    }

    /// A question without an answer: what others can't look up either is a problem, where it is needed.
    static func unanswered(
        _ kind: RecordKind, _ name: String, _ reason: String, isRequired: Bool = true
    ) -> RecordFinding {
        RecordFinding(
            kind, isRequired ? .problem : .warning, name, "it can't be looked up now: \(reason)",
            remedy: "If it stays so, see to the name servers of the domain, and to [dns] servers of the configuration.")
    }

    /// What strangers wrote, safe on a terminal.
    static func printable(_ texts: [[UInt8]]) -> [String] { texts.map { PrintableText.of($0, limit: 1000) } }

    static func printable(_ text: String) -> String { PrintableText.of(text, limit: 1000) }
}

/// What `waxwing dns check --json` prints, and `waxwing dns check` in words.
package struct DomainRecordsDocument: Codable, Hashable, Sendable {
    package var domain: String
    /// How its mail leaves.
    package var summary: String
    /// The worst of the findings.
    package var outcome: RecordFinding.Status
    /// In the order of their kinds.
    package var findings: [RecordFinding]

    package init(domain: String, summary: String, findings: [RecordFinding]) {
        self.domain = domain
        self.summary = summary
        self.outcome = findings.map(\.status).max() ?? .ok
        self.findings = RecordKind.allCases.flatMap { kind in findings.filter { $0.kind == kind } }
    }
}
