// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail
import Signing
import Testing

@testable import Relay

/// The DNS of example.com as it should be, and what is found when it is otherwise.
enum CheckFixture {
    /// All that example.com needs, and nothing more.
    static let sound = """
        relay.example.com A 192.0.2.25
        25.2.0.192.in-addr.arpa PTR relay.example.com
        example.com TXT v=spf1 a:relay.example.com ~all
        example.com TXT another text
        example.com MX 10 mail.example.com
        mail.example.com A 192.0.2.30
        _dmarc.example.com TXT v=DMARC1; p=quarantine; rua=mailto:reports@example.com
        """

    /// The sound records with some lines replaced: those that begin as one of `without` does go.
    static func zone(_ more: String = "", without: String...) -> String {
        let kept = sound.split(separator: "\n").filter { line in !without.contains { line.hasPrefix($0) } }
        return kept.joined(separator: "\n") + "\n" + more
    }

    static let published = KeyEvidence(.published, summary: "published at ns.example.com (192.0.2.53)")

    static func check(
        _ zone: String, _ records: DomainRecords, evidence: KeyEvidence = published
    ) async -> DomainRecordsDocument {
        await DomainRecordCheck(records, RecordTable(zone).lookup) { _ in evidence }.run()
    }

    static func check(_ zone: String, addresses: [String] = ["192.0.2.25"]) async throws
        -> DomainRecordsDocument
    {
        let key = try DomainFixture.key("s1", ed25519: false)
        return await check(zone, try DomainFixture.records(keys: [key], addresses: addresses))
    }

    static func lines(_ document: DomainRecordsDocument, _ kind: RecordKind) -> [String] {
        document.findings.filter { $0.kind == kind }.map { "\($0.status.rawValue) \($0.name): \($0.text)" }
    }
}
