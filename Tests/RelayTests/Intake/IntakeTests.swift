// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Mail
import Receiving
import Relay
import Spooling
import Testing

@Suite("Relay intake")
struct IntakeTests {
    static let header = """
        From: App <a@example.com>\r
        To: b@example.net\r
        Bcc: c@example.net,\r
         d@example.net\r
        Date: Mon, 23 Nov 2026 09:00:00 +0000\r
        Message-ID: <1@example.com>\r
        Subject: gr\u{fc}n\r

        """
    static let keptHeader = header.replacing("Bcc: c@example.net,\r\n d@example.net\r\n", with: "")
        .replacing("gr\u{fc}n", with: "=?utf-8?q?gr=C3=BCn?=")
    static let body = "Hello \t world  \r\n\r\n.dot\r\n\r\n\r\n"

    private func bodyHash(of body: String) throws -> BodyHash {
        let hasher = try BodyHasher(.relaxed)
        hasher.append(Array(body.utf8))
        return BodyHash(canonicalization: .relaxed, digest: try hasher.finish())
    }

    /// Content without its trace field, which names the moment and the queue ID.
    private func withoutTrace(_ octets: [UInt8]) throws -> String {
        let text = String(decoding: octets, as: UTF8.self)
        #expect(text.hasPrefix("Received: from app ([127.0.0.1])\r\n\tby relay.example.com with ESMTP id "))
        return try String(text[#require(text.firstRange(of: "+0000\r\n")).upperBound...])
    }

    @Test("an accepted message is in the spool as it will leave")
    func accepted() async throws {
        let fixture = try IntakeFixture()
        let result = await fixture.submit(IntakeTests.header + "\r\n" + IntakeTests.body)
        let message = try #require(await fixture.claim())
        #expect(result == .accepted(message.queueID))

        let octets = try message.octets
        #expect(try withoutTrace(octets) == IntakeTests.keptHeader + "\r\n" + IntakeTests.body)
        #expect(String(decoding: octets, as: UTF8.self).contains(" id \(message.queueID);"))
        let header = octets[..<message.headerLength]
        #expect(header.suffix(2) == [13, 10])
        #expect(octets[message.headerLength...].starts(with: [13, 10] + Array(IntakeTests.body.utf8)))
        #expect(message.bodyHashes == [try bodyHash(of: IntakeTests.body)])
        #expect(message.authorDomain.name == "example.com")
        #expect(message.arrival == fixture.time)
        #expect(message.expiry == fixture.time.advanced(bySeconds: 5 * 86400))
        #expect(message.envelope.recipients == IntakeFixture.submission().envelope.recipients)
        #expect(!message.envelope.isEightBit, "the Subject's octets above 127 became an encoded word")
        #expect(await fixture.submit(IntakeTests.header + "\r\n\u{fc}\r\n").queueID != nil)
        #expect(try #require(await fixture.claim()).envelope.isEightBit, "the body's stay")
        #expect(fixture.events.all.first == "accepted from <bounces@[192.0.2.2]> for 1, \(octets.count) octets")
        await fixture.spool.close()
    }

    @Test("the message is the same wherever the content is split")
    func splits() async throws {
        let fixture = try IntakeFixture()
        let content = Array((IntakeTests.header + "\r\n" + IntakeTests.body).utf8)
        var splits = (0...content.count).map { [content[..<$0], content[$0...]] }
        splits += (1...20).map { size in
            stride(from: 0, to: content.count, by: size).map { content[$0..<min($0 + size, content.count)] }
        }
        let accepted = await withTaskGroup(of: IntakeResult.self) { group in
            for split in splits { group.addTask { await fixture.submit(split) } }
            return await group.reduce(into: 0) { if $1.queueID != nil { $0 += 1 } }
        }
        #expect(accepted == splits.count)
        let hash = try bodyHash(of: IntakeTests.body)
        var queueIDs: Set<QueueID> = []
        for _ in splits {
            let message = try #require(await fixture.claim())
            queueIDs.insert(message.queueID)
            #expect(try withoutTrace(message.octets) == IntakeTests.keptHeader + "\r\n" + IntakeTests.body)
            #expect(message.bodyHashes == [hash])
        }
        #expect(queueIDs.count == splits.count, "no queue ID is given twice")
        await fixture.spool.close()
    }

    @Test(
        "contents with little or no body",
        arguments: [
            ("\r\n", ""), ("", ""), ("\r\n\r\n", "\r\n"), ("\r\nx\r\n", "x\r\n"),
            ("\r\n\r\n\r\nx\r\n", "\r\n\r\nx\r\n"),
        ])
    func shortBodies(rest: String, body: String) async throws {
        let fixture = try IntakeFixture()
        #expect(await fixture.submit(IntakeTests.header + rest).queueID != nil)
        let message = try #require(await fixture.claim())
        #expect(try withoutTrace(message.octets) == IntakeTests.keptHeader + "\r\n" + body)
        #expect(message.bodyHashes == [try bodyHash(of: body)])
        await fixture.spool.close()
    }

    @Test(
        "what has no usable header section is refused",
        arguments: [
            ("", "no From"), ("\r\nFrom: a@example.com\r\n", "starts with an empty line"),
            ("\r\n\r\n", "starts with an empty line"), ("\r\n", "starts with an empty line"),
            ("Subject: x\r\n\r\nFrom: a@example.com\r\n", "no From"), ("no header\r\n\r\nx\r\n", "line 1 "),
            ("From: a@example.com\r\nno field\r\n\r\n", "line 2 "), ("From: a@example.com\r", "line 1 "),
        ])
    func unusableHeaders(content: String, reason: String) async throws {
        let fixture = try IntakeFixture()
        let refusal = try #require(await fixture.submit(content).refusal)
        #expect(refusal.replyCode == 550)
        #expect(refusal.status == EnhancedStatusCode(5, 6, 0))
        #expect(refusal.lines[0].contains(reason), "\(refusal.lines)")
        #expect(fixture.events.all == ["refused 550 5.6.0 of nobody"])
        #expect(fixture.spool.counts.messages == 0)
        await fixture.spool.close()
    }

    @Test(
        "a header section at the limit passes, one octet more is refused, in whatever pieces",
        arguments: [1000, 1 << 20])
    func headerLimit(pieceSize: Int) async throws {
        let fixture = try IntakeFixture()
        let start = "From: a@example.com\r\nX: "
        let padding = HeaderSection.maximumOctets - start.utf8.count - 2
        for extra in 0...1 {
            let line = "x\r\n "
            let lines = String(repeating: line, count: (padding + extra) / 4)
            let rest = String(repeating: "x", count: (padding + extra) % 4 + 4)
            let content = Array((start + lines.dropLast(line.count) + rest + "\r\n\r\nbody\r\n").utf8)
            let pieces = stride(from: 0, to: content.count, by: pieceSize).map {
                content[$0..<min($0 + pieceSize, content.count)]
            }
            let result = await fixture.submit(pieces)
            if extra == 0 {
                #expect(result.queueID != nil)
            } else {
                #expect(result.refusal == .headerSectionTooLarge)
            }
        }
        await fixture.spool.close()
    }

    @Test("a header section without an end is refused before it fills the memory")
    func endlessHeader() async throws {
        let fixture = try IntakeFixture()
        let piece = Array((String(repeating: "x", count: 1000) + "\r\n ").utf8)
        let transaction = fixture.intake.begin(IntakeFixture.submission())
        for _ in 0..<1000 { #expect(!transaction.append(Array("X:".utf8) + piece)) }
        #expect(await transaction.finish().refusal?.replyCode == 552)
        await fixture.spool.close()
    }

    @Test("a large body goes to a file and is the same there; abort leaves nothing")
    func largeBody() async throws {
        let fixture = try IntakeFixture()
        let line = String(repeating: "0123456789", count: 7) + "\r\n"
        let body = String(repeating: line, count: 10_000)
        for isAborted in [true, false] {
            let transaction = fixture.intake.begin(IntakeFixture.submission())
            #expect(!transaction.append(Array((IntakeTests.header + "\r\n").utf8)))
            var mayBlock = false
            for _ in 0..<100 { mayBlock = transaction.append(Array(body.utf8.prefix(body.utf8.count / 100))) }
            #expect(mayBlock)
            if isAborted {
                transaction.abort()
                #expect(try contentFiles(of: fixture) == 0)
            } else {
                #expect(await transaction.finish().queueID != nil)
                #expect(try contentFiles(of: fixture) == 1)
            }
        }
        let message = try #require(await fixture.claim())
        #expect(try withoutTrace(message.octets) == IntakeTests.keptHeader + "\r\n" + body)
        #expect(message.bodyHashes == [try bodyHash(of: body)])
        await fixture.spool.close()
    }

    private func contentFiles(of fixture: IntakeFixture) throws -> Int {
        // Each in a directory of two digits.
        try FileManager.default.subpathsOfDirectory(atPath: fixture.directory + "/spool/content")
            .count { $0.contains("/") }
    }

    @Test("an aborted transaction leaves nothing, at whatever octet")
    func aborts() async throws {
        let fixture = try IntakeFixture()
        let content = Array((IntakeTests.header + "\r\n" + IntakeTests.body).utf8)
        for end in 0...content.count {
            let transaction = fixture.intake.begin(IntakeFixture.submission())
            _ = transaction.append(Array(content[..<end]))
            transaction.abort()
        }
        #expect(fixture.spool.counts.messages == 0)
        #expect(fixture.events.all.isEmpty)
        await fixture.spool.close()
    }

    @Test("an octet above 127 is seen wherever it stands")
    func eightBit() async throws {
        let fixture = try IntakeFixture()
        let header = "From: a@example.com\r\n\r\n"
        let plain = [UInt8](repeating: UInt8(ascii: "x"), count: 19) + [13, 10]
        for position in -1..<19 {
            var body = plain
            if position >= 0 { body[position] = 0x80 }
            #expect(await fixture.submit([Array(header.utf8), body]).queueID != nil)
            #expect(await fixture.claim()?.envelope.isEightBit == (position >= 0))
        }
        #expect(
            await fixture.submit([Array(header.utf8), plain], IntakeFixture.submission(isEightBit: true)).queueID != nil
        )
        #expect(await fixture.claim()?.envelope.isEightBit == true, "what was declared stays")
        await fixture.spool.close()
    }

    @Test("a notification of Waxwing's own comes in without a client")
    func ownMessage() async throws {
        let fixture = try IntakeFixture()
        let domain = try #require(Domain("example.com"))
        let notification = DeliveryStatusNotification(
            recipient: Mailbox(localPart: "a", host: .domain(domain)), sender: domain,
            reportingHost: "relay.example.com", queueID: QueueID(arrival: fixture.time, distinguisher: 1),
            arrival: fixture.time, originalHeaderSection: Array(IntakeTests.keptHeader.utf8), reports: [])
        let content = notification.content(now: fixture.time, random: 1)
        let submission = Submission(envelope: notification.envelope, client: nil)
        #expect(await fixture.submit([content], submission).queueID != nil)
        let message = try #require(await fixture.claim())
        #expect(message.envelope.reversePath == .null)
        #expect(!message.envelope.isEightBit)
        #expect(message.authorDomain == domain)
        #expect(try message.octets.suffix(content.count) == content[...])
        #expect(try message.octets.starts(with: "Received: by relay.example.com id \(message.queueID);\r\n\t".utf8))
        await fixture.spool.close()
    }
}
