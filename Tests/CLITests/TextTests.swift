// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Relay
import Testing

@testable import CLI

@Suite("Texts for people and scripts") struct TextTests {
    private let status = StatusDocument(
        version: "1.2", hostname: "relay.example.com", processID: 42, startedAt: 1000, configurationFile: nil,
        listeners: [.init(address: "127.0.0.1", port: 587), .init(address: "::1", port: 587)], sessions: 3,
        queue: .init(messages: 7, active: 2, deferred: 4, octets: 9000),
        counters: ["delivered_recipients": 5, "accepted_messages": 12])

    @Test("The status is a table of names and values, counters in order")
    func statusText() {
        #expect(
            StatusText.of(status, now: 1000 + 93_600) == """
                waxwing               1.2, process 42, up 1 d 2 h
                hostname              relay.example.com
                configuration         none: the defaults
                listening on          127.0.0.1:587, [::1]:587
                sessions              3
                queue                 7 messages, 2 active, 4 deferred, 9000 octets
                accepted messages     12
                delivered recipients  5

                """)
    }

    @Test("JSON reads back as what it was, and ends with a line end")
    func json() throws {
        let text = try JSONText.of(status)
        #expect(text.hasSuffix("}\n"))
        #expect(try JSONDecoder().decode(StatusDocument.self, from: Data(text.utf8)) == status)
        #expect(text == (try JSONText.of(status)))
    }

    @Test("What needs looking after about keys stands in the status, and nothing when all is well")
    func keysInStatus() {
        var status = status
        status.keys = StatusDocument.Keys(held: [:], drifted: [], rotating: 0)
        #expect(StatusText.of(status, now: 1000) == StatusText.of(self.status, now: 1000))
        status.keys = StatusDocument.Keys(
            held: ["b.test": "no key of it can be seen", "a.test": "its key is compromised"],
            drifted: ["s1._domainkey.b.test"], rotating: 2)
        #expect(
            StatusText.of(status, now: 1000).contains(
                """
                held                  mail of a.test: its key is compromised
                held                  mail of b.test: no key of it can be seen
                not in DNS            s1._domainkey.b.test
                rotating              2 domains

                """))
    }

    @Test(
        "A duration has its two largest units",
        arguments: [
            (-5, "0 s"), (0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h 0 min"),
            (5400, "1 h 30 min"), (86_399, "23 h 59 min"), (86_400, "1 d 0 h"), (273_600, "3 d 4 h"),
        ])
    func duration(seconds: Int64, text: String) {
        #expect(Moment.duration(seconds) == text)
    }

    @Test("A moment is a date and a time of day")
    func moment() throws {
        #expect(Moment.text(1_795_474_800).wholeMatch(of: /2026-11-2[34] \d\d:\d\d:00/) != nil)
        #expect(Moment.now > 1_700_000_000)
    }

    @Test("A list shows each message, why it waits, and the way to the next page")
    func queueList() {
        #expect(QueueText.list(QueueDocument(messages: [], next: nil)) == "The queue is empty.\n")
        let waiting = QueueSummaryDocument(
            queueID: "0000000000001", state: "deferred", arrival: 1000, expiry: 2000, octets: 374,
            reversePath: "a@example.com", authorDomain: "example.com", recipients: 3, openRecipients: 2,
            nextAttempt: 1500, lastDiagnostic: "451 4.7.1 try later")
        var fresh = waiting
        fresh.queueID = "0000000000002"
        fresh.reversePath = ""
        fresh.nextAttempt = nil
        fresh.lastDiagnostic = nil
        let text = QueueText.list(QueueDocument(messages: [waiting, fresh], next: "0000000000002"))
        #expect(
            text == """
                0000000000001  deferred  \(Moment.text(1000))  374 octets  <a@example.com>  2 of 3 recipients
                    next attempt \(Moment.text(1500))
                    451 4.7.1 try later
                0000000000002  deferred  \(Moment.text(1000))  374 octets  <>  2 of 3 recipients
                More: waxwing queue list --after 0000000000002

                """)
    }

    @Test("A message shows each recipient, who said what, and who must act")
    func queueShow() {
        let recipient = QueueRecipientDocument(
            mailbox: "b@example.net", state: "deferred", attempts: 2, nextAttempt: 1500,
            lastDiagnostic: "451 4.7.1 try later", lastNextHop: "mx.example.net", owner: "network")
        let done = QueueRecipientDocument(
            mailbox: "c@example.net", state: "delivered", attempts: 0, nextAttempt: nil, lastDiagnostic: nil,
            lastNextHop: nil, owner: nil)
        let entry = QueueEntryDocument(
            queueID: "0000000000001", arrival: 1000, expiry: 2000, octets: 374, reversePath: "a@example.com",
            isHeld: true, isActive: true, repairs: ["line-ends", "encoded-long-lines", "of-tomorrow"],
            recipients: [recipient, done])
        #expect(
            QueueText.show(entry) == """
                0000000000001  on its way out now  held
                from     <a@example.com>
                arrived  \(Moment.text(1000))
                expires  \(Moment.text(2000))
                size     374 octets
                repairs  line ends: LF became CRLF
                         a body part with lines over 998 octets was encoded
                         of-tomorrow
                to       <b@example.net>  deferred, 2 attempts deferred
                         451 4.7.1 try later
                         said by mx.example.net
                         nobody must act: it is tried again
                         next attempt \(Moment.text(1500))
                to       <c@example.net>  delivered, 0 attempts deferred

                """)
    }

    @Test(
        "Who must act is said in words",
        arguments: [("sender", "the sender"), ("recipient", "the recipient's side"), ("operator", "you must act")])
    func owners(owner: String, words: String) {
        let recipient = QueueRecipientDocument(
            mailbox: "b@example.net", state: "failed", attempts: 1, nextAttempt: nil, lastDiagnostic: nil,
            lastNextHop: nil, owner: owner)
        let entry = QueueEntryDocument(
            queueID: "0000000000001", arrival: 1000, expiry: 2000, octets: 1, reversePath: "", isHeld: false,
            isActive: false, repairs: [], recipients: [recipient])
        #expect(QueueText.show(entry).contains(words))
        #expect(QueueText.show(entry).hasPrefix("0000000000001\nfrom     <>\n"))
    }
}
