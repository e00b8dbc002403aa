// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import NIOCore
import SMTP
import Testing

/// What the dialogues can't say.
@Suite struct ServerSessionTests {
    private func driver(
        recipients: Int = 1000, message: Int = 100_000, bareLineFeed: BareLineFeed = .reject
    ) -> SessionDriver {
        var configuration = ServerSession.Configuration(
            hostname: "relay.example.com", maximumMessageOctets: message, maximumRecipients: recipients,
            maximumCommandOctets: 4096, maximumErrors: 20, maySubmit: true)
        configuration.bareLineFeed = bareLineFeed
        return SessionDriver(configuration)
    }

    @Test func whoTalksBeforeTheGreetingIsTurnedAway() {
        var session = driver()
        session.send("EHLO client\r\n")
        session.connect()
        #expect(session.output == ["554 5.5.0 Client talks before its turn"])
        #expect(session.isClosed)
    }

    @Test func manyRecipientsAreKeptOnceAndInOrder() throws {
        var session = driver()
        session.connect()
        session.send("EHLO client\r\nMAIL FROM:<ada@example.com> SIZE=20 BODY=8BITMIME\r\n")
        for _ in 0..<2 {
            for index in 0..<1000 { session.send("RCPT TO:<r\(index)@example.org>\r\n") }
        }
        session.output = []
        session.send("DATA\r\n")
        session.send("Subject: one\r\n.\r\n")
        #expect(session.output.last == "250 2.0.0 queued as 0000000020001")
        let submission = try #require(session.submissions.first)
        #expect(submission.envelope.recipients.map(\.localPart) == (0..<1000).map { "r\($0)" })
        #expect(submission.envelope.isEightBit)
        #expect(submission.declaredSize == 20)
        #expect(
            submission.client
                == ClientDescription(heloName: "client", address: "127.0.0.1", protocolName: "ESMTP"))
    }

    @Test("smuggled commands are never obeyed", arguments: DataDecoderTests.smugglingEnds)
    func smuggling(_ ending: String) {
        for message in [100_000, 5] {
            var session = driver(message: message)
            session.connect()
            session.send("EHLO client\r\nMAIL FROM:<ada@example.com>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n")
            session.output = []
            session.send("Subject: a\r\n\r\nb\(ending)MAIL FROM:<eve@example.com>\r\nDATA\r\n.\r\n")
            // Refused in any case; and unless the true end of data was in it, there was one reply, to the content.
            #expect(session.messages.isEmpty)
            #expect(session.faults.count == 1)
            #expect(session.output.first?.hasPrefix("55") == true)
            if !ending.hasSuffix("\r\n.\r\n") { #expect(session.output.count == 1) }
        }
    }

    @Test func aLongLineOfContentIsHandedOn() {
        var session = driver()
        session.connect()
        session.send("EHLO client\r\nMAIL FROM:<ada@example.com>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n")
        session.output = []
        session.send(String(repeating: "x", count: 999) + "\r\n.\r\n")
        #expect(session.output == ["250 2.0.0 queued as 0000000020001"])
        #expect(session.messages == [Array((String(repeating: "x", count: 999) + "\r\n").utf8)])
        #expect(session.repairs == [[]])
    }

    @Test func theRepairOfLineEndsIsToldOfTheMessageThatHadIt() {
        var session = driver(bareLineFeed: .normalise)
        session.connect()
        for content in ["a\nb\r\n", "a\r\nb\r\n"] {
            session.send("EHLO client\r\nMAIL FROM:<ada@example.com>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n")
            session.send(content + ".\r\n")
        }
        #expect(session.messages == [Array("a\r\nb\r\n".utf8), Array("a\r\nb\r\n".utf8)])
        #expect(session.repairs == [[.lineEnds], []])
    }

    @Test func contentWithoutEndClosesTheSession() {
        var session = driver(message: 1000)
        session.connect()
        session.send("EHLO client\r\nMAIL FROM:<ada@example.com>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n")
        session.output = []
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 500) + [13, 10]
        let lines = Array(repeatElement(line, count: 100).joined())
        var rounds = 0
        while !session.isClosed, rounds < 100 {
            session.send(lines)
            rounds += 1
        }
        #expect(session.output == ["552 5.3.4 Message exceeds the size limit"])
        #expect((20...24).contains(rounds))
    }
}
