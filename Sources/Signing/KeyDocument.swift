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
        look = key.proof.map {
            Look(
                verdict: $0.evidence.verdict, checked: $0.checked, summary: $0.evidence.summary,
                findings: $0.evidence.findings, warnings: $0.evidence.warnings)
        }
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
        next = Step(text: "read-only: can't rotate by itself", isOperator: false)
        if key.algorithm == nil { problem = "\(key.recordName) among the credentials: \(key.remark)" }
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
