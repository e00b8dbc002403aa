// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail
import Signing

/// DMARCCheck is in charge of the DMARC record that applies to the domain: its own, or that of a domain above
/// (RFC 9989 §4.10.1).
struct DMARCCheck {
    /// Places of reports that are asked about.
    private static let maximumDestinations = 8

    private let records: DomainRecords
    private let lookup: RecordLookup

    init(_ records: DomainRecords, _ lookup: RecordLookup) {
        self.records = records
        self.lookup = lookup
    }

    private var wanted: WantedRecord { records.dmarc }

    func findings() async -> [RecordFinding] {
        do throws(DNSError) {
            var walk = TreeWalk(lookup)
            let own = try await walk.texts(at: records.domain)
            var findings = spoiled(own)
            let organization = try await walk.organization(of: records.domain)
            guard let place = organization.place, let text = organization.record?.text,
                let record = DMARCRecord(String(decoding: text, as: UTF8.self))
            else {
                if findings.isEmpty { findings.append(absent(own)) }
                return findings
            }
            findings += judge(record, place, RecordFinding.printable([text]))
            findings += try await strangers(record, place, &walk)
            return findings
        } catch {
            return [.unanswered(.dmarc, wanted.name, error.text)]
        }
    }

    /// Several records at the domain's own name, of which none counts (RFC 9989 §4.10 step 2).
    private func spoiled(_ texts: [[UInt8]]) -> [RecordFinding] {
        let found = texts.filter { DMARCTags(String(decoding: $0, as: UTF8.self)) != nil }
        guard found.count > 1 else { return [] }
        return [
            RecordFinding(
                .dmarc, .problem, wanted.name, "\(found.count) DMARC records where one may be: none of them counts",
                found: RecordFinding.printable(found), remedy: "Remove all but one.")
        ]
    }

    private func absent(_ texts: [[UInt8]]) -> RecordFinding {
        let hint = texts.isEmpty ? "" : "; what is at its name does not begin with v=DMARC1 in just these letters"
        return RecordFinding(
            .dmarc, .problem, wanted.name,
            "no DMARC record holds for the domain, and the large receivers refuse or distrust its mail without\(hint)",
            found: RecordFinding.printable(texts), remedy: "Publish the record.", wanted: wanted)
    }

    private func judge(_ record: DMARCRecord, _ place: Domain, _ found: [String]) -> [RecordFinding] {
        let name = "_dmarc.\(place)"
        let isBelow = place != records.domain
        let whose = isBelow ? "the record of \(place) holds for the domain: " : ""
        guard record.isUsable else {
            return [
                RecordFinding(
                    .dmarc, .problem, name,
                    "\(whose)it has no valid p= and no rua=, so that receivers don't use it (RFC 9989 §4.10.1): "
                        + RecordFinding.printable(record.faults.joined(separator: "; ")),
                    found: found, remedy: "Correct the record.", wanted: isBelow ? nil : wanted)
            ]
        }
        let policy = record.effectivePolicy(isBelow: isBelow)
        var words = "\(whose)\(Self.words(policy))"
        if record.isTesting, policy != .none { words += "; t=y asks them to go one step easier" }
        var findings = [RecordFinding(.dmarc, .ok, name, words, found: found)]
        if record.policy == nil {
            findings.append(warning(name, "without a valid p= receivers take p=none", "Write p=none, or a policy."))
        }
        if record.destinations.isEmpty {
            findings.append(
                warning(
                    name, "no reports are asked for, so nobody tells when mail fails",
                    "Add rua=mailto: and a mailbox to the record."))
        }
        if record.hasStrictSPF {
            findings.append(
                warning(
                    name, "aspf=s: SPF counts only where the reverse-path has the very domain of From",
                    "Let applications use a reverse-path of \(records.domain), or rely on DKIM."))
        }
        findings += record.faults.map { warning(name, "receivers ignore what is wrong: \($0)", "Correct it.") }
        findings += record.notes.map { warning(name, $0, nil) }
        return findings
    }

    private func warning(_ name: String, _ text: String, _ remedy: String?) -> RecordFinding {
        RecordFinding(.dmarc, .warning, name, RecordFinding.printable(text), remedy: remedy)
    }

    private static func words(_ policy: DMARCRecord.Policy) -> String {
        switch policy {
        case .none: "p=none: receivers only report; go on to p=quarantine when reports show that all mail passes"
        case .quarantine: "receivers distrust mail that does not pass (quarantine)"
        case .reject: "receivers refuse mail that does not pass (reject)"
        }
    }

    // MARK: Reports to other organizations

    /// RFC 9990: another organization must say that it takes the reports, at a name below its own.
    private func strangers(
        _ record: DMARCRecord, _ place: Domain, _ walk: inout TreeWalk
    ) async throws(DNSError) -> [RecordFinding] {
        var findings: [RecordFinding] = []
        let home = try await walk.organization(of: place).domain
        let domains = Set((record.destinations + record.failureDestinations).compactMap(\.mailbox?.domain))
        for domain in domains.sorted().prefix(Self.maximumDestinations) where !domain.isEqualOrBelow(home) {
            if try await walk.organization(of: domain).domain == home { continue }
            let name = "\(place)._report._dmarc.\(domain)"
            guard Domain(name) != nil else { continue }
            var isAllowed = false
            if case .records(let texts) = try await lookup.txt(name) {
                isAllowed = texts.contains { DMARCTags(String(decoding: $0, as: UTF8.self)) != nil }
            }
            guard !isAllowed else { continue }
            findings.append(
                RecordFinding(
                    .dmarc, .warning, name,
                    "\(domain) does not say that it takes reports about \(place): none are sent",
                    remedy: "Have the record published there, or name a mailbox of \(place).",
                    wanted: WantedRecord(
                        .dmarc, name: name, value: "v=DMARC1", why: "\(domain) takes reports about \(place)",
                        isRequired: false)))
        }
        return findings
    }
}
