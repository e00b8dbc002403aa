// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail
import Signing
import Testing

@testable import Relay

@Suite("Checking the records of a domain") struct DomainRecordCheckTests {
    /// All that example.com needs, and nothing more.
    private static let sound = """
        relay.example.com A 192.0.2.25
        25.2.0.192.in-addr.arpa PTR relay.example.com
        example.com TXT v=spf1 a:relay.example.com ~all
        example.com TXT another text
        example.com MX 10 mail.example.com
        mail.example.com A 192.0.2.30
        _dmarc.example.com TXT v=DMARC1; p=quarantine; rua=mailto:reports@example.com
        """

    /// The sound records with some lines replaced: those that begin as one of `without` does go.
    private static func zone(_ more: String = "", without: String...) -> String {
        let kept = sound.split(separator: "\n").filter { line in !without.contains { line.hasPrefix($0) } }
        return kept.joined(separator: "\n") + "\n" + more
    }

    private static let published = KeyEvidence(.published, summary: "published at ns.example.com (192.0.2.53)")

    private static func check(
        _ zone: String, _ records: DomainRecords, evidence: KeyEvidence = published
    ) async -> DomainRecordsDocument {
        await DomainRecordCheck(records, RecordTable(zone).lookup) { _ in evidence }.run()
    }

    private static func check(_ zone: String, addresses: [String] = ["192.0.2.25"]) async throws
        -> DomainRecordsDocument
    {
        let key = try DomainFixture.key("s1", ed25519: false)
        return await check(zone, try DomainFixture.records(keys: [key], addresses: addresses))
    }

    private static func lines(_ document: DomainRecordsDocument, _ kind: RecordKind) -> [String] {
        document.findings.filter { $0.kind == kind }.map { "\($0.status.rawValue) \($0.name): \($0.text)" }
    }

    @Test("What is as it should be is ok, in the order of the kinds")
    func sound() async throws {
        let document = try await Self.check(Self.sound)
        #expect(document.outcome == .ok, "\(document.findings)")
        #expect(document.findings.map(\.kind) == [.host, .ptr, .spf, .spf, .spf, .dkim, .dmarc, .mx, .mtaSTS, .tlsrpt])
        #expect(document.findings.allSatisfy { $0.remedy == nil })
        #expect(
            Self.lines(document, .spf).prefix(2) == [
                "ok example.com: one record, well-formed; 1 of 10 look-ups",
                "ok example.com: mail from 192.0.2.25 passes: a:relay.example.com of example.com matches",
            ])
    }

    @Test("An empty DNS has a problem of each needed kind, each with the record that mends it")
    func empty() async throws {
        let key = try DomainFixture.key("s1", ed25519: false)
        let records = try DomainFixture.records(keys: [key])
        let absent = KeyEvidence(.absent, summary: "no server has it", findings: ["ns.example.com: no such name"])
        let document = await Self.check("", records, evidence: absent)
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
        let document = try await Self.check(zone)
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
                zone("25.2.0.192.in-addr.arpa PTR nowhere.example", without: "25."),
                "problem 25.2.0.192.in-addr.arpa: 192.0.2.25 has the name nowhere.example, which does not lead back"
            ),
            (zone(without: "25."), "problem 25.2.0.192.in-addr.arpa: 192.0.2.25 has no name"),
            (
                zone("25.2.0.192.in-addr.arpa PTR host.example\nhost.example A 192.0.2.25", without: "25."),
                "warning 25.2.0.192.in-addr.arpa: 192.0.2.25 and host.example lead to each other, but EHLO says relay"
            ),
            (
                zone("25.2.0.192.in-addr.arpa PTR late.example\nlate.example A TIMEOUT", without: "25."),
                "problem 25.2.0.192.in-addr.arpa: it can't be looked up now: SERVFAIL"
            ),
            (
                zone("25.2.0.192.in-addr.arpa PTR other.example"),
                "ok 25.2.0.192.in-addr.arpa: 192.0.2.25 and relay.example.com lead to each other"
            ),
        ])
    func reverse(_ zone: String, _ words: String) async throws {
        let lines = Self.lines(try await Self.check(zone), .ptr)
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix(words) == true, "\(lines)")
    }

    @Test("Over IPv6 a missing name is what Gmail refuses, and it is said")
    func sixteen() async throws {
        let document = try await Self.check(
            Self.zone("relay.example.com AAAA 2001:db8::25"), addresses: ["192.0.2.25", "2001:db8::25"])
        let lines = Self.lines(document, .ptr)
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix("ok"))
        #expect(lines[1].hasPrefix("problem") && lines[1].contains("Gmail refuses all mail over IPv6 then"))
    }

    @Test("An address that the name in EHLO does not lead to is named, and does not pass SPF by that name")
    func otherAddress() async throws {
        let document = try await Self.check(
            Self.zone("26.2.0.192.in-addr.arpa PTR x.example"), addresses: ["192.0.2.26"])
        #expect(
            Self.lines(document, .host).first?.hasPrefix("warning relay.example.com: the name in EHLO does not") == true
        )
        let spf = document.findings.filter { $0.kind == .spf && $0.status == .problem }
        #expect(spf.count == 1)
        #expect(spf.first?.remedy?.contains("a:relay.example.com is in the record, and does not match") == true)
    }

    @Test("Without a known address those of the name in EHLO stand in")
    func unknownAddress() async throws {
        let document = try await Self.check(Self.sound, addresses: [])
        #expect(document.outcome == .warning)
        #expect(Self.lines(document, .host).contains { $0.contains("no public address of its own") })
        #expect(Self.lines(document, .ptr).first?.hasPrefix("ok") == true)
        #expect(Self.lines(document, .spf).contains { $0.contains("mail from 192.0.2.25 passes") })
    }

    @Test("A name that nobody else knows is a problem before the DNS is asked")
    func localName() async throws {
        let configuration = DomainFixture.configuration { $0.general.hostname = "localhost" }
        let document = await Self.check(Self.sound, try DomainFixture.records(configuration))
        #expect(Self.lines(document, .host).first?.hasPrefix("problem localhost: the name in EHLO is none") == true)
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
        let document = try await Self.check(Self.zone(line, without: "example.com TXT v=spf1"))
        let problems = document.findings.filter { $0.kind == .spf && $0.status == .problem }
        #expect(problems.contains { $0.text.contains(words) }, "\(Self.lines(document, .spf))")
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
        let zone = Self.zone(
            "example.com TXT v=spf1 include:e.example -all\ne.example TXT v=spf1 include:sendgrid.net ?all\n"
                + "sendgrid.net TXT v=spf1 ip4:198.51.100.0/24 ~all", without: "example.com TXT v=spf1")
        let document = await Self.check(zone, try DomainFixture.records(configuration))
        let problems = document.findings.filter { $0.kind == .spf && $0.status == .problem }
        #expect(problems.count == 2)
        for problem in problems {
            #expect(
                problem.wanted?.value
                    == "v=spf1 a:relay.example.com include:spf.protection.outlook.com include:e.example -all")
        }
        #expect(Self.lines(document, .spf).contains { $0.contains("mail through smtp.sendgrid.net passes") })
    }

    @Test("A provider with a reverse-path of its own needs no place in the record yet")
    func replacedPath() async throws {
        let configuration = DomainFixture.configuration {
            $0.routes = [DomainFixture.smarthost("smtp.sendgrid.net:587")]
        }
        let key = try DomainFixture.key("s1", ed25519: false)
        let records = try DomainFixture.records(configuration, keys: [key])
        let document = await Self.check(Self.zone(without: "relay", "25."), records)
        #expect(document.outcome == .warning, "\(document.findings)")
        #expect(Self.lines(document, .host).isEmpty && Self.lines(document, .ptr).isEmpty)
        #expect(
            Self.lines(document, .spf).contains { $0.contains("include:sendgrid.net is missing; it is needed once") })
    }

    @Test("Another smarthost passes by its address, or may send from others")
    func genericSmarthost() async throws {
        let configuration = DomainFixture.configuration { $0.routes = [DomainFixture.smarthost("out.example.net")] }
        let records = try DomainFixture.records(configuration)
        let passing = await Self.check(
            Self.zone("out.example.net A 192.0.2.25", without: "25."), records)
        #expect(Self.lines(passing, .spf).contains { $0.hasPrefix("ok example.com: out.example.net passes") })
        let failing = await Self.check(Self.zone("out.example.net A 198.51.100.1", without: "25."), records)
        let warning = failing.findings.first { $0.kind == .spf && $0.status == .warning }
        #expect(warning?.wanted?.value == "v=spf1 a:out.example.net a:relay.example.com ~all", "\(failing.findings)")
        let local = DomainFixture.configuration { $0.routes = [DomainFixture.smarthost("127.0.0.1:25")] }
        let open = await Self.check(Self.sound, try DomainFixture.records(local))
        #expect(Self.lines(open, .spf).contains { $0.contains("where it reaches the Internet from is not known") })
    }

    // MARK: DKIM

    @Test(
        "A key's record is judged by the state of the key",
        arguments: [
            (KeyState.active, KeyEvidence.Verdict.published, RecordFinding.Status.ok), (.active, .absent, .problem),
            (.active, .wrong, .problem), (.active, .revoked, .problem), (.active, .unknown, .warning),
            (.retiring, .published, .ok), (.retiring, .absent, .problem), (.published, .published, .ok),
            (.published, .absent, .problem), (.generated, .published, .ok), (.generated, .absent, .warning),
            (.generated, .wrong, .problem), (.revoked, .revoked, .ok), (.revoked, .absent, .ok),
            (.revoked, .published, .problem), (.revoked, .wrong, .warning), (.compromised, .published, .problem),
            (.compromised, .revoked, .ok), (.compromised, .unknown, .warning),
        ])
    func keys(_ state: KeyState, _ verdict: KeyEvidence.Verdict, _ status: RecordFinding.Status) throws {
        let key = try DomainFixture.key("s1", state)
        let finding = DKIMCheck.judge(key, KeyEvidence(verdict, summary: "s", findings: ["f"]))
        #expect(finding.status == status, "\(finding)")
        #expect(finding.name == "s1._domainkey.example.com")
        #expect((finding.wanted != nil) == (finding.remedy != nil))
        if status == .problem { #expect(finding.wanted == DomainRecords.record(key)) }
    }

    @Test("What a server sent is shown without control characters, and what it warns of is a warning")
    func evidence() throws {
        let key = try DomainFixture.key("s1")
        let wrong = DKIMCheck.judge(key, KeyEvidence(.wrong, summary: "x", findings: ["\u{1B}[2J\u{202E}"]))
        #expect(wrong.found == ["?[2J???"])
        let testing = DKIMCheck.judge(key, KeyEvidence(.published, summary: "x", warnings: ["t=y"]))
        #expect(testing.status == .warning && testing.found == ["t=y"])
    }

    @Test("A domain without an active key is told which command comes next")
    func inactive() async throws {
        let none = await Self.check(Self.sound, try DomainFixture.records())
        let first = none.findings.first { $0.kind == .dkim }
        #expect(first?.status == .problem && first?.remedy == "Run: waxwing keys generate example.com")
        let waiting = await Self.check(
            Self.sound, try DomainFixture.records(keys: [try DomainFixture.key("s2", .published)]))
        #expect(
            waiting.findings.first { $0.kind == .dkim }?.remedy
                == "Run: waxwing keys activate example.com --selector s2")
        let configuration = DomainFixture.configuration {
            var settings = DomainSettings()
            settings.name = "example.com"
            settings.isUnsigned = true
            $0.domains = [settings]
        }
        let unsigned = await Self.check(Self.sound, try DomainFixture.records(configuration))
        #expect(
            Self.lines(unsigned, .dkim) == [
                "warning example.com: the configuration lets its mail leave without signatures"
            ])
    }

    @Test("Ed25519 alone, and short RSA keys, are warned of")
    func weak() async throws {
        let alone = await Self.check(Self.sound, try DomainFixture.records(keys: [try DomainFixture.key("s1")]))
        #expect(Self.lines(alone, .dkim).first?.contains("only an Ed25519 key signs") == true)
        var short = try DomainFixture.key("s1")
        short.algorithm = "rsa-1024"
        let weak = await Self.check(Self.sound, try DomainFixture.records(keys: [short]))
        #expect(Self.lines(weak, .dkim).first?.contains("has 1024 bits") == true)
    }

    @Test(
        "A signing domain above must be aligned with the author domain",
        arguments: [
            ("_dmarc.example.com TXT v=DMARC1; p=none; rua=mailto:r@example.com", RecordFinding.Status.ok),
            ("_dmarc.example.com TXT v=DMARC1; p=none; adkim=s; rua=mailto:r@example.com", .problem),
            ("_dmarc.example.com TXT TIMEOUT", .warning),
        ])
    func alignment(_ line: String, _ status: RecordFinding.Status) async throws {
        let key = try DomainFixture.key("s1", ed25519: false)
        let records = try DomainFixture.records(keys: [key], domain: "news.example.com")
        let document = await Self.check(Self.zone(line, without: "_dmarc"), records)
        let finding = document.findings.last { $0.kind == .dkim }
        #expect(finding?.status == status, "\(document.findings)")
        #expect(finding?.text.hasPrefix("signed as example.com: ") == true)
    }

    // MARK: DMARC

    @Test(
        "What holds for the domain is said",
        arguments: [
            ("v=DMARC1; p=none; rua=mailto:r@example.com", "ok _dmarc.example.com: p=none: receivers only report"),
            ("v=DMARC1; p=reject; rua=mailto:r@example.com", "ok _dmarc.example.com: receivers refuse mail"),
            ("v=DMARC1; p=reject; t=y; rua=mailto:r@example.com", "ok _dmarc.example.com: receivers refuse mail that"),
            ("v=DMARC1; p=none", "warning _dmarc.example.com: no reports are asked for"),
            ("v=DMARC1; p=none; pct=50; rua=mailto:r@example.com", "warning _dmarc.example.com: pct= has no meaning"),
            (
                "v=DMARC1; rua=mailto:r@example.com",
                "warning _dmarc.example.com: without a valid p= receivers take p=none"
            ),
            ("v=DMARC1; p=x", "problem _dmarc.example.com: it has no valid p= and no rua="),
            ("v=dmarc1; p=none", "problem _dmarc.example.com: no DMARC record holds for the domain"),
            (
                "v=DMARC1; p=none; aspf=s; rua=mailto:r@example.com",
                "warning _dmarc.example.com: aspf=s: SPF counts only"
            ),
            (
                "v=DMARC1; p=none; adkim=x; rua=mailto:r@example.com",
                "warning _dmarc.example.com: receivers ignore what"
            ),
        ])
    func policy(_ record: String, _ words: String) async throws {
        let document = try await Self.check(Self.zone("_dmarc.example.com TXT \(record)", without: "_dmarc"))
        let lines = Self.lines(document, .dmarc)
        #expect(lines.contains { $0.hasPrefix(words) }, "\(lines)")
    }

    @Test("Of two records none counts, and what stands above holds instead")
    func several() async throws {
        let document = try await Self.check(Self.zone("_dmarc.example.com TXT v=DMARC1; p=none"))
        #expect(Self.lines(document, .dmarc).count == 1)
        #expect(
            Self.lines(document, .dmarc)[0].hasPrefix("problem _dmarc.example.com: 2 DMARC records where one may be"))
    }

    @Test("The record of the organization holds for domains below it, with the policy for those")
    func above() async throws {
        let key = try DomainFixture.key("s1", of: "news.example.com", ed25519: false)
        let records = try DomainFixture.records(
            keys: [key], sdid: "news.example.com", domain: "news.example.com")
        let zone = Self.zone(
            "_dmarc.example.com TXT v=DMARC1; p=reject; sp=none; rua=mailto:r@example.com", without: "_dmarc")
        let lines = Self.lines(await Self.check(zone, records), .dmarc)
        #expect(lines.count == 1)
        #expect(
            lines[0].hasPrefix("ok _dmarc.example.com: the record of example.com holds for the domain: p=none"),
            "\(lines)")
    }

    @Test("Another organization must agree to get the reports")
    func strangers() async throws {
        let line = "_dmarc.example.com TXT v=DMARC1; p=none; rua=mailto:a@reports.example,mailto:b@in.example.com"
        let refused = try await Self.check(Self.zone(line, without: "_dmarc"))
        let finding = refused.findings.first { $0.kind == .dmarc && $0.status == .warning }
        #expect(finding?.name == "example.com._report._dmarc.reports.example")
        #expect(finding?.wanted?.zoneLine == "example.com._report._dmarc.reports.example. 3600 IN TXT \"v=DMARC1\"")
        let agreed = try await Self.check(
            Self.zone(line + "\nexample.com._report._dmarc.reports.example TXT v=DMARC1", without: "_dmarc"))
        #expect(Self.lines(agreed, .dmarc).count == 1)
        #expect(agreed.outcome == .ok)
    }

    // MARK: Receiving

    @Test(
        "The domain must take answers",
        arguments: [
            (
                zone("example.com MX 0", without: "example.com MX"),
                "problem example.com: the domain says that it takes no"
            ),
            (zone("example.com A 192.0.2.1", without: "example.com MX"), "warning example.com: there is no MX record"),
            (zone(without: "example.com MX"), "problem example.com: the domain has neither MX record nor address"),
        ])
    func mx(_ zone: String, _ words: String) async throws {
        let lines = Self.lines(try await Self.check(zone), .mx)
        #expect(lines.count == 1)
        #expect(lines[0].hasPrefix(words), "\(lines)")
    }

    @Test(
        "MTA-STS and TLSRPT are judged where they are",
        arguments: [
            ("_mta-sts.example.com TXT v=STSv1; id=20260101;", RecordKind.mtaSTS, "warning", "has no address"),
            ("_mta-sts.example.com TXT v=STSv1; id=1\nmta-sts.example.com A 192.0.2.1", .mtaSTS, "ok", "well-formed"),
            ("_mta-sts.example.com TXT v=STSv1; id=a-b", .mtaSTS, "warning", "1 to 32 letters and digits"),
            ("_mta-sts.example.com TXT v=STSv1", .mtaSTS, "warning", "it has no id="),
            ("_mta-sts.example.com TXT v=STSv1 id=1", .mtaSTS, "warning", "does not begin with v=STSv1 and a"),
            (
                "_mta-sts.example.com TXT v=STSv1; id=1\n_mta-sts.example.com TXT v=STSv1; id=2", .mtaSTS, "warning",
                "2 rec"
            ),
            (
                "_smtp._tls.example.com TXT v=TLSRPTv1; rua=mailto:a@example.com,https://x.example/", .tlsrpt, "ok",
                "well"
            ),
            ("_smtp._tls.example.com TXT v=TLSRPTv1; rua=a@example.com", .tlsrpt, "warning", "something else than"),
            ("_smtp._tls.example.com TXT v=TLSRPTv1;", .tlsrpt, "warning", "it has no rua="),
        ])
    func optional(_ lines: String, _ kind: RecordKind, _ status: String, _ words: String) async throws {
        let found = Self.lines(try await Self.check(Self.zone(lines)), kind)
        #expect(found.count == 1)
        #expect(found[0].hasPrefix(status) && found[0].contains(words), "\(found)")
    }

    @Test("Nothing is asked after the time is over")
    func late() async throws {
        let table = RecordTable(Self.sound)
        let lookup = RecordLookup(
            table, names: { address throws(DNSError) in try await table.names(of: address) }, timeLimit: .zero)
        let key = try DomainFixture.key("s1", ed25519: false)
        let records = try DomainFixture.records(keys: [key])
        let document = await DomainRecordCheck(records, lookup) { _ in Self.published }.run()
        #expect(document.outcome == .problem)
        #expect(document.findings.allSatisfy { $0.kind == .dkim || $0.text.contains("took too long to answer") })
    }
}
