// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import FoundationEssentials
internal import Mail

/// A key, as commands print it in JSON: times are in RFC 3339.
package struct KeyDocument: Codable, Hashable, Sendable {
    package struct Look: Codable, Hashable, Sendable {
        package var verdict: KeyEvidence.Verdict
        package var checked: Date
        package var summary: String
        package var findings: [String]
        package var warnings: [String]

        init(_ evidence: KeyEvidence, at time: Date) {
            verdict = evidence.verdict
            checked = time
            summary = evidence.summary
            findings = evidence.findings
            warnings = evidence.warnings
        }
    }

    package struct Step: Codable, Hashable, Sendable {
        package var text: String
        package var at: Date?
        package var isOperator: Bool
    }

    package var domain: String
    package var selector: String
    package var algorithm: String
    package var state: KeyState
    package var purpose: KeyDescription.Purpose?
    package var since: Date
    package var lastUsed: Date?
    package var recordName: String
    /// What is to stand there; nil: nothing.
    package var record: String?
    package var isUnproven: Bool
    /// Active and not used to sign, and why.
    package var suspension: String?
    package var look: Look?
    package var next: Step?
    /// What is wrong with the key's files.
    package var problem: String?
    /// A credential of the service, which can't rotate by itself; absent is false.
    package var isReadOnly: Bool?
    /// A credential of the service that signs nothing; absent is false.
    package var isUnused: Bool?

    package init(_ key: KeyDescription) {
        domain = key.domain
        selector = key.selector
        algorithm = key.algorithm
        state = key.state
        purpose = key.purpose
        since = key.stateTime
        recordName = key.recordName
        record = key.wantedRecord
        isUnproven = key.isUnproven
        suspension = key.suspension?.reason
        look = key.proof.map { Look($0.evidence, at: $0.checked) }
    }

    /// A key as it is, beside what was just seen of its record; the look changes nothing of the key.
    package init(_ key: KeyDescription, seen evidence: KeyEvidence, at time: Date) {
        self.init(key)
        look = Look(evidence, at: time)
    }
}

extension KeyDocument {
    /// A key among the credentials of the service.
    init(_ key: ReadOnlyKey) {
        domain = key.domain.name
        selector = key.selector.text
        algorithm = key.algorithm ?? "unknown"
        state = .active
        since = Timestamp(seconds: 0).date
        recordName = key.recordName
        record = key.record
        isUnproven = false
        isReadOnly = true
        isUnused = key.isUsed ? nil : true
        next = Step(text: "read-only: can't rotate by itself", isOperator: false)
        if key.algorithm == nil { problem = "\(key.recordName) among the credentials: \(key.remark)" }
    }
}

extension KeyDescription {
    /// A key that signs from among the credentials of the service, as the daemon tells of it; nil if it is none.
    package init?(readOnly document: KeyDocument) {
        guard document.isReadOnly == true, document.isUnused != true, let record = document.record,
            let domain = Domain(document.domain), let selector = Selector(document.selector)
        else { return nil }
        self.init(
            domain: domain, selector: selector, algorithm: document.algorithm, record: record,
            at: Timestamp(document.since), by: "", evidence: nil)
        state = .active
    }
}

/// What a rotation did and waits for, in JSON.
package struct RotationDocument: Codable, Hashable, Sendable {
    package var domain: String
    package var done: [String]
    package var waits: [RotationWait]
    package var isFinished: Bool
    package var keys: [KeyDocument]
}

/// A line of the journal of a domain's keys, in JSON.
package struct KeyLogDocument: Codable, Hashable, Sendable {
    package var domain: String
    package var selector: String
    package var time: Date
    /// Nil for the first.
    package var from: KeyState?
    package var to: KeyState
    package var by: String
    package var evidence: String?
    package var isForced: Bool
}

enum KeyDocuments {
    static func json(_ value: some Encodable) -> String? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) + "\n" }
    }
}

/// Moments as commands print them: to the minute, in UTC.
enum Moments {
    static func text(_ seconds: Int64) -> String { text(Timestamp(seconds: seconds).date) }

    static func text(_ date: Date) -> String {
        // 2026-11-26T12:34:56Z
        let full = date.formatted(.iso8601)
        return "\(full.prefix(10)) \(full.dropFirst(11).prefix(5)) UTC"
    }

    static func day(_ date: Date) -> String { String(date.formatted(.iso8601).prefix(10)) }
}
