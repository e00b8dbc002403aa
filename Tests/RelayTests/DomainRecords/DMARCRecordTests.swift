// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import TestSupport
import Testing

@testable import Relay

@Suite("DMARC records (RFC 9989)") struct DMARCRecordTests {
    @Test(
        "A record begins with v=DMARC1, in just these letters",
        arguments: [
            ("v=DMARC1", true), ("v=DMARC1;p=none", true), (" v = DMARC1 ; p = none ;", true), ("V=DMARC1;", false),
            ("v=dmarc1; p=none", false), ("v=DMARC2; p=none", false), ("p=none; v=DMARC1", false), ("", false),
            ("v=spf1 -all", false), ("v=DMARC1 p=none", false), (";v=DMARC1", false),
        ])
    func version(_ text: String, _ isRecord: Bool) {
        #expect((DMARCRecord(text) != nil) == isRecord)
        #expect((TreeWalk.Record(Array(text.utf8)) != nil) == isRecord)
    }

    @Test("All tags are read, and a sound record has no faults")
    func sound() throws {
        let record = try #require(
            DMARCRecord(
                "v=DMARC1; rua=mailto:a@example.com,mailto:b@example.org; ruf=mailto:c@example.com; p=Reject; "
                    + "sp=quarantine; np=reject; t=y; adkim=s; aspf=s; psd=n; fo=1:d:s"))
        #expect(record.faults.isEmpty && record.notes.isEmpty, "\(record.faults) \(record.notes)")
        #expect(record.policy == .reject && record.subdomainPolicy == .quarantine)
        #expect(record.isTesting && record.hasStrictSPF)
        #expect(record.destinations.map(\.mailbox?.description) == ["a@example.com", "b@example.org"])
        #expect(record.failureDestinations.map(\.mailbox?.description) == ["c@example.com"])
        #expect(record.effectivePolicy(isBelow: false) == .reject)
        #expect(record.effectivePolicy(isBelow: true) == .quarantine)
    }

    @Test(
        "What receivers ignore is named",
        arguments: [
            ("p=all", "p=all is none of none, quarantine and reject"), ("p=none; sp=no", "sp=no is none of"),
            ("p=none; adkim=relaxed", "adkim=relaxed is none of r, s"), ("p=none; t=yes", "t=yes is none of y, n"),
            ("p=none; psd=x", "psd=x is none of y, n, u"), ("p=none; fo=0:1", "fo=0:1 is no list"),
            ("p=none; fo=d:d", "fo=d:d is no list"),
            ("p=none; rua=a@example.com", "\"a@example.com\", which is no URI"),
            ("p=none; rua=mailto:", "which is no URI"), ("p=none; rua=mailto:nobody", "which is no URI"),
            ("p=none; rua=mailto:a@example.com,", "\"\", which is no URI"),
            ("p=none; noreply", "\"noreply\" is no tag"),
            ("p=none; p=reject", "p= is there more than once"),
        ])
    func faults(_ tags: String, _ words: String) throws {
        let record = try #require(DMARCRecord("v=DMARC1; " + tags))
        #expect(record.faults.contains { $0.contains(words) }, "\(record.faults)")
    }

    @Test(
        "What has no effect any more is noted, and no fault",
        arguments: [
            ("pct=50", "pct= has no meaning any more"), ("rf=afrf", "rf= has no meaning"), ("ri=86400", "ri= has no"),
            ("rua=mailto:a@example.com!10m", "limits the size of reports (!10m)"), ("fo=1", "no effect without ruf="),
            ("rua=https://example.com/", "receivers need to support mailto: only"), ("foo=bar", "foo= is unknown"),
        ])
    func notes(_ tags: String, _ words: String) throws {
        let record = try #require(DMARCRecord("v=DMARC1; p=none; " + tags))
        #expect(record.faults.isEmpty)
        #expect(record.notes.count == 1)
        #expect(record.notes.first?.contains(words) == true, "\(record.notes)")
    }

    @Test(
        "A record without a valid policy counts as p=none where reports are asked for, else not at all (§4.10.1)",
        arguments: [
            ("p=none", true), ("", false), ("p=all", false), ("rua=mailto:a@example.com", true),
            ("p=all; rua=mailto:a@example.com", true), ("p=reject; sp=x", false), ("p=reject; rua=a", true),
            ("p=reject; np=x; rua=mailto:a@example.com", true),
        ])
    func usability(_ tags: String, _ isUsable: Bool) throws {
        let record = try #require(DMARCRecord("v=DMARC1; " + tags))
        #expect(record.isUsable == isUsable)
        let isSpoiled = tags.contains("=x") || tags.contains("all")
        if isSpoiled { #expect(record.effectivePolicy(isBelow: false) == .none) }
    }

    @Test("Whatever stands in a record is read, and never trips", arguments: [UInt64.random(in: 0 ... .max)])
    func anything(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let pieces = [
            "p", "sp", "rua", "fo", "=", "=", ";", ";", ":", ",", "!", "mailto:", "a@example.com", "none", "reject",
            "0",
            "d", " ", "\t", "\u{0}", "\u{FC}", "pct",
        ]
        for _ in 0..<1000 {
            let count = Int.random(in: 0...14, using: &generator)
            let text = (0..<count).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &generator)] }.joined()
            let record = DMARCRecord("v=DMARC1;" + text)
            guard let record else {
                Issue.record("seed \(seed): \(text)")
                continue
            }
            let policy = record.effectivePolicy(isBelow: false)
            #expect(policy == .none || policy == record.policy, "seed \(seed): \(text)")
        }
    }
}
