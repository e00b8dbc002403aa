// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail
package import Signing

/// DomainRecordCheck is in charge of comparing what is in the DNS with what a sending domain needs.
///
/// All is asked at once; each question has its time limit, and all together have that of the look-up.
package struct DomainRecordCheck: Sendable {
    /// Asks the servers in charge of a key's record, past all caches.
    package typealias Look = @Sendable (KeyDescription) async -> KeyEvidence

    let records: DomainRecords
    let lookup: RecordLookup
    let look: Look

    package init(_ records: DomainRecords, _ lookup: RecordLookup, look: @escaping Look) {
        self.records = records
        self.lookup = lookup
        self.look = look
    }

    package func run() async -> DomainRecordsDocument {
        let host = await HostCheck.Host(records, lookup)
        async let ofHost = HostCheck(records, lookup, host).findings()
        async let spf = SPFCheck(records, lookup, addresses: host.senders).findings()
        async let hostSPF = hostSPF(host.senders)
        async let dkim = DKIMCheck(records, lookup, look: look).findings()
        async let dmarc = DMARCCheck(records, lookup).findings()
        async let receiving = ReceivingCheck(records, lookup).findings()
        let findings = await [ofHost, spf, hostSPF, dkim, dmarc, receiving]
        return DomainRecordsDocument(
            domain: records.domain.name, summary: records.summary, findings: findings.flatMap { $0 })
    }

    /// The record of the name in EHLO, which is advice; one that keeps this host out does harm.
    private func hostSPF(_ senders: [IPAddress]) async -> [RecordFinding] {
        guard let wanted = records.hostSPF else { return [] }
        let name = wanted.name
        var texts: [[UInt8]] = []
        do throws(DNSError) {
            if case .records(let found) = try await lookup.txt(name) { texts = found.filter(SPFRecord.isRecord) }
        } catch {
            return [.unanswered(.spf, name, error.text, isRequired: false)]
        }
        guard !texts.isEmpty else {
            let text = "no record for the name in EHLO; one would be of use: \(wanted.why)"
            return [RecordFinding(.spf, .ok, name, text, wanted: wanted)]
        }
        let found = RecordFinding.printable(texts)
        for address in senders {
            var evaluation = SPFEvaluation(lookup, address: address, sender: "postmaster@\(name)", helo: name)
            let outcome = await evaluation.check()
            guard outcome.result != .pass else { continue }
            let reason = RecordFinding.printable(outcome.reason)
            return [
                RecordFinding(
                    .spf, .warning, name, "bounces from \(address) get \(outcome.result.rawValue): \(reason)",
                    found: found, remedy: "Let the record of the name in EHLO allow this host.", wanted: wanted)
            ]
        }
        return [RecordFinding(.spf, .ok, name, "there for bounces", found: found)]
    }
}
