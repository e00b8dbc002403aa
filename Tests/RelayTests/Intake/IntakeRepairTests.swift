// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Mail
import Receiving
import Relay
import Signing
import Spooling
import Testing

@Suite("What intake repairs")
struct IntakeRepairTests {
    private static let header = """
        From: App <a@example.com>\r
        Date: Mon, 23 Nov 2026 09:00:00 +0000\r
        Message-ID: <1@example.com>\r

        """

    private func bodyHash(of body: [UInt8]) throws -> BodyHash {
        let hasher = try BodyHasher(.relaxed)
        hasher.append(body)
        return BodyHash(canonicalization: .relaxed, digest: try hasher.finish())
    }

    private func body(of message: ClaimedMessage) throws -> [UInt8] {
        try Array(message.octets.dropFirst(message.headerLength + 2))
    }

    private func header(of message: ClaimedMessage) throws -> String {
        try String(decoding: message.octets.prefix(message.headerLength), as: UTF8.self)
    }

    private func contentFiles(of fixture: IntakeFixture) throws -> Int {
        let path = fixture.directory + "/spool/content"
        return (FileManager.default.subpaths(atPath: path) ?? []).count { $0.contains("/") }
    }

    /// What a quoted-printable body stands for (RFC 2045 §6.7).
    private func decoded(_ body: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = body[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "=") else {
                result.append(byte)
                continue
            }
            let code = rest.prefix(2)
            rest = rest.dropFirst(2)
            if code.elementsEqual([13, 10]) { continue }
            result.append(UInt8(String(decoding: code, as: UTF8.self), radix: 16) ?? 0)
        }
        return result
    }

    @Test("a message without repairs says so, and what was repaired before it came here is kept with it")
    func noted() async throws {
        let fixture = try IntakeFixture()
        for repairs in [[], [Repair.lineEnds]] {
            let transaction = fixture.intake.begin(IntakeFixture.submission())
            _ = transaction.append(Array((IntakeRepairTests.header + "\r\nx\r\n").utf8))
            for repair in repairs + repairs { transaction.note(repair) }
            #expect(await transaction.finish().queueID != nil)
            #expect(await fixture.claim()?.message.repairs == repairs)
        }
        await fixture.spool.close()
    }

    @Test(
        "the last line gets its end",
        arguments: [
            ("", "", false), ("\r\n", "", false), ("\r\nx", "x\r\n", true), ("\r\nx\r\n", "x\r\n", false),
            ("\r\nx\r\ny", "x\r\ny\r\n", true), ("\r\nx\r\n ", "x\r\n \r\n", true), ("X: y", "", true),
            ("X: y\r\n", "", false),
        ])
    func finalLineEnd(rest: String, body: String, isRepaired: Bool) async throws {
        let fixture = try IntakeFixture()
        let content = Array((IntakeRepairTests.header + rest).utf8)
        for pieces in [[content[...]], content.indices.map { content[$0...$0] }] {
            #expect(await fixture.submit(pieces).queueID != nil)
            let message = try #require(await fixture.claim())
            #expect(try self.body(of: message) == Array(body.utf8))
            #expect(message.bodyHashes == [try bodyHash(of: Array(body.utf8))])
            #expect(message.message.repairs == (isRepaired ? [.finalLineEnd] : []))
        }
        await fixture.spool.close()
    }

    @Test("a CR at the very end is no line end")
    func bareReturnAtTheEnd() async throws {
        let fixture = try IntakeFixture()
        let refusal = await fixture.submit(IntakeRepairTests.header + "\r\nx\r").refusal
        #expect(
            refusal
                == IntakeRefusal(
                    replyCode: 550, status: EnhancedStatusCode(5, 6, 0),
                    lines: ["Message refused: it ends with a CR without LF."]))
        #expect(fixture.spool.counts.messages == 0)
        await fixture.spool.close()
    }

    @Test("a body with a line over 998 octets is encoded, wherever it is split", arguments: [998, 999, 5000])
    func longLine(octets: Int) async throws {
        let fixture = try IntakeFixture()
        let original = Array(
            ("short\r\n" + String(repeating: "long ", count: octets / 5) + "12345".prefix(octets % 5)
                + "\r\nlast\r\n").utf8)
        let content = Array((IntakeRepairTests.header + "\r\n").utf8) + original
        let cuts = [0, content.count / 2, content.count - 3, content.count - 1, content.count]
        for cut in cuts {
            #expect(await fixture.submit([content[..<cut], content[cut...]]).queueID != nil)
            let message = try #require(await fixture.claim())
            let body = try body(of: message)
            #expect(message.bodyHashes == [try bodyHash(of: body)])
            if octets <= 998 {
                #expect(body == original)
                #expect(message.message.repairs == [])
            } else {
                #expect(decoded(body) == original)
                #expect(body.split(separator: 10).allSatisfy { $0.count <= 77 })
                #expect(try header(of: message).contains("\r\nContent-Transfer-Encoding: quoted-printable\r\n"))
                #expect(message.message.repairs == [.encodedLongLines])
            }
        }
        await fixture.spool.close()
    }

    @Test("a long last line without its end is both")
    func longLastLine() async throws {
        let fixture = try IntakeFixture()
        let original = [UInt8](repeating: 65, count: 999)
        #expect(await fixture.submit([Array((IntakeRepairTests.header + "\r\n").utf8), original]).queueID != nil)
        let message = try #require(await fixture.claim())
        #expect(message.message.repairs == [.finalLineEnd, .encodedLongLines])
        #expect(decoded(try body(of: message)) == original + [13, 10])
        await fixture.spool.close()
    }

    @Test("once a line is too long, the caller is asked to come on a thread that may block")
    func offloads() async throws {
        let fixture = try IntakeFixture()
        let transaction = fixture.intake.begin(IntakeFixture.submission())
        #expect(!transaction.append(Array((IntakeRepairTests.header + "\r\n").utf8)))
        #expect(!transaction.append([UInt8](repeating: 65, count: 998)))
        #expect(transaction.append([UInt8](repeating: 65, count: 100)))
        #expect(transaction.append([13, 10]))
        #expect(await transaction.finish().queueID != nil)
        await fixture.spool.close()
    }

    @Test("octets above 127 are looked for in what leaves", arguments: [true, false])
    func eightBit(isDeclared: Bool) async throws {
        let fixture = try IntakeFixture()
        let content = IntakeRepairTests.header + "\r\n" + String(repeating: "\u{fc}", count: 600) + "\r\n"
        #expect(await fixture.submit(content, IntakeFixture.submission(isEightBit: isDeclared)).queueID != nil)
        let message = try #require(await fixture.claim())
        #expect(try message.octets.allSatisfy { $0 < 128 })
        #expect(message.envelope.isEightBit == isDeclared)
        await fixture.spool.close()
    }

    @Test("a large body is encoded from its file into another, of which one stays", arguments: [0, 1])
    func largeBody(longLines: Int) async throws {
        let fixture = try IntakeFixture()
        let line = Array((String(repeating: "0123456789", count: 7) + "\r\n").utf8)
        let long = Array((String(repeating: "long line ", count: 200) + "\r\n").utf8)
        let original = Array(repeatElement(line, count: 9000).joined()) + (longLines > 0 ? long : []) + line
        let pieces = stride(from: 0, to: original.count, by: 4096).map {
            original[$0..<min($0 + 4096, original.count)]
        }
        #expect(await fixture.submit([Array((IntakeRepairTests.header + "\r\n").utf8)[...]] + pieces).queueID != nil)
        #expect(try contentFiles(of: fixture) == 1)
        let message = try #require(await fixture.claim())
        let body = try body(of: message)
        #expect(decoded(body) == original)
        #expect((body == original) == (longLines == 0))
        #expect(message.bodyHashes == [try bodyHash(of: body)])
        #expect(try message.content.length == message.octets.count)
        await fixture.spool.close()
    }

    @Test("what must not be encoded is refused, and leaves nothing")
    func notConvertible() async throws {
        let fixture = try IntakeFixture()
        let long = String(repeating: "x", count: 999)
        let content = """
            \(IntakeRepairTests.header)MIME-Version: 1.0\r
            Content-Type: multipart/signed; boundary=b; protocol="application/pkcs7-signature"; micalg=sha-256\r
            \r
            --b\r
            Content-Type: text/plain\r
            \r
            \(long)\r
            --b\r
            Content-Type: application/pkcs7-signature\r
            \r
            \(String(repeating: "MII\r\n", count: 60_000))\r
            --b--\r

            """
        let refusal = try #require(await fixture.submit(content).refusal)
        #expect(refusal.replyCode == 550)
        #expect(refusal.status.statusClass == 5)
        #expect(refusal.status.subject == 6)
        #expect(refusal.lines[0].hasPrefix("Message refused: "))
        #expect(fixture.spool.counts.messages == 0)
        #expect(try contentFiles(of: fixture) == 0)
        await fixture.spool.close()
    }

    @Test("Waxwing's own messages go the same way")
    func ownMessage() async throws {
        let rules = RewriteRules([try RewriteRule(from: "@example.com", to: "x@example.com")])
        let fixture = try IntakeFixture(configuring: { $0.rewriteRules = rules })
        let domain = try #require(Domain("example.com"))
        let longName = "X-Long: " + String(repeating: "word ", count: 300)
        let notification = DeliveryStatusNotification(
            recipient: Mailbox(localPart: "a", host: .domain(domain)), sender: domain,
            reportingHost: "relay.example.com", queueID: QueueID(arrival: fixture.time, distinguisher: 1),
            arrival: fixture.time, originalHeaderSection: Array("\(IntakeRepairTests.header)\(longName)\r\n".utf8),
            reports: [])
        let content = notification.content(now: fixture.time, random: 1)
        #expect(
            await fixture.submit([content], Submission(envelope: notification.envelope, client: nil)).queueID != nil)
        let message = try #require(await fixture.claim())
        #expect(message.envelope == notification.envelope)
        #expect(try header(of: message).contains("From: Mail Delivery System <MAILER-DAEMON@example.com>\r\n"))
        #expect(try body(of: message).split(separator: 10).allSatisfy { $0.count <= 999 })
        await fixture.spool.close()
    }

    @Test("a domain whose signatures need the simple body hash gets both, also of a body that is encoded")
    func simpleBodyHash() async throws {
        let domain = try #require(Domain("example.com"))
        let fixture = try IntakeFixture(signing: { policies in
            policies.domains[domain]?.overrides.canonicalization = .relaxedSimple
        })
        for text in ["two  spaces \r\n\r\n", String(repeating: "long  ", count: 300) + "\r\n"] {
            #expect(await fixture.submit(IntakeRepairTests.header + "\r\n" + text).queueID != nil)
            let message = try #require(await fixture.claim())
            let hasher = try BodyHasher(.simple)
            hasher.append(try body(of: message))
            let simple = BodyHash(canonicalization: .simple, digest: try hasher.finish())
            #expect(message.bodyHashes == [try bodyHash(of: body(of: message)), simple])
        }
        await fixture.spool.close()
    }

    @Test("the reverse-path is rewritten with the rules, the null one and others are not")
    func reversePath() async throws {
        let rules = RewriteRules([try RewriteRule(from: "*@localhost", to: "*@example.com")])
        let fixture = try IntakeFixture(configuring: { $0.rewriteRules = rules })
        let content = IntakeRepairTests.header + "\r\nx\r\n"
        for (before, after) in [("cron@localhost", "cron@example.com"), ("a@example.org", "a@example.org"), ("", "")] {
            var submission = IntakeFixture.submission()
            submission.envelope.reversePath = .null
            if let mailbox = try? AddressParser.mailboxes(in: Array(before.utf8)[...]).first {
                submission.envelope.reversePath = .mailbox(mailbox)
            }
            #expect(await fixture.submit(content, submission).queueID != nil)
            let message = try #require(await fixture.claim())
            #expect(message.envelope.reversePath.description == after)
            #expect(message.message.repairs == (before == after ? [] : [.rewrittenMailbox]))
        }
        await fixture.spool.close()
    }
}
