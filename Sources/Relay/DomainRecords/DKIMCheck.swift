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
        return findings
    }

    /// What the active keys lack as a set.
    private var activeFinding: RecordFinding? {
        let active = records.keys.all.filter { $0.state == .active }
        let name = records.keys.sdid.name
        guard !active.isEmpty else {
            let waiting = records.keys.all.first { $0.state == .generated || $0.state == .published }
            return RecordFinding(
                .dkim, .problem, name, "no key signs for the domain, and its mail is not accepted",
                remedy: waiting.map { "Run: waxwing keys activate \(name) --selector \($0.selector)" }
                    ?? "Run: waxwing keys generate \(name)")
        }
        let sizes = active.compactMap { key in
            key.algorithm.hasPrefix("rsa-") ? Int(key.algorithm.dropFirst("rsa-".count)) : nil
        }
        guard let size = sizes.max() else {
            return RecordFinding(
                .dkim, .warning, name, "only an Ed25519 key signs, and the large receivers verify RSA only",
                remedy: "Run: waxwing keys generate \(name)")
        }
        // RFC 8301 §3.2.
        guard size < 2048 else { return nil }
        return RecordFinding(
            .dkim, .warning, name, "the RSA key that signs has \(size) bits, and 2048 are expected",
            remedy: "Run: waxwing keys generate \(name)")
    }

    private func keyFindings() async -> [RecordFinding] {
        await withTaskGroup(of: (Int, RecordFinding).self) { group in
            for (index, key) in records.keys.all.enumerated() {
                let wanted = records.record(of: key)
                group.addTask { [look] in (index, DKIMCheck.judge(key, await look(key), wanted: wanted)) }
            }
            var all: [(Int, RecordFinding)] = []
            for await finding in group { all.append(finding) }
            return all.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    static func judge(_ key: KeyDescription, _ evidence: KeyEvidence, wanted: WantedRecord) -> RecordFinding {
        let lines = (evidence.findings + evidence.warnings).map { RecordFinding.printable($0) }
        let summary = RecordFinding.printable(evidence.summary)
        func finding(_ status: RecordFinding.Status, _ text: String, _ remedy: String? = nil) -> RecordFinding {
            let isMended = status == .ok
            return RecordFinding(
                .dkim, status, key.recordName, "\(key.algorithm), \(key.state.rawValue): \(text)",
                found: isMended && evidence.warnings.isEmpty ? [] : lines, remedy: remedy,
                wanted: isMended || remedy == nil ? nil : wanted)
        }
        let publish = "Publish the record at every name server, and nothing else at its name."
        switch (key.state, evidence.verdict) {
        case (_, .unknown):
            return finding(.warning, summary)
        case (.active, .published), (.retiring, .published), (.published, .published):
            return finding(evidence.warnings.isEmpty ? .ok : .warning, summary)
        case (.active, _), (.retiring, _), (.published, _):
            let consequence =
                switch key.state {
                case .active: "receivers can't verify what it signs"
                case .retiring: "receivers can't verify what it signed and is still under way"
                default: "it can't take over when it is needed"
                }
            return finding(.problem, "\(words(evidence.verdict)): \(consequence)", publish)
        case (.generated, .published):
            return finding(
                .ok, "\(summary); it signs after: waxwing keys activate \(key.domain) --selector \(key.selector)")
        case (.generated, .absent):
            return finding(.warning, "not published yet", publish)
        case (.generated, _):
            return finding(.problem, words(evidence.verdict), publish)
        case (.revoked, .published), (.compromised, .published):
            return finding(
                .problem, "the record still shows the public key, so that receivers believe its signatures",
                "Publish the revoked record in its place.")
        case (.revoked, .wrong), (.compromised, .wrong):
            return finding(.warning, "not every server says that it is revoked", "Publish the revoked record.")
        case (.revoked, _), (.compromised, _), (.removed, _):
            return finding(.ok, evidence.verdict == .revoked ? summary : "the record is gone")
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
