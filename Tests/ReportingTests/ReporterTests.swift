// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Logging
import Mail
import Reporting
import Synchronization
import Testing

/// Keeps what is logged.
private final class LogBook: Sendable {
    struct Line: Sendable {
        var level: Logger.Level
        var message: String
        var metadata: Logger.Metadata
    }

    private let lines = Mutex<[Line]>([])

    var all: [Line] { lines.withLock { $0 } }

    func logger() -> Logger {
        var logger = Logger(label: "test") { _ in Handler(book: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let book: LogBook
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let line = Line(level: event.level, message: "\(event.message)", metadata: event.metadata ?? [:])
            book.lines.withLock { $0.append(line) }
        }
    }
}

@Suite struct ReporterTests {
    private let id = QueueID(arrival: Timestamp(seconds: 1_700_000_000), distinguisher: 7)
    private let mailbox = Mailbox(localPart: "joe", host: .literal("[192.0.2.1]"))
    private let diagnostic = Diagnostic(
        replyCode: 550, status: EnhancedStatusCode(5, 1, 1), text: "no such user", remote: "mx.example.net:25",
        command: "RCPT", owner: .recipient)

    @Test func `every kind of event has its own counter`() throws {
        let reporter = Reporter(logger: LogBook().logger())
        let domain = try #require(Domain("example.com"))
        let events: [(EventCounters.Name, RelayEvent)] = [
            (.acceptedMessages, .accepted(id, reversePath: .null, recipients: 1, octets: 10)),
            (
                .refusedMessages,
                .refused(
                    IntakeRefusal(replyCode: 550, status: EnhancedStatusCode(5, 6, 0), lines: ["no From"]),
                    authorDomain: nil)
            ),
            (.authentications, .authenticated(application: "news")),
            (.authenticationFailures, .authenticationFailed(application: nil, address: "192.0.2.7")),
            (.lockOuts, .lockedOut(.address("192.0.2.7"))),
            (.deliveredRecipients, .delivered(id, mailbox, diagnostic)),
            (.deferredRecipients, .deferred(id, mailbox, diagnostic, until: Timestamp(seconds: 5))),
            (.failedRecipients, .failed(id, mailbox, diagnostic)),
            (.bounces, .bounced(id, asQueueID: id)),
            (.unreportedFailures, .unreported(id, reason: "550 5.7.1 no", until: nil)),
            (.signatureMismatches, .signatureMismatch(id, sdid: domain, selector: "s1")),
            (.signingDeferrals, .signingDeferred(id, DepartureSigningError(text: "no key"))),
            (.rewrittenAuthors, .authorRewritten(id, from: "root@localhost", to: mailbox)),
            (.incompleteOneClicks, .oneClickIncomplete(id, authorDomain: domain, fault: "no HTTPS URI")),
            (.keyChanges, .keyChanged(sdid: domain, selector: "s1", from: "active", to: "retiring", reason: "rotated")),
            (.keyDrifts, .keyDrifted(sdid: domain, selector: "s1", reason: "no record")),
            (.keyCheckFailures, .keyCheckFailed(sdid: domain, selector: "s1", reason: "SERVFAIL")),
            (.departureHolds, .departureHeld(domain: domain, reason: "no key that the DNS shows")),
            (.publicationFailures, .publicationFailed(domain: domain, selector: "s1", reason: "REFUSED")),
        ]
        #expect(events.count == EventCounters.Name.allCases.count)
        for (count, (name, event)) in events.enumerated() {
            for _ in 0...count { reporter.sink(event) }
            #expect(reporter.counters.value(name) == count + 1)
        }
        for (count, (name, _)) in events.enumerated() {
            #expect(reporter.counters.snapshot[name.rawValue] == count + 1)
        }
    }

    @Test func `what went well is quiet and what needs someone is not`() throws {
        let book = LogBook()
        let reporter = Reporter(logger: book.logger())
        reporter.report(.delivered(id, mailbox, diagnostic))
        reporter.report(.deferred(id, mailbox, diagnostic, until: Timestamp(seconds: 5)))
        reporter.report(.failed(id, mailbox, diagnostic))
        reporter.report(.signingDeferred(id, DepartureSigningError(text: "no key")))
        reporter.report(.unreported(id, reason: "452 4.3.1 full", until: Timestamp(seconds: 5)))
        reporter.report(.unreported(id, reason: "550 5.7.1 no", until: nil))
        #expect(book.all.map(\.level) == [.debug, .notice, .warning, .error, .warning, .error])
    }

    @Test func `what becomes of keys is as loud as it is urgent`() throws {
        let book = LogBook()
        let reporter = Reporter(logger: book.logger())
        let domain = try #require(Domain("example.com"))
        let events: [RelayEvent] = [
            .keyChanged(sdid: domain, selector: "s1", from: nil, to: "generated", reason: "asked by root"),
            .keyDrifted(sdid: domain, selector: "s1", reason: "no record"),
            .keyRecovered(sdid: domain, selector: "s1"),
            .keyCheckFailed(sdid: domain, selector: "s1", reason: "SERVFAIL"),
            .departureHeld(domain: domain, reason: "no key that the DNS shows"),
            .departureReleased(domain: domain),
            .rotationWaits(domain: domain, for: "the record of s1"),
            .publicationFailed(domain: domain, selector: "s1", reason: "REFUSED"),
        ]
        for event in events { reporter.report(event) }
        let levels: [Logger.Level] = [
            .notice, .error, .notice, .warning, .critical, .notice, .warning, .error,
        ]
        #expect(book.all.map(\.level) == levels)
        #expect(Set(book.all.map(\.message)).count == events.count)
        #expect(
            book.all.first?.metadata
                == ["sdid": "example.com", "selector": "s1", "to": "generated", "reason": "asked by root"])
        #expect(book.all[4].metadata == ["domain": "example.com", "reason": "no key that the DNS shows"])
        #expect(book.all[6].metadata == ["domain": "example.com", "for": "the record of s1"])
    }

    @Test func `held domains and drifted keys are shown as they are now`() {
        let reporter = Reporter(logger: LogBook().logger())
        #expect(reporter.counters.snapshot["held_domains"] == 0)
        for (held, drifted) in [(2, 3), (0, 1)] {
            reporter.setKeyGauges(held: held, drifted: drifted)
            #expect(reporter.counters.value(.heldDomains) == held)
            #expect(reporter.counters.value(.driftedKeys) == drifted)
            #expect(reporter.counters.snapshot["held_domains"] == held)
            #expect(reporter.counters.snapshot["drifted_keys"] == drifted)
        }
    }

    @Test func `one-click faults are counted always and logged once a while for each domain`() throws {
        let book = LogBook()
        let reporter = Reporter(logger: book.logger())
        for name in ["example.com", "example.org", "example.com"] {
            let domain = try #require(Domain(name))
            reporter.report(.oneClickIncomplete(id, authorDomain: domain, fault: "no HTTPS URI"))
        }
        #expect(reporter.counters.value(.incompleteOneClicks) == 3)
        #expect(book.all.map { $0.metadata["author_domain"] } == ["example.com", "example.org"])
        #expect(book.all.allSatisfy { $0.level == .warning })
    }

    @Test func `a failure is logged with everything that explains it`() throws {
        let book = LogBook()
        Reporter(logger: book.logger()).report(.failed(id, mailbox, diagnostic))
        let line = try #require(book.all.first)
        #expect(line.message == "failed")
        #expect(
            line.metadata == [
                "queue_id": "\(id)", "recipient": "<joe@[192.0.2.1]>", "status": "5.1.1", "text": "no such user",
                "owner": "recipient", "reply_code": "550", "next_hop": "mx.example.net:25", "command": "RCPT",
            ])
    }
}
