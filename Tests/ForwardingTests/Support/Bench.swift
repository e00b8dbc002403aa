// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Logging
import Mail
import NIOCore
import NIOPosix
import SMTP
import Spooling
import Synchronization

@testable import Forwarding

/// Forwarding without a spool: claimed messages in, attempt records out.
final class Bench: Sendable {
    /// When everything happens.
    static let now = Timestamp(seconds: 1_700_000_000)

    let parts: ForwardingParts
    let environment: ForwardingEnvironment
    let signer: StubSigner
    let intake: KeepingIntake
    let events = Mutex<[RelayEvent]>([])
    let released = Mutex<[QueueID]>([])
    private let records: AsyncStream<AttemptRecord>
    private let recorded: AsyncStream<AttemptRecord>.Continuation
    private let numbers = Mutex<UInt64>(0)

    /// Loops and threads for all tests: they are few, and the tests many.
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    static let threadPool: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 2)
        pool.start()
        return pool
    }()

    init(
        _ routes: [Route], resolver: TableResolver = TableResolver(), signer: StubSigner = StubSigner(),
        intake: KeepingIntake = KeepingIntake(), timeouts: ClientTimeouts = ClientTimeouts(),
        retry: RetrySchedule = RetrySchedule(), limits: ForwardingLimits = ForwardingLimits()
    ) {
        let (records, recorded) = AsyncStream.makeStream(of: AttemptRecord.self)
        let randomness = Randomness { 0x9E37_79B9 }
        let box = Box()
        let environment = ForwardingEnvironment(
            configuration: ForwarderConfiguration(
                hostname: "relay.example.com", routes: RoutingTable(routes), retry: retry, timeouts: timeouts,
                limits: limits),
            retry: RetrySetting(retry), eventLoopGroup: Bench.group, threadPool: Bench.threadPool,
            clock: WallClock { Bench.now },
            randomness: randomness, events: { event in box.bench?.events.withLock { $0.append(event) } },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, signer: signer, intake: intake,
            finder: MXFinder(resolver: resolver, hostname: "relay.example.com", randomness: randomness),
            tls: TLSContexts(),
            queue: QueueAccess(
                record: { record, completion in
                    completion(.success(()))
                    recorded.yield(record)
                },
                release: { id in box.bench?.released.withLock { $0.append(id) } }))
        self.parts = ForwardingParts(environment)
        self.environment = environment
        self.signer = signer
        self.intake = intake
        self.records = records
        self.recorded = recorded
        box.set(self)
    }

    /// Lets the environment, which is made first, find the bench.
    private final class Box: Sendable {
        private let slot = Mutex<Bench?>(nil)

        var bench: Bench? { slot.withLock { $0 } }

        func set(_ bench: Bench) { slot.withLock { $0 = bench } }
    }

    /// Dispatches messages and waits for as many records.
    func deliver(_ messages: [ClaimedMessage]) async -> [AttemptRecord] {
        for message in messages { parts.dispatcher.dispatch(message) }
        return await next(messages.count)
    }

    func deliver(_ message: ClaimedMessage) async -> AttemptRecord? {
        await deliver([message]).first
    }

    func next(_ count: Int) async -> [AttemptRecord] {
        var got: [AttemptRecord] = []
        for await record in records {
            got.append(record)
            if got.count == count { break }
        }
        return got
    }

    func message(
        to recipients: [String], from reversePath: String? = "a@example.com",
        content: StoredContent = .inline(Array("From: a@example.com\r\n\r\n.text\r\n".utf8)), isEightBit: Bool = false,
        headerLength: Int = 21, attempts: Int = 0, expiry: Timestamp = Bench.now.advanced(bySeconds: 5 * 86_400)
    ) -> ClaimedMessage {
        let number = numbers.withLock { number in
            number += 1
            return number
        }
        let mailboxes = recipients.compactMap(Bench.mailbox)
        let sender = reversePath.flatMap(Bench.mailbox)
        let envelope = Envelope(
            reversePath: sender.map(ReversePath.mailbox) ?? .null, recipients: mailboxes, isEightBit: isEightBit)
        guard let domain = Domain("example.com") else { preconditionFailure("a domain") }
        return ClaimedMessage(
            message: NewMessage(
                queueID: QueueID(arrival: Bench.now, distinguisher: number), envelope: envelope, arrival: Bench.now,
                expiry: expiry, headerLength: headerLength, bodyHashes: [], authorDomain: domain),
            content: content,
            recipients: mailboxes.enumerated().map {
                ClaimedRecipient(index: $0, mailbox: $1, attempts: attempts)
            })
    }

    /// Reasons for which senders could not be told, and whether that is final.
    var unreported: [(reason: String, isFinal: Bool)] {
        events.withLock { events in
            events.compactMap { event in
                if case .unreported(_, let reason, let until) = event { (reason, until == nil) } else { nil }
            }
        }
    }

    static func mailbox(_ text: String) -> Mailbox? {
        let parts = text.split(separator: "@").map(String.init)
        if parts.count == 2, parts[1].hasPrefix("[") { return Mailbox(localPart: parts[0], host: .literal(parts[1])) }
        guard parts.count == 2, let domain = Domain(parts[1]) else { return nil }
        return Mailbox(localPart: parts[0], host: .domain(domain))
    }

    static func smarthost(
        _ port: Int, tls: ClientTLS = .off, connections: Int = 20, messages: Int = 1000
    ) -> Route {
        Route(
            name: "smarthost", target: .smarthost(host: "127.0.0.1", port: port), tls: tls,
            maximumConnections: connections, maximumMessagesPerConnection: messages)
    }
}

extension AttemptRecord {
    /// A line a recipient: outcome, reply code, enhanced status code, command; `-` for what there is not.
    var words: [String] {
        results.sorted { $0.index < $1.index }.map { record in
            let (word, diagnostic) =
                switch record.result {
                case .delivered(let diagnostic): ("delivered", diagnostic)
                case .deferred(let diagnostic, _): ("deferred", diagnostic)
                case .failed(let diagnostic): ("failed", diagnostic)
                case .unreported(let diagnostic, _): ("unreported", diagnostic)
                case .unsignable(let diagnostic, _): ("unsignable", diagnostic)
                }
            let code = diagnostic.replyCode.map(String.init) ?? "-"
            return "\(word) \(code) \(diagnostic.status) \(diagnostic.command ?? "-")"
        }
    }
}
