// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail
import Signing
import Testing

@testable import Relay

@Suite("Checking the records of a domain") struct DomainRecordCheckTests {
    @Test("What is as it should be is ok, in the order of the kinds")
    func sound() async throws {
        let document = try await CheckFixture.check(CheckFixture.sound)
        #expect(document.outcome == .ok, "\(document.findings)")
        #expect(document.findings.map(\.kind) == [.host, .ptr, .spf, .spf, .spf, .dkim, .dmarc, .mx, .mtaSTS, .tlsrpt])
        #expect(document.findings.allSatisfy { $0.remedy == nil })
        #expect(
            CheckFixture.lines(document, .spf).prefix(2) == [
                "ok example.com: one record, well-formed; 1 of 10 look-ups",
                "ok example.com: mail from 192.0.2.25 passes: a:relay.example.com of example.com matches",
            ])
    }

    @Test("An empty DNS has a problem of each needed kind, each with the record that mends it")
    func empty() async throws {
        let key = try DomainFixture.key("s1", ed25519: false)
        let records = try DomainFixture.records(keys: [key])
        let absent = KeyEvidence(.absent, summary: "no server has it", findings: ["ns.example.com: no such name"])
        let document = await CheckFixture.check("", records, evidence: absent)
        #expect(document.outcome == .problem)
        let problems = document.findings.filter { $0.status == .problem }
        #expect(problems.map(\.kind) == [.host, .ptr, .spf, .dkim, .dmarc, .mx])
        #expect(problems.allSatisfy { $0.remedy != nil })
        for finding in problems where finding.kind != .mx {
            let wanted = try #require(finding.wanted, "\(finding)")
            #expect(records.wanted.contains(wanted))
        }
    }

    @Test("A DNS that gives no answer is not a DNS without records")
    func silent() async throws {
        let zone = """
            relay.example.com TIMEOUT
            25.2.0.192.in-addr.arpa TIMEOUT
            example.com TIMEOUT
            _dmarc.example.com TIMEOUT
            _mta-sts.example.com TIMEOUT
            _smtp._tls.example.com TIMEOUT
            """
        let document = try await CheckFixture.check(zone)
        let open = document.findings.filter { $0.text.contains("it can't be looked up now: SERVFAIL") }
        #expect(open.map(\.kind) == [.host, .ptr, .spf, .spf, .dmarc, .mx, .mtaSTS, .tlsrpt])
        #expect(open.allSatisfy { $0.wanted == nil })
        #expect(document.outcome == .problem)
    }

    // MARK: The host

    @Test(
        "The name of the address and the name in EHLO must lead to each other",
        arguments: [
            (
                CheckFixture.zone("25.2.0.192.in-addr.arpa PTR nowhere.example", without: "25."),
                "problem 25.2.0.192.in-addr.arpa: 192.0.2.25 has the name nowhere.example, which does not lead back"
            ),
            (CheckFixture.zone(without: "25."), "problem 25.2.0.192.in-addr.arpa: 192.0.2.25 has no name"),
            (
                CheckFixture.zone(
                    "25.2.0.192.in-addr.arpa PTR host.example\nhost.example A 192.0.2.25", without: "25."),
                "warning 25.2.0.192.in-addr.arpa: 192.0.2.25 and host.example lead to each other, but EHLO says relay"
            ),
            (
                CheckFixture.zone("25.2.0.192.in-addr.arpa PTR late.example\nlate.example A TIMEOUT", without: "25."),
                "problem 25.2.0.192.in-addr.arpa: it can't be looked up now: SERVFAIL"
            ),
            (
                CheckFixture.zone("25.2.0.192.in-addr.arpa PTR other.example"),
                "ok 25.2.0.192.in-addr.arpa: 192.0.2.25 and relay.example.com lead to each other"
            ),
        ])
    func reverse(_ zone: String, _ words: String) async throws {
        let lines = CheckFixture.lines(try await CheckFixture.check(zone), .ptr)
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix(words) == true, "\(lines)")
    }

    @Test("Over IPv6 a missing name is what Gmail refuses, and it is said")
    func sixteen() async throws {
        let document = try await CheckFixture.check(
            CheckFixture.zone("relay.example.com AAAA 2001:db8::25"), addresses: ["192.0.2.25", "2001:db8::25"])
        let lines = CheckFixture.lines(document, .ptr)
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix("ok"))
        #expect(lines[1].hasPrefix("problem") && lines[1].contains("Gmail refuses all mail over IPv6 then"))
    }

    @Test("An address that the name in EHLO does not lead to is named, and does not pass SPF by that name")
    func otherAddress() async throws {
        let document = try await CheckFixture.check(
            CheckFixture.zone("26.2.0.192.in-addr.arpa PTR x.example"), addresses: ["192.0.2.26"])
        #expect(
            CheckFixture.lines(document, .host).first?.hasPrefix("warning relay.example.com: the name in EHLO does not")
                == true
        )
        let spf = document.findings.filter { $0.kind == .spf && $0.status == .problem }
        #expect(spf.count == 1)
        #expect(spf.first?.remedy?.contains("a:relay.example.com is in the record, and does not match") == true)
    }

    @Test("Without a known address those of the name in EHLO stand in")
    func unknownAddress() async throws {
        let document = try await CheckFixture.check(CheckFixture.sound, addresses: [])
        #expect(document.outcome == .warning)
        #expect(CheckFixture.lines(document, .host).contains { $0.contains("no public address of its own") })
        #expect(CheckFixture.lines(document, .ptr).first?.hasPrefix("ok") == true)
        #expect(CheckFixture.lines(document, .spf).contains { $0.contains("mail from 192.0.2.25 passes") })
    }

    @Test("A name that nobody else knows is a problem before the DNS is asked")
    func localName() async throws {
        let configuration = DomainFixture.configuration { $0.general.hostname = "localhost" }
        let document = await CheckFixture.check(CheckFixture.sound, try DomainFixture.records(configuration))
        #expect(
            CheckFixture.lines(document, .host).first?.hasPrefix("problem localhost: the name in EHLO is none") == true)
    }

    // MARK: SPF

    @Test(
        "What is wrong with SPF is said, with its consequence",
        arguments: [
            ("example.com TXT v=spf1 -all", "mail from 192.0.2.25 gets fail: -all of example.com matches"),
            ("example.com TXT v=spf1 ~all", "mail from 192.0.2.25 gets softfail"),
            ("example.com TXT v=spf1", "mail from 192.0.2.25 gets neutral"),
            ("example.com TXT v=spf1 a:relay.example.com -all\nexample.com TXT v=spf1 ~all", "2 SPF records where one"),
            ("example.com TXT v=spf1 ipv4:192.0.2.25 -all", "malformed, and receivers answer permerror"),
            ("example.com TXT v=spf1 +all", "lets every host of the world send"),
            ("example.com TXT v=spf1 include:none.example ~all", "leads to a name without an SPF record"),
            ("example.com TXT \"v=spf1 -all\"", "there is no SPF record; what looks like one does not begin"),
        ])
    func wrongSPF(_ line: String, _ words: String) async throws {
        let document = try await CheckFixture.check(CheckFixture.zone(line, without: "example.com TXT v=spf1"))
        let problems = document.findings.filter { $0.kind == .spf && $0.status == .problem }
        #expect(problems.contains { $0.text.contains(words) }, "\(CheckFixture.lines(document, .spf))")
    }

    @Test("The record that mends it keeps what is there, and holds what every way needs")
    func proposal() async throws {
        var mx = RouteSettings()
        mx.mx = true
        let configuration = DomainFixture.configuration {
            $0.routes = [
                mx, DomainFixture.smarthost("smtp.office365.com"), DomainFixture.smarthost("smtp.sendgrid.net:587"),
            ]
        }
        let zone = CheckFixture.zone(
            "example.com TXT v=spf1 include:e.example -all\ne.example TXT v=spf1 include:sendgrid.net ?all\n"
                + "sendgrid.net TXT v=spf1 ip4:198.51.100.0/24 ~all", without: "example.com TXT v=spf1")
        let document = await CheckFixture.check(zone, try DomainFixture.records(configuration))
        let problems = document.findings.filter { $0.kind == .spf && $0.status == .problem }
        #expect(problems.count == 2)
        for problem in problems {
            #expect(
                problem.wanted?.value
                    == "v=spf1 a:relay.example.com include:spf.protection.outlook.com include:e.example -all")
        }
        #expect(CheckFixture.lines(document, .spf).contains { $0.contains("mail through smtp.sendgrid.net passes") })
    }

    @Test(
        "The record of the name in EHLO is advice, unless it keeps this host out",
        arguments: [("v=spf1 a -all", "ok"), ("v=spf1 -all", "warning"), ("v=spf1 moo", "warning")])
    func hostRecord(_ record: String, _ status: String) async throws {
        let document = try await CheckFixture.check(CheckFixture.zone("relay.example.com TXT \(record)"))
        #expect(CheckFixture.lines(document, .spf).last?.hasPrefix("\(status) relay.example.com: ") == true)
    }

    @Test("A provider with a reverse-path of its own needs no place in the record yet")
    func replacedPath() async throws {
        let configuration = DomainFixture.configuration {
            $0.routes = [DomainFixture.smarthost("smtp.sendgrid.net:587")]
        }
        let key = try DomainFixture.key("s1", ed25519: false)
        let records = try DomainFixture.records(configuration, keys: [key])
        let document = await CheckFixture.check(CheckFixture.zone(without: "relay", "25."), records)
        #expect(document.outcome == .warning, "\(document.findings)")
        #expect(CheckFixture.lines(document, .host).isEmpty && CheckFixture.lines(document, .ptr).isEmpty)
        #expect(
            CheckFixture.lines(document, .spf).contains {
                $0.contains("include:sendgrid.net is missing; it is needed once")
            })
    }

    @Test("Another smarthost passes by its address, or may send from others")
    func genericSmarthost() async throws {
        let configuration = DomainFixture.configuration { $0.routes = [DomainFixture.smarthost("out.example.net")] }
        let records = try DomainFixture.records(configuration)
        let passing = await CheckFixture.check(
            CheckFixture.zone("out.example.net A 192.0.2.25", without: "25."), records)
        #expect(CheckFixture.lines(passing, .spf).contains { $0.hasPrefix("ok example.com: out.example.net passes") })
        let failing = await CheckFixture.check(
            CheckFixture.zone("out.example.net A 198.51.100.1", without: "25."), records)
        let warning = failing.findings.first { $0.kind == .spf && $0.status == .warning }
        #expect(warning?.wanted?.value == "v=spf1 a:out.example.net a:relay.example.com ~all", "\(failing.findings)")
        let local = DomainFixture.configuration { $0.routes = [DomainFixture.smarthost("127.0.0.1:25")] }
        let open = await CheckFixture.check(CheckFixture.sound, try DomainFixture.records(local))
        #expect(
            CheckFixture.lines(open, .spf).contains { $0.contains("where it reaches the Internet from is not known") })
    }

    @Test("Nothing is asked after the time is over")
    func late() async throws {
        let table = RecordTable(CheckFixture.sound)
        let lookup = RecordLookup(
            table, names: { address throws(DNSError) in try await table.names(of: address) }, timeLimit: .zero)
        let key = try DomainFixture.key("s1", ed25519: false)
        let records = try DomainFixture.records(keys: [key])
        let document = await DomainRecordCheck(records, lookup) { _ in CheckFixture.published }.run()
        #expect(document.outcome == .problem)
        #expect(document.findings.allSatisfy { $0.kind == .dkim || $0.text.contains("took too long to answer") })
    }
}
