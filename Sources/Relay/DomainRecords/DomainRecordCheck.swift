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
        let findings = await withTaskGroup(of: (Int, [RecordFinding]).self) { group in
            let checks: [@Sendable () async -> [RecordFinding]] = [
                { await HostCheck(records, lookup, host).findings() },
                { await SPFCheck(records, lookup, addresses: host.senders).findings() },
                { await hostSPF() },
                { await DKIMCheck(records, lookup, look: look).findings() },
                { await DMARCCheck(records, lookup).findings() },
                { await ReceivingCheck(records, lookup).findings() },
            ]
            for (index, check) in checks.enumerated() {
                group.addTask { (index, await check()) }
            }
            var all: [(Int, [RecordFinding])] = []
            for await found in group { all.append(found) }
            return all.sorted { $0.0 < $1.0 }.flatMap(\.1)
        }
        return DomainRecordsDocument(domain: records.domain.name, summary: records.summary, findings: findings)
    }

    /// The record of the name in EHLO, which is advice.
    private func hostSPF() async -> [RecordFinding] {
        guard let wanted = records.hostSPF else { return [] }
        do throws(DNSError) {
            var texts: [[UInt8]] = []
            if case .records(let found) = try await lookup.txt(wanted.name) {
                texts = found.filter(SPFRecord.isRecord)
            }
            guard !texts.isEmpty else {
                return [
                    RecordFinding(
                        .spf, .ok, wanted.name, "no record for the name in EHLO; one would be of use: \(wanted.why)",
                        wanted: wanted)
                ]
            }
            return [RecordFinding(.spf, .ok, wanted.name, "there for bounces", found: RecordFinding.printable(texts))]
        } catch {
            return [.unanswered(.spf, wanted.name, error.words, isRequired: false)]
        }
    }
}
