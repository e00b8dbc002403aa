// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Receiving
import TestSupport
import Testing

@Suite("Header intake")
struct HeaderIntakeTests {
    static let queueID = QueueID(arrival: Timestamp(seconds: 1_795_424_700), distinguisher: 1)
    static let arrival = Timestamp(seconds: 1_795_424_700)
    static let client = ClientDescription(heloName: "app.example.com", address: "192.0.2.7", protocolName: "ESMTP")
    static let envelope = Envelope(reversePath: .null, recipients: [])
    static let trace = """
        Received: from app.example.com ([192.0.2.7])
        \tby relay.example.com with ESMTP id \(queueID);
        \tMon, 23 Nov 2026 09:05:00 +0000

        """
    static let complete = "From: a@example.com\nDate: Mon, 23 Nov 2026 09:00:00 +0000\nMessage-ID: <1@example.com>\n"

    private func admit(
        _ header: String, hostname: String = "relay.example.com", client: ClientDescription? = client
    ) throws -> (header: String, authorDomain: String) {
        let intake = HeaderIntake(hostname: hostname, hidesClientAddress: false)
        let admitted = try intake.admit(
            Array(header.replacing("\n", with: "\r\n").utf8), envelope: HeaderIntakeTests.envelope, client: client,
            queueID: HeaderIntakeTests.queueID, arrival: HeaderIntakeTests.arrival, random: 7)
        let text = String(decoding: admitted.bytes, as: UTF8.self)
        #expect(!text.replacing("\r\n", with: "").unicodeScalars.contains { $0 == "\r" || $0 == "\n" })
        return (text.replacing("\r\n", with: "\n"), admitted.authorDomain.name)
    }

    private func whyRefused(_ header: String) -> IntakeRefusal? {
        do {
            _ = try admit(header)
            return nil
        } catch {
            return error as? IntakeRefusal
        }
    }

    @Test("a complete header section only gets the trace field")
    func complete() throws {
        let result = try admit(HeaderIntakeTests.complete)
        #expect(result.header == HeaderIntakeTests.trace + HeaderIntakeTests.complete)
        #expect(result.authorDomain == "example.com")
    }

    @Test("a missing Date is added")
    func addsDate() throws {
        let header = "From: a@example.com\nMESSAGE-ID: <1@example.com>\n"
        #expect(
            try admit(header).header
                == HeaderIntakeTests.trace + "Date: Mon, 23 Nov 2026 09:05:00 +0000\n" + header)
    }

    @Test("a missing Message-ID is added, with the author domain on its right")
    func addsMessageID() throws {
        let header = "From: a@example.org\ndate: Mon, 23 Nov 2026 09:00:00 +0000\n"
        #expect(
            try admit(header).header
                == HeaderIntakeTests.trace
                + "Message-ID: <\(HeaderIntakeTests.queueID).7000000000000@example.org>\n" + header)
    }

    @Test("an added Message-ID stands on one line, however long the domain is")
    func neverFoldsMessageID() throws {
        let label = String(repeating: "a", count: 63)
        let longest = [label, label, label, String(repeating: "b", count: 61)].joined(separator: ".")
        for domain in ["example.org", longest] {
            for prefix in ["", "Resent-From: b@example.net\nResent-Date: x\n"] {
                let header = try admit("\(prefix)From: a@\(domain)\nDate: x\n").header
                let lines = header.split(separator: "\n")
                let added = try #require(lines.first { $0.contains("Message-ID:") })
                #expect(added.contains("Message-ID: <\(HeaderIntakeTests.queueID)."))
                #expect(added.hasSuffix("@\(domain)>"))
                #expect(added.utf8.count <= 998)
            }
        }
    }

    @Test(
        "a Message-ID never names localhost",
        arguments: [
            ("localhost", "relay.example.com", "relay.example.com"),
            ("app.localhost", "relay.example.com", "relay.example.com"),
            ("localhost.localdomain", "relay.example.com", "relay.example.com"),
            ("localhost", "localhost", "waxwing.invalid"),
            ("mylocalhost", "relay.example.com", "mylocalhost"),
        ])
    func messageIDHost(authorDomain: String, hostname: String, host: String) throws {
        let header = try admit("From: a@\(authorDomain)\n", hostname: hostname).header
        #expect(header.contains("7000000000000@\(host)>\n"))
    }

    @Test(
        "fields that must not leave are removed with their continuation lines",
        arguments: ["Bcc", "bcc", "RESENT-BCC", "Return-Path", "Content-Length", "return-path"])
    func removes(name: String) throws {
        let field = "\(name): first@example.net,\n second@example.net,\n\tthird@example.net\n"
        let lines = HeaderIntakeTests.complete.split(separator: "\n").map { String($0) + "\n" }
        for position in 0...lines.count {
            var header = lines
            header.insert(field, at: position)
            #expect(
                try admit(header.joined()).header == HeaderIntakeTests.trace + HeaderIntakeTests.complete,
                "removed at \(position)")
        }
        #expect(
            try admit(field + field + HeaderIntakeTests.complete + field + field).header
                == HeaderIntakeTests.trace + HeaderIntakeTests.complete)
    }

    @Test("names that only look like those stay")
    func keepsSimilar() throws {
        let header = HeaderIntakeTests.complete + "X-Bcc: 1\nBccx: 2\nContent-Length-X: 3\nReturn-Pat: 4\n"
        #expect(try admit(header).header == HeaderIntakeTests.trace + header)
    }

    @Test(
        "an Authentication-Results field that speaks in this host's name is removed, others stay",
        arguments: [
            ("relay.example.com; dkim=pass", true), ("RELAY.example.com 1; none", true),
            ("(a; comment) relay.example.com; none", true), ("\n relay.example.com;\n dkim=pass", true),
            ("\"relay.example.com\"; none", true), ("relay.example.com", true),
            ("mx.example.net; dkim=pass", false), ("relay.example.com.example.net; none", false),
        ])
    func authenticationResults(value: String, isRemoved: Bool) throws {
        let header = HeaderIntakeTests.complete + "Authentication-Results: \(value)\n"
        let expected = isRemoved ? HeaderIntakeTests.complete : header
        #expect(try admit(header).header == HeaderIntakeTests.trace + expected)
    }

    @Test("a resent message gets its fields at the top of the newest block")
    func resent() throws {
        let header = "Received: x\nResent-From: b@example.net\nResent-To: c@example.net\nFrom: a@example.com\n"
        let fields =
            "Resent-Date: Mon, 23 Nov 2026 09:05:00 +0000\n"
            + "Resent-Message-ID: <\(HeaderIntakeTests.queueID).7000000000000@example.com>\n"
        let result = try admit(header)
        #expect(
            result.header == HeaderIntakeTests.trace + header.replacing("Resent-From", with: fields + "Resent-From"))
        #expect(result.authorDomain == "example.com", "the author stays the author")
    }

    @Test("an older resending does not complete a newer one")
    func resentTwice() throws {
        let older = "Resent-From: b@example.net\nresent-date: x\nResent-Message-ID: <2@example.net>\n"
        let newer = "Resent-From: d@example.net\nRESENT-DATE: y\nResent-Message-ID: <3@example.net>\n"
        let incomplete = "Resent-From: d@example.net\n"
        for separator in ["", "Received: x\n"] {
            let complete = newer + separator + older + HeaderIntakeTests.complete
            #expect(try admit(complete).header == HeaderIntakeTests.trace + complete)
            let result = try admit(incomplete + separator + older + HeaderIntakeTests.complete).header
            #expect(result.hasPrefix(HeaderIntakeTests.trace + "Resent-Date: "))
            #expect(result.hasSuffix(">\n" + incomplete + separator + older + HeaderIntakeTests.complete))
        }
    }

    @Test("a removed Resent-Bcc on top does not hide where the block starts")
    func resentBcc() throws {
        let result = try admit("Resent-Bcc: x@example.net\nResent-From: b@example.net\n" + HeaderIntakeTests.complete)
        #expect(result.header.hasPrefix(HeaderIntakeTests.trace + "Resent-Date: "))
        #expect(result.header.hasSuffix(">\nResent-From: b@example.net\n" + HeaderIntakeTests.complete))
    }

    @Test(
        "without exactly one author the message is refused",
        arguments: [
            ("Subject: x\n", "the message has no From field"),
            ("", "the message has no From field"),
            ("From: a@example.com\nfrom: a@example.com\n", "2 From fields"),
            ("From: a@example.com\nFROM: b@example.net\nFrom: c@d\n", "3 From fields"),
            ("From: a@example.com, b@example.com\n", "2 mailboxes"),
            ("From: Team: a@example.com, b@example.com;\n", "2 mailboxes"),
            ("From: undisclosed:;\n", "no mailbox"),
            ("From:\n", "no mailbox"),
            ("From: root\n", "an address without a domain"),
            ("From: a@[192.0.2.1]\n", "an address literal"),
            ("From: \"a@example.com\n", "a quoted string that does not end"),
        ])
    func author(header: String, problem: String) throws {
        let refusal = try #require(whyRefused(header))
        #expect(refusal.replyCode == 550)
        #expect(refusal.status == EnhancedStatusCode(5, 6, 0))
        #expect(refusal.lines.count == 1 && refusal.lines[0].contains(problem), "\(refusal.lines)")
    }

    @Test("the author domain is the address's, not one in the display name")
    func displayName() throws {
        #expect(
            try admit("From: \"a@evil.example\" (b@evil.example)\n <x@EXAMPLE.net>\n").authorDomain == "example.net")
    }

    @Test("a malformed header section is refused and its line named")
    func malformed() throws {
        let refusal = try #require(whyRefused("From: a@example.com\nSubject: x\n y\nnot a field\n"))
        #expect(refusal.replyCode == 550)
        #expect(refusal.status == EnhancedStatusCode(5, 6, 0))
        #expect(refusal.lines.first?.contains("line 4 ") == true)
    }

    @Test("fifty Received fields are a loop, forty-nine are not")
    func hops() throws {
        let received = String(repeating: "Received: from a by b\n\twith c; d\n", count: 49)
        #expect(whyRefused(received + HeaderIntakeTests.complete) == nil)
        let refusal = try #require(whyRefused(received + HeaderIntakeTests.complete + "RECEIVED: x\n"))
        #expect(refusal.replyCode == 554)
        #expect(refusal.status == EnhancedStatusCode(5, 4, 6))
    }

    @Test("controls and odd spacing pass untouched")
    func untouched() throws {
        let header = HeaderIntakeTests.complete + "Subject:green   \u{7}\n \n\t x  \nX:\n"
        #expect(try admit(header).header == HeaderIntakeTests.trace + header)
    }

    @Test("what stays is in its order and what goes is gone, for random header sections")
    func random() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let kept = ["X-Subject: x\n", "X-To: b@example.net,\n c@example.net\n", "X-A:\n", "Bccc: y\n", "Received: z\n"]
        let removed = ["Bcc: b@example.net\n", "bCC:\n\tx\n y\n", "Return-Path: <>\n", "Content-length: 5\n"]
        for _ in 0..<2000 {
            var header = HeaderIntakeTests.complete
            var expected = HeaderIntakeTests.trace + HeaderIntakeTests.complete
            for _ in 0..<Int.random(in: 0..<20, using: &generator) {
                let isKept = Bool.random(using: &generator)
                let field = try #require((isKept ? kept : removed).randomElement(using: &generator))
                header += field
                if isKept { expected += field }
            }
            #expect(try admit(header).header == expected, "seed \(seed): \(header)")
        }
    }
}
