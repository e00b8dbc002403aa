// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Relay
import Testing

@testable import CLI

@Suite("DNS records for people and programs") struct DnsTextTests {
    private let spf = WantedRecord(
        .spf, name: "example.com", value: "v=spf1 a:relay.example.com ~all", why: "says who may send")
    private let reports = WantedRecord(
        .tlsrpt, name: "_smtp._tls.example.com", value: "v=TLSRPTv1; rua=mailto:t@example.com",
        why: "tells of failures",
        isRequired: false)

    @Test("Records are printed to read, to paste, and a line each")
    func records() {
        #expect(
            DnsText.reading([spf, reports], summary: "mail leaves") == """
                Mail leaves.

                SPF: says who may send.
                  Name   example.com
                  Type   TXT
                  Value  v=spf1 a:relay.example.com ~all

                TLSRPT (optional): tells of failures.
                  Name   _smtp._tls.example.com
                  Type   TXT
                  Value  v=TLSRPTv1; rua=mailto:t@example.com

                """)
        #expect(
            DnsText.bind([spf, reports]) == """
                ; SPF: says who may send
                example.com. 3600 IN TXT "v=spf1 a:relay.example.com ~all"

                ; TLSRPT, optional: tells of failures
                _smtp._tls.example.com. 3600 IN TXT "v=TLSRPTv1; rua=mailto:t@example.com"

                """)
        #expect(DnsText.plain([spf]) == "example.com TXT v=spf1 a:relay.example.com ~all\n")
    }

    @Test("Findings stand below their kind, with what was found and what mends it")
    func findings() throws {
        let document = DomainRecordsDocument(
            domain: "example.com", summary: "mail leaves",
            findings: [
                RecordFinding(.mx, .ok, "example.com", "answers have a place to go", found: ["10 mail.example.com"]),
                RecordFinding(.spf, .problem, "example.com", "not there", remedy: "Publish the record.", wanted: spf),
                RecordFinding(.spf, .warning, "relay.example.com", "odd"),
            ])
        #expect(document.outcome == .problem)
        #expect(
            DnsText.check(document) == """
                Mail leaves.

                SPF
                  problem  example.com: not there
                           Publish the record.
                           example.com. 3600 IN TXT "v=spf1 a:relay.example.com ~all"
                  warning  relay.example.com: odd

                MX
                  ok       example.com: answers have a place to go
                           found: 10 mail.example.com

                1 problem, 1 warning

                """)
        let json = try JSONText.of(document)
        #expect(try JSONDecoder().decode(DomainRecordsDocument.self, from: Data(json.utf8)) == document)
        #expect(json.contains("\"outcome\" : \"problem\""))
    }

    @Test("Without findings there is nothing to mend")
    func nothing() {
        let document = DomainRecordsDocument(domain: "example.com", summary: "mail stays", findings: [])
        #expect(document.outcome == .ok)
        #expect(DnsText.check(document) == "Mail stays.\n\n0 problems, 0 warnings\n")
    }
}
