// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail
import Signing

/// DKIMCheck is in charge of the key records: whether every server shows the keys that sign or have signed, none of
/// those that must not be believed, and whether the signing domain belongs to the author domain.
struct DKIMCheck {
    private let records: DomainRecords
    private let lookup: RecordLookup
    private let look: DomainRecordCheck.Look

    init(_ records: DomainRecords, _ lookup: RecordLookup, look: @escaping DomainRecordCheck.Look) {
        self.records = records
        self.lookup = lookup
        self.look = look
    }

    func findings() async -> [RecordFinding] {
        let name = records.domain.name
        var findings = records.keys.damage.map {
            RecordFinding(.dkim, .problem, name, RecordFinding.printable($0))
        }
        if records.isUnsigned {
            findings.append(
                RecordFinding(
                    .dkim, .warning, name, "the configuration lets its mail leave without signatures",
                    remedy: "Remove `unsigned` from its [[domain]] table."))
        } else if let finding = activeFinding {
            findings.append(finding)
        }
        findings += await keyFindings()
        if let finding = await alignmentFinding() { findings.append(finding) }
        if let limit = records.keys.limit {
            findings.append(RecordFinding(.dkim, limit == .noDaemon ? .ok : .warning, name, limit.text))
        }
        return findings
    }

    /// What the active keys lack as a set.
    private var activeFinding: RecordFinding? {
        let active = records.keys.all.filter { $0.state == .active }
        let name = records.keys.sdid.name
        let generate = "Run: \(records.keys.generation(for: records.keys.sdid))"
        guard !active.isEmpty else {
            let waiting = records.keys.all.first { $0.state == .generated || $0.state == .published }
            let isExcluded = records.keys.excluded.contains { $0.state == .active }
            return RecordFinding(
                .dkim, .problem, name,
                isExcluded
                    ? "algorithms in the configuration leaves the kind of its active key out: no key signs for the domain, "
                        + "and its mail is not accepted"
                    : "no key signs for the domain, and its mail is not accepted",
                remedy: waiting.map { "Run: waxwing keys activate \(name) --selector \($0.selector)" } ?? generate)
        }
        let sizes = active.compactMap { key in
            key.algorithm.hasPrefix("rsa-") ? Int(key.algorithm.dropFirst("rsa-".count)) : nil
        }
        guard let size = sizes.max() else {
            return RecordFinding(
                .dkim, .warning, name, "only an Ed25519 key signs, and the large receivers verify RSA only",
                remedy: records.keys.algorithms.contains(.rsa)
                    ? generate : "Add rsa to algorithms in its [[domain]] table, and run: waxwing keys generate \(name)"
            )
        }
        // RFC 8301 §3.2.
        guard size < 2048 else { return nil }
        return RecordFinding(
            .dkim, .warning, name, "the RSA key that signs has \(size) bits, and 2048 are expected", remedy: generate)
    }

    private func keyFindings() async -> [RecordFinding] {
        let keys = records.keys.all
        let evidence = await KeyLooks.look(at: keys, by: look)
        let excluded = records.keys.excluded.map { key in
            RecordFinding(
                .dkim, .ok, key.recordName,
                "\(key.algorithm), \(key.state.rawValue): not needed, as algorithms in the configuration leaves its kind "
                    + "out")
        }
        return zip(keys, evidence).map { DKIMCheck.judge($0, $1, wanted: records.record(of: $0)) } + excluded
    }

    /// Whether a record is as it should be, `waxwing keys check` decides too; what it means is said here.
    static func judge(_ key: KeyDescription, _ evidence: KeyEvidence, wanted: WantedRecord?) -> RecordFinding {
        let lines = (evidence.findings + evidence.warnings).map { RecordFinding.printable($0) }
        let summary = RecordFinding.printable(evidence.summary)
        func finding(_ status: RecordFinding.Status, _ text: String, _ remedy: String? = nil) -> RecordFinding {
            let isMended = status == .ok
            return RecordFinding(
                .dkim, status, key.recordName, "\(key.algorithm), \(key.state.rawValue): \(text)",
                found: isMended && evidence.warnings.isEmpty ? [] : lines, remedy: remedy,
                wanted: isMended || remedy == nil ? nil : wanted)
        }
        if evidence.verdict == .unknown { return finding(.warning, summary) }
        let publish = "Publish the record at every name server, and nothing else at its name."
        guard Signing.KeyDocument(key, seen: evidence, at: key.stateTime).isAsWanted else {
            return finding(
                .problem, consequence(key.state, evidence.verdict),
                key.state == .revoked || key.state == .compromised
                    ? "Publish the revoked record in its place." : publish)
        }
        switch (key.state, evidence.verdict) {
        case (.generated, .published):
            return finding(
                .ok, "\(summary); it signs after: waxwing keys activate \(key.domain) --selector \(key.selector)")
        case (.generated, _): return finding(.warning, "not published yet", publish)
        case (_, .absent): return finding(.ok, "the record is gone")
        case (_, .published): return finding(evidence.warnings.isEmpty ? .ok : .warning, summary)
        case (_, .revoked), (_, .wrong), (_, .unknown): return finding(.ok, summary)
        }
    }

    /// What follows from a record that is not as it should be.
    private static func consequence(_ state: KeyState, _ verdict: KeyEvidence.Verdict) -> String {
        switch state {
        case .generated: words(verdict)
        case .published: "\(words(verdict)): it can't take over when it is needed"
        case .active: "\(words(verdict)): receivers can't verify what it signs"
        case .retiring: "\(words(verdict)): receivers can't verify what it signed and is still under way"
        case .revoked, .compromised, .removed:
            verdict == .published
                ? "the record still shows the public key, so that receivers believe its signatures"
                : "not every server says that it is revoked"
        }
    }

    private static func words(_ verdict: KeyEvidence.Verdict) -> String {
        switch verdict {
        case .published: "published"
        case .revoked: "the record says that the key is revoked"
        case .absent: "there is no record"
        case .wrong: "the record is not the key's"
        case .unknown: "not every server could be asked"
        }
    }

    /// RFC 9989 §4.4.1; nil if the domain signs for itself.
    private func alignmentFinding() async -> RecordFinding? {
        guard records.keys.sdid != records.domain else { return nil }
        var alignment = Alignment(author: records.domain, resolver: lookup)
        let found = await alignment.of(sdid: records.keys.sdid.name)
        let status: RecordFinding.Status =
            switch found.mode {
            case .exact, .relaxed: .ok
            case .unknown: .warning
            case .none: .problem
            }
        return RecordFinding(
            .dkim, status, records.domain.name, "signed as \(records.keys.sdid): \(found.text)",
            remedy: found.mode == .none ? "Run: waxwing keys generate \(records.domain)" : nil)
    }
}
