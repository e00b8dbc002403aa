// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import TestSupport
import Testing

@testable import Relay

@Suite("SPF records and networks") struct SPFRecordTests {
    private static func fault(_ text: String) -> String? {
        do throws(SPFSyntaxError) {
            _ = try SPFRecord(Array(text.utf8))
            return nil
        } catch {
            return error.text
        }
    }

    @Test(
        "A fault names the term, and what is often meant",
        arguments: [
            ("v=spf1 ipv4:192.0.2.1 -all", "write ip4"), ("v=spf1 ip:192.0.2.1 -all", "write ip4"),
            ("v=spf1 ipv6:2001:db8::1 -all", "write ip6"), ("v=spf1 192.0.2.1 -all", "write ip4: or ip6: before"),
            ("v=spf1 a:192.0.2.1 -all", "for an address write ip4: or ip6:"),
            ("v=spf1 ip4:2001:db8::1 -all", "write ip6: before this address"),
            ("v=spf1 ip6:192.0.2.1 -all", "write ip4: before this address"),
            ("v=spf1 - all", "no space may stand behind"), ("v=spf1 include -all", "a colon and a name must follow"),
            ("v=spf1 all:x", "all takes nothing behind it"),
            ("v=spf1 ip4:192.0.2.1/99 -all", "a prefix length is a number from 0 to 32"),
            ("v=spf1 include:example", "does not end as a domain name does"),
            ("v=spf1 exists:%{d.example", "without its closing brace"),
            ("v=spf1 redirect=a.example redirect=b.example", "redirect= is there twice"),
            ("v=spf1 inclde:a.example", "there is no mechanism \"inclde\""), ("v=spf1 a:\u{FC}.example", "not ASCII"),
            ("v=spf1 a:%x.example", "%% stands for the character"),
        ])
    func faults(_ text: String, _ words: String) throws {
        let fault = try #require(Self.fault(text))
        #expect(fault.contains(words), "\(fault)")
    }

    @Test("A record is its directives in order, and what stands behind all is out of reach")
    func reading() throws {
        let record = try SPFRecord(
            Array("v=spf1 A/24//64 -mx:b.example ~all ip4:192.0.2.1 REDIRECT=c.example".utf8))
        #expect(record.directives.map(\.text) == ["A/24//64", "-mx:b.example", "~all", "ip4:192.0.2.1"])
        #expect(record.directives[0].mechanism == .a(nil, SPFPrefixes(ipv4: 24, ipv6: 64)))
        #expect(record.directives[1].qualifier == .fail)
        #expect(record.reachable.map(\.text) == ["A/24//64", "-mx:b.example", "~all"])
        #expect(record.redirect?.constant == "c.example")
        #expect(record.effectiveRedirect == nil)
        #expect(try SPFRecord(Array("v=spf1 redirect=c.example".utf8)).effectiveRedirect?.constant == "c.example")
    }

    @Test("Networks match bit by bit, as a slow comparison says", arguments: [UInt64.random(in: 0 ... .max)])
    func networks(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let count = Bool.random(using: &generator) ? 4 : 16
            let octets = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            var other = octets
            // Most pairs share their beginning.
            let bit = Int.random(in: 0..<count * 8, using: &generator)
            other[bit / 8] ^= 0x80 >> UInt8(bit % 8)
            let prefix = Int.random(in: 0...count * 8, using: &generator)
            let (left, right) = (try #require(IPAddress(octets: octets)), try #require(IPAddress(octets: other)))
            #expect(left.matches(right, prefix: prefix) == (prefix <= bit), "seed \(seed)")
            #expect(left.matches(left, prefix: prefix))
        }
    }

    @Test("Whatever stands in a record is read or refused, and never trips", arguments: [UInt64.random(in: 0 ... .max)])
    func anything(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let pieces = [
            "a", "mx", "ptr", "all", "include", "exists", "ip4", "ip6", "redirect", "exp", ":", "=", "/", "//", "24",
            "64", "%{", "}", "d", "ir", "%%", "%", "-", "~", "?", "+", ".", "h.example", "192.0.2.1", "2001:db8::1",
            " ",
            " ", "\u{7F}", "\u{FC}", "0",
        ]
        let address = try #require(IPAddress("192.0.2.1"))
        var sound = 0
        for _ in 0..<1000 {
            let count = Int.random(in: 0...10, using: &generator)
            let words = (0..<count).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &generator)] }.joined()
            let isSound = Self.fault("v=spf1 " + words) == nil
            if isSound { sound += 1 }
            // What the parser refuses is permerror, and nothing else is for its sake.
            guard words.utf8.allSatisfy({ $0 < 0x80 }) else { continue }
            var table = RecordTable("h.example A 192.0.2.1")
            table.add("d.example TXT v=spf1 \(words)")
            var evaluation = SPFEvaluation(table.lookup, address: address, sender: "x@d.example", helo: "h.example")
            let outcome = await evaluation.check()
            if !isSound { #expect(outcome.result == .permerror, "seed \(seed): \(words)") }
            #expect(outcome.result != .none && outcome.result != .temperror, "seed \(seed): \(words): \(outcome)")
        }
        #expect(sound > 20, "seed \(seed)")
    }

    // MARK: The record as a whole

    private static func survey(_ lines: String, _ domain: String = "d.example") async throws -> SPFSurvey {
        let table = RecordTable(lines)
        guard case .records(let texts) = try await table.txt(domain) else { throw DNSError.noData }
        var survey = SPFSurvey(table.lookup)
        await survey.take(try SPFRecord(texts[0]), of: domain)
        return survey
    }

    @Test("Look-ups are counted through all records, whoever sends")
    func counting() async throws {
        let survey = try await Self.survey(
            """
            d.example TXT v=spf1 include:a.example ip4:192.0.2.1 include:b.example redirect=c.example
            a.example TXT v=spf1 a:h.example mx:h.example exists:%{i}.x.example -all
            b.example TXT v=spf1 include:a.example ?all a:not.reached.example
            c.example TXT v=spf1 a:h.example ~all
            h.example A 192.0.2.1
            h.example MX 10 h.example
            """)
        // 2 includes, redirect, a.example twice with 3, include of b.example, a of c.example.
        #expect(survey.lookups == 3 + 6 + 1 + 1)
        #expect(survey.problems.count == 1)
        #expect(survey.problems.first?.contains("11 terms ask the DNS") == true)
        #expect(survey.warnings.isEmpty, "\(survey.warnings)")
        #expect(survey.admitted == ["a.example", "b.example", "c.example"])
    }

    @Test(
        "What every sender runs into is found, wherever it stands",
        arguments: [
            ("d.example TXT v=spf1 +all", "lets every host of the world send"),
            ("d.example TXT v=spf1 all", "lets every host of the world send"),
            ("d.example TXT v=spf1 include:e.example -all\ne.example TXT v=spf1 +all", "all of e.example lets every"),
            ("d.example TXT v=spf1 redirect=e.example\ne.example TXT v=spf1 +all", "all of e.example lets every"),
            ("d.example TXT v=spf1 ip4:0.0.0.0/0 -all", "lets a large part of the world send"),
            ("d.example TXT v=spf1 ip6:::/0 -all", "lets a large part of the world send"),
            ("d.example TXT v=spf1 ip4:128.0.0.0/1 ip4:0.0.0.0/1 -all", "lets a large part"),
            ("d.example TXT v=spf1 include:e.example -all", "leads to a name without an SPF record"),
            ("d.example TXT v=spf1 include:e.example -all\ne.example TXT other", "leads to 0 SPF records"),
            ("d.example TXT v=spf1 include:e.example -all\ne.example TXT v=spf1 moo", "leads to a malformed record"),
            ("d.example TXT v=spf1 include:d.example -all", "leads back to d.example"),
            (
                "d.example TXT v=spf1 include:e.example -all\ne.example TXT v=spf1 include:d.example -all",
                "include:d.example of e.example leads back"
            ),
            (
                "d.example TXT v=spf1 include:e.example -all\ne.example TXT v=spf1 -all\ne.example TXT v=spf1 ~all",
                "leads to 2 SPF records"
            ), ("d.example TXT v=spf1 a:x.example mx:y.example a:z.example -all", "3 terms find nothing"),
        ])
    func problems(_ lines: String, _ words: String) async throws {
        let survey = try await Self.survey(lines)
        #expect(survey.problems.contains { $0.contains(words) }, "\(survey.problems)")
    }

    @Test(
        "What is unwise is a warning and no problem",
        arguments: [
            ("d.example TXT v=spf1 ip4:192.0.2.1", "no all at its end"),
            ("d.example TXT v=spf1 ip4:192.0.2.1 ?all", "says nothing about hosts"),
            ("d.example TXT v=spf1 ptr -all", "should not be used"),
            ("d.example TXT v=spf1 a:x.example -all", "a:x.example of d.example finds nothing in the DNS"),
            ("d.example TXT v=spf1 include:e.example -all\ne.example TXT TIMEOUT", "can't be looked up: SERVFAIL"),
            ("d.example TXT v=spf1 a:e.example -all\ne.example A TIMEOUT", "can't be looked up: SERVFAIL"),
        ])
    func warnings(_ lines: String, _ words: String) async throws {
        let survey = try await Self.survey(lines)
        #expect(survey.problems.isEmpty, "\(survey.problems)")
        #expect(survey.warnings.count == 1)
        #expect(survey.warnings.first?.contains(words) == true, "\(survey.warnings)")
    }

    @Test(
        "A sound record gives neither",
        arguments: [
            "d.example TXT v=spf1 -all", "d.example TXT v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all",
            "d.example TXT v=spf1 redirect=e.example\ne.example TXT v=spf1 -all",
            // The all of another record stands for nothing but its pass.
            "d.example TXT v=spf1 include:e.example -all\ne.example TXT v=spf1 ip4:192.0.2.1 ?all",
            "d.example TXT v=spf1 -include:e.example ~all\ne.example TXT v=spf1 +all",
            "d.example TXT v=spf1 include:%{l}.e.example -all",
        ])
    func sound(_ lines: String) async throws {
        let survey = try await Self.survey(lines)
        #expect(survey.problems.isEmpty && survey.warnings.isEmpty, "\(survey.problems) \(survey.warnings)")
    }

    @Test("A tree of records without end is read to a limit")
    func endless() async throws {
        var table = RecordTable("")
        for index in 0..<200 {
            table.add(
                "e\(index).example TXT v=spf1 include:e\(index * 2 + 1).example include:e\(index * 2 + 2).example")
        }
        var survey = SPFSurvey(table.lookup)
        await survey.take(try SPFRecord(Array("v=spf1 include:e0.example -all".utf8)), of: "d.example")
        #expect(survey.lookups > 10 && survey.lookups < 100)
        #expect(survey.problems.contains { $0.contains("terms ask the DNS") })
    }
}
