// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Mail
import Testing

@testable import DNS
@testable import Signing

/// What is made of texts and answers, without a server.
@Suite struct KeyProverTests {
    static func description(_ key: SigningKey) throws -> KeyDescription {
        KeyDescription(
            domain: domain, selector: try Selector("s1").unwrapped, key: key, at: noon, by: "tester", evidence: nil)
    }

    static func rsa() throws -> KeyDescription { try description(TestKeys.rsa.get()) }

    /// An Ed25519 key with a + in its record.
    static func plus() throws -> KeyDescription {
        for _ in 0..<500 {
            let found = try description(SigningKey.generate(.ed25519))
            if found.record.contains("+") { return found }
        }
        throw KeyError("no key has a + in its record")
    }

    static func finding(_ text: String, _ key: KeyDescription) -> KeyProver.Finding {
        KeyProver.finding(records: [Array(text.utf8)], key)
    }

    /// `p=` and what follows.
    static func publicKey(_ key: KeyDescription) -> String {
        String(key.record.drop { $0 != "p" }.dropFirst(2))
    }

    // MARK: One text

    @Test func theKeysOwnRecordIsRightHoweverItIsSpaced() throws {
        let key = try Self.rsa()
        let value = Self.publicKey(key)
        for text in [
            key.record, key.record + ";", " v=DKIM1 ;k = rsa;t=s; p=" + value, "p=" + value,
            "v=DKIM1; k=rsa; h=sha1:sha256; s=email; n=note; p=\(value.prefix(99)) \t \(value.dropFirst(99))",
            "v=DKIM1; k=rsa; s=*; p=" + value,
        ] {
            #expect(Self.finding(text, key) == KeyProver.Finding(.published), "\(text)")
        }
        let testing = Self.finding("v=DKIM1; k=rsa; t=y; p=" + value, key)
        #expect(testing.standing == .published && testing.problem == nil)
        #expect(testing.warning?.contains("t=y") == true)
    }

    @Test func whatHappenedToARecordIsTold() throws {
        let key = try Self.rsa()
        let (record, value) = (key.record, Self.publicKey(key))
        let count = value.utf8.count
        let head = "v=DKIM1; k=rsa; p="
        let cases: [(String, String)] = [
            (String(record.prefix(255)), "the key is cut off: 237 of \(count) characters"),
            (head + value.prefix(100) + value.dropFirst(150), "a part of the key is missing"),
            (head + value.dropFirst(100), "a part of the key is missing"),
            (head + value + value, "the key is damaged"),
            (record + record, "the key is damaged"),
            ("\"\(record.prefix(255))\" \"\(record.dropFirst(255))\"", "quotation marks"),
            ("s1._domainkey IN TXT ( \"\(record)\" )", "quotation marks"),
            ("( \(record) )", "parentheses"),
            (record.replacing(";", with: "\\;"), "backslashes"),
            ("\u{201C}\(record)\u{201D}", "not ASCII"),
            (record.replacing(" ", with: "\u{A0}"), "not ASCII"),
            (head + value.lowercased(), "capital and small letters"),
            (head + value.prefix(50) + "*" + value.dropFirst(50), "p= holds \"*\""),
            (head + value.prefix(50) + "\u{7}" + value.dropFirst(50), "a control character"),
            ("v=DKIM1; k=ed25519; p=" + value, "k=ed25519 is wrong: the record must say k=rsa"),
            ("v=DKIM1; k=RSA; p=" + value, "k=RSA is wrong: the record must say k=rsa"),
            ("v=DKIM1; k=rsa; h=sha1; p=" + value, "h=sha1 lacks sha256"),
            ("v=DKIM1; k=rsa; s=tlsrpt; p=" + value, "s=tlsrpt lacks email"),
            ("v=DKIM2; k=rsa; p=" + value, "version must be DKIM1"),
            ("k=rsa; v=DKIM1; p=" + value, "version must be DKIM1"),
            ("v=DKIM1; k=rsa", "no p= in it"),
            ("hello", "no key record"), ("v=spf1 -all", "no key record"), ("", "no key record"),
            (try Self.description(TestKeys.otherRSA.get()).record, "another public key"),
            (try Self.description(TestKeys.ed25519.get()).record, "another public key"),
        ]
        for (text, expected) in cases {
            let found = Self.finding(text, key)
            #expect(
                found.standing == .wrong && found.problem?.contains(expected) == true, "\(text): \(found)")
            #expect(found.problem?.contains("; found: ") == true)
        }
    }

    @Test func anEd25519KeyHasItsOwnMistakes() throws {
        let key = try Self.plus()
        let value = Self.publicKey(key)
        #expect(Self.finding(key.record, key) == KeyProver.Finding(.published))
        let cases: [(String, String)] = [
            ("v=DKIM1; p=" + value, "k= is missing: the record must say k=ed25519"),
            ("v=DKIM1; k=rsa; p=" + value, "k=rsa is wrong"),
            ("v=DKIM1; k=ed25519; p=" + value.replacing("+", with: " "), "each + of p= became a space"),
            ("v=DKIM1; k=ed25519; p=" + value.dropLast(10), "the key is cut off: 34 of 44 characters"),
            ("v=DKIM1; k=ed25519; p=MCowBQYDK2VwAyEA" + value, "SubjectPublicKeyInfo"),
            (try Self.rsa().record, "another public key"),
        ]
        for (text, expected) in cases {
            let found = Self.finding(text, key)
            #expect(found.standing == .wrong && found.problem?.contains(expected) == true, "\(text): \(found)")
        }
    }

    @Test func anEmptyKeyIsRevokedAndMoreThanOneRecordIsWrong() throws {
        let key = try Self.rsa()
        for text in ["v=DKIM1; k=rsa; p=", "k=rsa; t=y; p=", "p="] {
            #expect(Self.finding(text, key).standing == .revoked)
        }
        let texts = [Array(key.record.utf8), Array("v=DKIM1; p=".utf8)]
        let both = KeyProver.finding(records: texts, key)
        #expect(
            both.standing == .wrong && both.problem?.contains("2 TXT records where one must be: delete all but") == true
        )
        let twice = KeyProver.finding(records: [texts[0], texts[0], texts[0]], key)
        #expect(twice.standing == .wrong && twice.problem?.contains("3 TXT records") == true)
        let strangers = KeyProver.finding(records: [texts[1], Array("x".utf8)], key)
        #expect(strangers.problem?.contains("delete them and publish this key's") == true)
    }

    // MARK: All answers together

    static let ours = ServerAnswer.Kind.records([Array("KEY".utf8)], ttl: 300)

    /// Answers of servers that say the same over UDP and TCP; `KEY` stands for the record.
    static func judge(
        _ answers: [ServerAnswer], end: TextReport.End = .answered, before: [TextReport.Step] = []
    ) throws -> KeyEvidence {
        let key = try rsa()
        func put(_ kind: ServerAnswer.Kind) -> ServerAnswer.Kind {
            kind.saysTheSame(as: ours) ? .records([Array(key.record.utf8)], ttl: 300) : kind
        }
        let filled = answers.map { answer in
            var answer = answer
            (answer.udp, answer.tcp, answer.sibling) = (put(answer.udp), put(answer.tcp), answer.sibling.map(put))
            return answer
        }
        let name = before.isEmpty ? key.recordName : "s1.keys.test"
        let steps = before + [TextReport.Step(name: name, zone: "example.com", answers: filled)]
        return KeyProver.judge(TextReport(steps: steps, end: end), key)
    }

    static func server(
        _ udp: ServerAnswer.Kind, _ tcp: ServerAnswer.Kind? = nil, sibling: ServerAnswer.Kind? = .nameError,
        host: String? = "ns1.example.com"
    ) -> ServerAnswer {
        ServerAnswer(
            server: "ns1.example.com (192.0.2.53)", host: host, udp: udp, tcp: tcp ?? udp, sibling: sibling,
            authority: StartOfAuthority(
                zone: "example.com", primary: "ns1.example.com", serial: 1, minimum: 900, ttl: 600))
    }

    static func text(_ text: String) -> ServerAnswer.Kind { .records([Array(text.utf8)], ttl: 60) }

    static let dead = ServerAnswer.Kind.unreachable("Connection refused")

    @Test func aKeyIsPublishedOnlyWithEveryServerOverUDPAndTCP() throws {
        let published = try Self.judge([Self.server(Self.ours), Self.server(Self.ours)])
        #expect(published.verdict == .published && published.findings.isEmpty && published.warnings.isEmpty)
        #expect(published.recordTTL == 300 && published.negativeTTL == 600 && published.zone == "example.com")
        #expect(published.summary.hasPrefix("published at ns1.example.com (192.0.2.53), "))
        // Too long for UDP is no fault where TCP holds it.
        #expect(try Self.judge([Self.server(.truncated, Self.ours)]).verdict == .published)
    }

    @Test func verdictsOfServersTogether() throws {
        let (ours, none, dead, revoked) = (
            Self.server(Self.ours), Self.server(.nameError), Self.server(Self.dead), Self.server(Self.text("p="))
        )
        let other = Self.server(Self.text("hello"))
        let cases: [([ServerAnswer], KeyEvidence.Verdict)] = [
            ([], .unknown), ([dead], .unknown), ([ours, dead], .unknown), ([none, none], .absent),
            ([none, Self.server(.noData)], .absent), ([revoked, revoked], .revoked), ([ours, none], .wrong),
            ([ours, other], .wrong), ([ours, revoked], .wrong), ([revoked, none], .wrong), ([other], .wrong),
            // Who says something else contradicts, whoever else is silent.
            ([none, dead], .wrong), ([revoked, dead], .wrong), ([other, dead], .wrong),
        ]
        for (answers, expected) in cases {
            let evidence = try Self.judge(answers)
            #expect(evidence.verdict == expected, "\(evidence)")
            #expect(!evidence.summary.isEmpty)
        }
    }

    @Test func silenceIsToldApart() throws {
        let cases: [(ServerAnswer, String)] = [
            (Self.server(.failure(.serverFailure)), "SERVFAIL over UDP and TCP"),
            (Self.server(.failure(.refused)), "REFUSED over UDP and TCP"),
            (Self.server(.failure(.notAuthoritative)), "not authoritative over UDP and TCP"),
            (Self.server(.failure(.malformed)), "a malformed answer"),
            (Self.server(.failure(.code("NOTIMP"))), "NOTIMP over UDP and TCP"),
            (Self.server(Self.dead), "no answer over UDP and TCP (Connection refused)"),
            (
                Self.server(Self.ours, Self.dead),
                "no answer over TCP (Connection refused): port 53 must be open for TCP"
            ),
            (Self.server(Self.dead, Self.ours), "no answer over UDP (Connection refused)"),
            (Self.server(.truncated, Self.dead), "no answer over TCP, and it is too long for UDP"),
            (Self.server(.noRoute("Network is unreachable"), host: nil), "this machine has no route to it"),
            (Self.server(.referral("_domainkey.example.com", servers: ["ns9.example"])), "refers to ns9.example"),
        ]
        for (answer, expected) in cases {
            let evidence = try Self.judge([Self.server(Self.ours), answer])
            #expect(evidence.verdict == .unknown, "\(evidence)")
            #expect(evidence.findings.count == 1 && evidence.findings[0].contains(expected), "\(evidence.findings)")
        }
    }

    @Test func aServerThatContradictsItselfIsWrong() throws {
        let evidence = try Self.judge([Self.server(Self.ours, .nameError)])
        #expect(evidence.verdict == .wrong)
        #expect(evidence.findings.contains { $0.contains("over UDP: the key's own record") })
        #expect(
            evidence.findings.contains { $0.contains("over TCP: the name s1._domainkey.example.com does not exist") })
    }

    @Test func wildcardsAreToldFromRecords() throws {
        let own = try Self.judge([Self.server(Self.ours, sibling: Self.text("v=spf1 -all"))])
        #expect(own.verdict == .published && own.findings.isEmpty)
        let everywhere = try Self.judge([Self.server(Self.ours, sibling: Self.ours)])
        #expect(everywhere.verdict == .wrong && everywhere.findings[0].contains("a wildcard record (*)"))
        let spf = Self.text("v=spf1 -all")
        let foreign = try Self.judge([Self.server(spf, sibling: spf)])
        #expect(foreign.verdict == .absent && foreign.findings[0].contains("a wildcard record (*)"))
        let revoked = try Self.judge([Self.server(Self.text("p="), sibling: Self.text("p="))])
        #expect(revoked.verdict == .revoked && revoked.warnings[0].contains("a wildcard record (*)"))
        #expect(revoked.showsRemoval && foreign.showsRemoval && !own.showsRemoval && !everywhere.showsRemoval)
        let itself = try Self.judge([Self.server(Self.text("p="), sibling: .nameError)])
        #expect(itself.verdict == .revoked && itself.isWildcard == nil && !itself.showsRemoval)
    }

    @Test func anAddressThatThisMachineCannotReachCountsOnlyIfItsServerCannotBeAskedOtherwise() throws {
        let six = Self.server(.noRoute("Network is unreachable"))
        let both = try Self.judge([Self.server(Self.ours), six])
        #expect(both.verdict == .published && both.warnings.count == 1)
        var alone = six
        alone.host = "ns6.example.com"
        #expect(try Self.judge([Self.server(Self.ours), alone]).verdict == .unknown)
        #expect(try Self.judge([six]).verdict == .unknown)
    }

    @Test func theWayThereCountsToo() throws {
        let alias = ServerAnswer.Kind.alias("s1.keys.test", ttl: 7200)
        func way(_ answers: ServerAnswer...) -> [TextReport.Step] {
            [TextReport.Step(name: "s1._domainkey.example.com", zone: "example.com", answers: answers)]
        }
        let there = try Self.judge([Self.server(Self.ours)], before: way(Self.server(alias)))
        #expect(there.verdict == .published && there.recordTTL == 7200)
        #expect(there.summary.contains("behind the alias, at s1.keys.test"))
        let silent = try Self.judge([Self.server(Self.ours)], before: way(Self.server(alias), Self.server(Self.dead)))
        #expect(silent.verdict == .unknown && silent.findings.count == 1)
        let wild = way(Self.server(alias, sibling: alias))
        let all = try Self.judge([Self.server(Self.ours)], before: wild)
        #expect(all.verdict == .wrong && all.findings[0].contains("a wildcard record (*)"))
        for other in [Self.text("v=spf1 -all"), .noData] {
            let nothing = try Self.judge([Self.server(other)], before: wild)
            #expect(nothing.verdict == .absent && nothing.findings.contains { $0.contains("a wildcard record (*)") })
        }
        let dangling = try Self.judge([Self.server(.nameError)], before: way(Self.server(alias)))
        #expect(dangling.verdict == .absent)
        #expect(dangling.findings[0].contains("is an alias of s1.keys.test, which does not exist"))
        let half = try Self.judge([Self.server(alias), Self.server(.nameError)])
        #expect(half.verdict == .wrong && half.findings[0].contains("unlike at the other servers"))
        for (end, expected) in [
            (TextReport.End.circle("a.test"), "lead in a circle, back to a.test"),
            (.tooManySteps, "too many aliases and zones"),
        ] {
            let evidence = try Self.judge([Self.server(alias)], end: end)
            #expect(evidence.verdict == .wrong && evidence.findings[0].contains(expected), "\(evidence)")
        }
        let lost = try Self.judge([Self.server(alias)], end: .serversNotFound("s1.keys.test", reason: "SERVFAIL"))
        #expect(lost.verdict == .unknown && lost.findings[0].contains("is an alias of s1.keys.test"))
    }

    @Test func withoutServersNothingIsKnown() throws {
        let report = TextReport(steps: [], end: .serversNotFound("example.com", reason: "late"))
        let evidence = KeyProver.judge(report, try Self.rsa())
        #expect(evidence.verdict == .unknown)
        #expect(evidence.findings == ["the name servers of example.com can't be found: late"])
    }

    @Test func whatOthersSentIsPrintedHarmlesslyAndShort() throws {
        let evil = String(repeating: "\u{1B}[2J\u{202E}\n", count: 2000)
        let kinds: [ServerAnswer.Kind] = [
            Self.text(evil), .records(Array(repeating: Array(evil.utf8), count: 50), ttl: 1), .alias(evil, ttl: 1),
            .referral(evil, servers: Array(repeating: evil, count: 50)), .unreachable(evil),
            .failure(.code("rcode 23")),
            Self.text("v=DKIM1; k=\(evil); p="), Self.text("v=DKIM1; h=\(evil); p=\(Self.publicKey(try Self.rsa()))"),
        ]
        for kind in kinds {
            for sibling in [ServerAnswer.Kind.nameError, kind] {
                let evidence = try Self.judge([Self.server(kind, sibling: sibling)])
                for line in [evidence.summary] + evidence.findings + evidence.warnings {
                    #expect(line.utf8.allSatisfy { (32...126).contains($0) })
                    #expect(line.utf8.count < 1500)
                }
            }
        }
    }
}
