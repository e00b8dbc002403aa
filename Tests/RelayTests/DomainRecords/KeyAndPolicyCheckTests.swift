// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail
import Signing
import Synchronization
import Testing

@testable import Relay

@Suite("Checking keys, policies and what the domain takes") struct KeyAndPolicyCheckTests {
    // MARK: DKIM

    @Test(
        "A key's record is judged by the state of the key",
        arguments: [
            (KeyState.active, KeyEvidence.Verdict.published, RecordFinding.Status.ok), (.active, .absent, .problem),
            (.active, .wrong, .problem), (.active, .revoked, .problem), (.active, .unknown, .warning),
            (.retiring, .published, .ok), (.retiring, .revoked, .ok), (.retiring, .absent, .problem),
            (.published, .published, .ok),
            (.published, .absent, .problem), (.generated, .published, .ok), (.generated, .absent, .warning),
            (.generated, .wrong, .problem), (.revoked, .revoked, .ok), (.revoked, .absent, .ok),
            (.revoked, .published, .problem), (.revoked, .wrong, .problem), (.compromised, .published, .problem),
            (.compromised, .revoked, .ok), (.compromised, .unknown, .warning),
        ])
    func keys(_ state: KeyState, _ verdict: KeyEvidence.Verdict, _ status: RecordFinding.Status) throws {
        let key = try DomainFixture.key("s1", state)
        let wanted = try #require(try DomainFixture.records().record(of: key))
        let evidence = KeyEvidence(verdict, summary: "s", findings: ["f"])
        let finding = DKIMCheck.judge(key, evidence, wanted: wanted)
        #expect(finding.status == status, "\(finding)")
        #expect(finding.name == "s1._domainkey.example.com")
        #expect((finding.wanted != nil) == (finding.remedy != nil))
        if status == .problem { #expect(finding.wanted == wanted) }
        // Both commands are of one mind about what is wrong.
        let isAsWanted = Signing.KeyDocument(key, seen: evidence, at: key.stateTime).isAsWanted
        #expect((status == .problem) == (!isAsWanted && verdict != .unknown))
    }

    @Test("What a server sent is shown without control characters, and what it warns of is a warning")
    func evidence() throws {
        let key = try DomainFixture.key("s1")
        let wrong = DKIMCheck.judge(
            key, KeyEvidence(.wrong, summary: "x", findings: ["\u{1B}[2J\u{202E}"]), wanted: nil)
        #expect(wrong.found == ["?[2J???"])
        let testing = DKIMCheck.judge(
            key, KeyEvidence(.published, summary: "x", warnings: ["t=y"]), wanted: nil)
        #expect(testing.status == .warning && testing.found == ["t=y"])
    }

    @Test("A domain without an active key is told which command comes next")
    func inactive() async throws {
        let none = await CheckFixture.check(CheckFixture.sound, try DomainFixture.records())
        let first = none.findings.first { $0.kind == .dkim }
        #expect(first?.status == .problem && first?.remedy == "Run: waxwing keys generate example.com")
        let waiting = await CheckFixture.check(
            CheckFixture.sound, try DomainFixture.records(keys: [try DomainFixture.key("s2", .published)]))
        #expect(
            waiting.findings.first { $0.kind == .dkim }?.remedy
                == "Run: waxwing keys activate example.com --selector s2")
        let configuration = DomainFixture.configuration {
            var settings = DomainSettings()
            settings.name = "example.com"
            settings.isUnsigned = true
            $0.domains = [settings]
        }
        let unsigned = await CheckFixture.check(CheckFixture.sound, try DomainFixture.records(configuration))
        #expect(
            CheckFixture.lines(unsigned, .dkim) == [
                "warning example.com: the configuration lets its mail leave without signatures"
            ])
    }

    @Test("What keeps credentials from being known is said, and worse than a note only while a daemon runs")
    func limit() async throws {
        for (limit, status) in [(KnownKeys.Limit.noDaemon, "ok"), (.noAnswer("no permission"), "warning")] {
            var records = try DomainFixture.records(keys: [try DomainFixture.key("s1", ed25519: false)])
            records.keys.limit = limit
            let lines = CheckFixture.lines(await CheckFixture.check(CheckFixture.sound, records), .dkim)
            #expect(lines.count == 2)
            #expect(lines[1] == "\(status) example.com: \(limit.text)")
        }
    }

    @Test("An active key of a kind that algorithms leaves out does not sign")
    func excluded() async throws {
        var records = try DomainFixture.records()
        records.keys.excluded = [try DomainFixture.key("s1", ed25519: false)]
        records.keys.algorithms = [.ed25519]
        let document = await CheckFixture.check(CheckFixture.sound, records)
        let findings = document.findings.filter { $0.kind == .dkim }
        #expect(findings.map(\.status) == [.problem, .ok])
        #expect(findings[0].text.hasPrefix("algorithms in the configuration leaves the kind of its active key out"))
        #expect(findings[0].remedy == "Run: waxwing keys generate example.com --algorithm ed25519")
    }

    @Test("Ed25519 alone, and short RSA keys, are warned of")
    func weak() async throws {
        let alone = await CheckFixture.check(
            CheckFixture.sound, try DomainFixture.records(keys: [try DomainFixture.key("s1")]))
        #expect(CheckFixture.lines(alone, .dkim).first?.contains("only an Ed25519 key signs") == true)
        var short = try DomainFixture.key("s1")
        short.algorithm = "rsa-1024"
        let weak = await CheckFixture.check(CheckFixture.sound, try DomainFixture.records(keys: [short]))
        #expect(CheckFixture.lines(weak, .dkim).first?.contains("has 1024 bits") == true)
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
        let document = await CheckFixture.check(CheckFixture.zone(line, without: "_dmarc"), records)
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
        let document = try await CheckFixture.check(
            CheckFixture.zone("_dmarc.example.com TXT \(record)", without: "_dmarc"))
        let lines = CheckFixture.lines(document, .dmarc)
        #expect(lines.contains { $0.hasPrefix(words) }, "\(lines)")
    }

    @Test("Of two records none counts, and what stands above holds instead")
    func several() async throws {
        let document = try await CheckFixture.check(CheckFixture.zone("_dmarc.example.com TXT v=DMARC1; p=none"))
        #expect(CheckFixture.lines(document, .dmarc).count == 1)
        #expect(
            CheckFixture.lines(document, .dmarc)[0].hasPrefix(
                "problem _dmarc.example.com: 2 DMARC records where one may be"))
    }

    @Test("The record of the organization holds for domains below it, with the policy for those")
    func above() async throws {
        let key = try DomainFixture.key("s1", of: "news.example.com", ed25519: false)
        let records = try DomainFixture.records(
            keys: [key], sdid: "news.example.com", domain: "news.example.com")
        let zone = CheckFixture.zone(
            "_dmarc.example.com TXT v=DMARC1; p=reject; sp=none; rua=mailto:r@example.com", without: "_dmarc")
        let lines = CheckFixture.lines(await CheckFixture.check(zone, records), .dmarc)
        #expect(lines.count == 1)
        #expect(
            lines[0].hasPrefix("ok _dmarc.example.com: the record of example.com holds for the domain: p=none"),
            "\(lines)")
    }

    @Test("Each name is asked for its DMARC record once")
    func questions() async throws {
        let key = try DomainFixture.key("s1", of: "news.example.com", ed25519: false)
        let records = try DomainFixture.records(keys: [key], sdid: "news.example.com", domain: "news.example.com")
        let zone = CheckFixture.zone(
            "_dmarc.example.com TXT v=DMARC1; p=none; rua=mailto:a@reports.example", without: "_dmarc")
        let counting = CountingResolver(table: RecordTable(zone))
        let lookup = RecordLookup(counting) { _ throws(DNSError) in throw .noData }
        _ = await DMARCCheck(records, lookup).findings()
        let asked = counting.texts.withLock { $0 }
        #expect(asked.contains("_dmarc.example.com") && asked.count == Set(asked).count, "\(asked)")
    }

    @Test("Another organization must agree to get the reports")
    func strangers() async throws {
        let line = "_dmarc.example.com TXT v=DMARC1; p=none; rua=mailto:a@reports.example,mailto:b@in.example.com"
        let refused = try await CheckFixture.check(CheckFixture.zone(line, without: "_dmarc"))
        let finding = refused.findings.first { $0.kind == .dmarc && $0.status == .warning }
        #expect(finding?.name == "example.com._report._dmarc.reports.example")
        #expect(finding?.wanted?.zoneLine == "example.com._report._dmarc.reports.example. 3600 IN TXT \"v=DMARC1\"")
        let agreed = try await CheckFixture.check(
            CheckFixture.zone(line + "\nexample.com._report._dmarc.reports.example TXT v=DMARC1", without: "_dmarc"))
        #expect(CheckFixture.lines(agreed, .dmarc).count == 1)
        #expect(agreed.outcome == .ok)
    }

    // MARK: Receiving

    @Test(
        "The domain must take answers",
        arguments: [
            (
                CheckFixture.zone("example.com MX 0", without: "example.com MX"),
                "problem example.com: the domain says that it takes no"
            ),
            (
                CheckFixture.zone("example.com A 192.0.2.1", without: "example.com MX"),
                "warning example.com: there is no MX record"
            ),
            (
                CheckFixture.zone(without: "example.com MX"),
                "problem example.com: the domain has neither MX record nor address"
            ),
        ])
    func mx(_ zone: String, _ words: String) async throws {
        let lines = CheckFixture.lines(try await CheckFixture.check(zone), .mx)
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
        let found = CheckFixture.lines(try await CheckFixture.check(CheckFixture.zone(lines)), kind)
        #expect(found.count == 1)
        #expect(found[0].hasPrefix(status) && found[0].contains(words), "\(found)")
    }
}

/// Takes down which text records are asked for.
private final class CountingResolver: Resolver {
    let texts = Mutex<[String]>([])
    private let table: RecordTable

    init(table: RecordTable) {
        self.table = table
    }

    func mx(_ name: String) async throws(DNSError) -> MXAnswer { try await table.mx(name) }
    func addresses(_ host: String) async throws(DNSError) -> [IPAddress] { try await table.addresses(host) }

    func txt(_ name: String) async throws(DNSError) -> TXTAnswer {
        texts.withLock { $0.append(name) }
        return try await table.txt(name)
    }
}
