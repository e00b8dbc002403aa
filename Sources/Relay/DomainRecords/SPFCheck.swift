// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail
import Signing

/// SPFCheck is in charge of the domain's SPF record: whether it is sound, and whether mail passes by each way that it
/// leaves.
struct SPFCheck {
    private let records: DomainRecords
    private let lookup: RecordLookup
    /// What mail to MX hosts comes from.
    private let addresses: [IPAddress]

    init(_ records: DomainRecords, _ lookup: RecordLookup, addresses: [IPAddress]) {
        self.records = records
        self.lookup = lookup
        self.addresses = addresses
    }

    private var name: String { records.domain.name }
    private var isRequired: Bool { records.spf?.isRequired ?? false }
    private var severity: RecordFinding.Status { isRequired ? .problem : .warning }

    func findings() async -> [RecordFinding] {
        guard !records.ways.isEmpty else { return [] }
        let texts: [[UInt8]]
        do throws(DNSError) {
            if case .records(let found) = try await lookup.txt(name) { texts = found } else { texts = [] }
        } catch {
            return [.unanswered(.spf, name, error.text, isRequired: isRequired)]
        }
        let candidates = texts.filter(SPFRecord.isRecord)
        guard let text = candidates.first else { return [absent(texts)] }
        let found = RecordFinding.printable(candidates)
        guard candidates.count == 1 else {
            return [
                RecordFinding(
                    .spf, .problem, name,
                    "\(candidates.count) SPF records where one must be: receivers answer permerror (RFC 7208 §4.5)",
                    found: found, remedy: "Put all terms into one record, and remove the others.")
            ]
        }
        let record: SPFRecord
        do throws(SPFSyntaxError) {
            record = try SPFRecord(text)
        } catch {
            return [
                RecordFinding(
                    .spf, .problem, name,
                    "the record is malformed, and receivers answer permerror (RFC 7208 §4.6): "
                        + RecordFinding.printable(error.text),
                    found: found, remedy: "Correct the record.")
            ]
        }
        return await judge(record, String(decoding: text, as: UTF8.self), found)
    }

    /// Perhaps there is a record that only looks like one.
    private func absent(_ texts: [[UInt8]]) -> RecordFinding {
        let similar = texts.filter { String(decoding: $0, as: UTF8.self).lowercased().contains("spf1") }
        let hint = similar.isEmpty ? "" : "; what looks like one does not begin with \"v=spf1 \""
        return RecordFinding(
            .spf, severity, name, "there is no SPF record\(hint)", found: RecordFinding.printable(similar),
            remedy: records.spf == nil ? nil : "Publish the record.", wanted: records.spf)
    }

    private func judge(_ record: SPFRecord, _ text: String, _ found: [String]) async -> [RecordFinding] {
        var survey = SPFSurvey(lookup)
        await survey.take(record, of: name)
        var findings: [RecordFinding] = []
        if survey.problems.isEmpty {
            findings.append(
                RecordFinding(
                    .spf, .ok, name,
                    "one record, well-formed; \(survey.lookups) of \(SPFEvaluation.maximumLookups) look-ups",
                    found: found))
        }
        findings += survey.problems.map { finding(.problem, $0, found) }
        findings += survey.warnings.map { finding(.warning, $0, []) }
        var passages: [Passage] = []
        for way in records.ways {
            switch way {
            case .mx: for address in addresses { passages.append(await passage(of: address, way)) }
            case .smarthost(let host, _): passages.append(await passage(through: host, way, survey.admitted))
            }
        }
        return findings + propose(passages, text)
    }

    private func finding(_ status: RecordFinding.Status, _ text: String, _ found: [String]) -> RecordFinding {
        RecordFinding(.spf, status, name, RecordFinding.printable(text), found: found)
    }

    // MARK: The ways

    /// What becomes of mail by one way, and the term that would let it pass.
    private struct Passage {
        var finding: RecordFinding
        var missing: String?
    }

    private func outcome(of address: IPAddress) async -> SPFOutcome {
        // The local-part does not matter but for rare macros.
        var evaluation = SPFEvaluation(
            lookup, address: address, sender: "postmaster@\(name)", helo: records.hostname)
        return await evaluation.check()
    }

    private func passage(of address: IPAddress, _ way: SendingWay) async -> Passage {
        let outcome = await outcome(of: address)
        switch outcome.result {
        case .pass: return Passage(finding: finding(.ok, "mail from \(address) passes: \(outcome.reason)", []))
        case .temperror:
            return Passage(finding: .unanswered(.spf, name, RecordFinding.printable(outcome.reason)))
        case .none, .neutral, .fail, .softfail, .permerror:
            let text = "mail from \(address) gets \(outcome.result.rawValue): \(outcome.reason)"
            // A term more does not mend a record that can't be evaluated.
            let missing =
                outcome.result == .permerror ? nil : way.spfTerm(hostname: records.hostname, addresses: [address])
            return Passage(finding: finding(.problem, text, []), missing: missing)
        }
    }

    private func passage(through host: String, _ way: SendingWay, _ admitted: Set<String>) async -> Passage {
        guard let term = way.spfTerm(hostname: records.hostname, addresses: []) else {
            let text = "mail leaves through \(host), and where it reaches the Internet from is not known"
            var open = finding(.warning, text, [])
            open.remedy = "See to it that the record allows the host that hands it on."
            return Passage(finding: open)
        }
        if term.hasPrefix("include:") {
            if admitted.contains(String(term.dropFirst("include:".count))) {
                return Passage(finding: finding(.ok, "mail through \(host) passes: \(term) is there", []))
            }
            let text =
                way.usesReversePath
                ? "\(term) is missing, which allows the senders of \(host)"
                : "\(term) is missing; it is needed once \(host) is told to use a reverse-path of \(name)"
            return Passage(finding: finding(way.usesReversePath ? .problem : .warning, text, []), missing: term)
        }
        do throws(DNSError) {
            for address in try await lookup.addresses(host) {
                let outcome = await outcome(of: address)
                guard outcome.result != .pass else { continue }
                let text =
                    "\(host) (\(address)) gets \(outcome.result.rawValue), and its operator may send from "
                    + "other addresses: ask which"
                return Passage(finding: finding(.warning, text, []), missing: term)
            }
            let text = "\(host) passes; if it sends from other addresses than its own, the record must allow those"
            return Passage(finding: finding(.ok, text, []))
        } catch {
            return Passage(finding: .unanswered(.spf, host, error.text))
        }
    }

    /// One record that has all that is missing, in front of the terms that may decide otherwise.
    private func propose(_ passages: [Passage], _ text: String) -> [RecordFinding] {
        var terms = text.split(separator: " ").map(String.init)
        let present = Set(terms.map { $0.lowercased() })
        var missing: [String] = []
        for term in passages.compactMap(\.missing)
        where !present.contains(term) && !missing.contains(term) { missing.append(term) }
        terms.insert(contentsOf: missing, at: 1)
        return passages.map { passage in
            var finding = passage.finding
            guard let term = passage.missing else { return finding }
            if present.contains(term) {
                finding.remedy = "\(term) is in the record, and does not match: see to the addresses of that name."
            } else if var wanted = records.spf {
                wanted.value = terms.joined(separator: " ")
                finding.remedy = "Put \(term) into the record."
                finding.wanted = wanted
            }
            return finding
        }
    }
}
