// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Logging
import Mail
import Synchronization

@testable import Spooling

/// A directory of its own for one test, removed afterwards; a clock that stands still until it is moved.
final class SpoolFixture: Sendable {
    let directory: String
    let now = Atomic<Int64>(1_700_000_000_000)
    private let number = Atomic<UInt64>(0)

    init() throws {
        directory = NSTemporaryDirectory() + "/waxwing-spool-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    var spoolPath: String { directory + "/spool" }

    var clock: WallClock {
        // A spool's alarms outlive it by a minute; they must not keep the directory.
        WallClock { [weak self] in Timestamp(milliseconds: self?.now.load(ordering: .relaxed) ?? 0) }
    }

    var time: Timestamp { clock.now() }

    /// Moves the clock and lets the spool see it.
    func pass(seconds: Int64, _ spool: Spool) {
        now.wrappingAdd(seconds * 1000, ordering: .relaxed)
        spool.startDrain()
    }

    func configuration() -> SpoolConfiguration {
        var configuration = SpoolConfiguration(directory: spoolPath, minimumFree: .octets(0))
        configuration.limits.resultRetryDelay = 5
        configuration.limits.idleDelay = 20
        return configuration
    }

    func open(_ configuration: SpoolConfiguration? = nil) throws -> Spool {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try Spool.open(configuration ?? self.configuration(), clock: clock, logger: logger)
    }

    /// A new message; each gets its own queue ID.
    func message(recipients: Int = 1, headerLength: Int = 0) -> NewMessage {
        let number = number.wrappingAdd(1, ordering: .relaxed).newValue
        return NewMessage(
            queueID: QueueID(arrival: time, distinguisher: number),
            envelope: Envelope(
                reversePath: .mailbox(mailbox("sender")), recipients: (0..<recipients).map { mailbox("r\($0)") }),
            arrival: time, expiry: time.advanced(bySeconds: 5 * 86_400), headerLength: headerLength,
            bodyHashes: [
                BodyHash(canonicalization: .relaxed, digest: Array(repeating: UInt8(number & 255), count: 32))
            ],
            authorDomain: domain)
    }

    /// What the spool would hold if it were cut off now: a copy of its files.
    ///
    /// Made on the writer's queue: a log that is truncated while it is copied would be a state that no crash leaves,
    /// and Foundation's copying never ends when a file becomes shorter under it.
    func copy(of spool: Spool) throws -> SpoolFixture {
        let copy = try SpoolFixture()
        copy.now.store(now.load(ordering: .relaxed), ordering: .relaxed)
        copy.number.store(number.load(ordering: .relaxed), ordering: .relaxed)
        try spool.writer.sync { try FileManager.default.copyItem(atPath: spoolPath, toPath: copy.spoolPath) }
        return copy
    }
}

/// Counts what happens on any thread.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }

    func increment() { count.wrappingAdd(1, ordering: .relaxed) }

    func reset() { count.store(0, ordering: .relaxed) }
}

let domain = Domain("example.com")!

func mailbox(_ localPart: String) -> Mailbox {
    Mailbox(localPart: localPart, host: .domain(domain))
}

let accepted = Diagnostic(
    replyCode: 250, status: EnhancedStatusCode(2, 0, 0), text: "ok", remote: "mx.example.com", command: "end of data",
    owner: .recipient)
let greylisted = Diagnostic(
    replyCode: 451, status: EnhancedStatusCode(4, 7, 1), text: "Greylisted / try later", remote: "192.0.2.1:25",
    command: "RCPT", owner: .network)
let unknownUser = Diagnostic(
    replyCode: 550, status: EnhancedStatusCode(5, 1, 1), text: "No such user", command: "RCPT", owner: .sender)

extension Spool {
    @discardableResult
    func enqueue(_ message: NewMessage, content: StoredContent) async throws(SpoolError) -> QueueID {
        let result = await withCheckedContinuation { continuation in
            enqueue(message, content: content) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    func record(_ id: QueueID, _ results: [RecipientResult], keptFields: [UInt8]? = nil) async throws(SpoolError) {
        let records = results.enumerated().map { RecipientRecord(index: $0, result: $1) }
        try await record(AttemptRecord(queueID: id, results: records, keptFields: keptFields))
    }

    func record(_ attempt: AttemptRecord) async throws(SpoolError) {
        let result = await withCheckedContinuation { continuation in
            record(attempt) { continuation.resume(returning: $0) }
        }
        try result.get()
    }

    /// Everything that is due.
    func claimAll() async -> [ClaimedMessage] {
        var all: [ClaimedMessage] = []
        while true {
            let next = await claimNow(maximumMessages: 1000)
            guard !next.isEmpty else { return all }
            all += next
        }
    }

    /// What is due now, after the writer has done all that there is to do.
    ///
    /// Unlike `claim` it doesn't wait.
    func claimNow(
        maximumMessages: Int = 1, maximumOctets: Int = .max, maximumRecipients: Int = .max
    ) async -> [ClaimedMessage] {
        await withCheckedContinuation { continuation in
            writer.async {
                self.state.withLock { state in
                    state.isFlushDue = true
                    // Else it would look once and not to the end.
                    state.isDraining = true
                }
                self.drain()
                let claimed = self.state.withLock { state in
                    state.failedRecords.isEmpty
                        ? state.schedule.claim(
                            maximumMessages: maximumMessages, maximumOctets: maximumOctets,
                            maximumRecipients: maximumRecipients) : []
                }
                continuation.resume(returning: claimed)
            }
        }
    }

    /// Returns after everything that the writer was given so far.
    func settle() async {
        await withCheckedContinuation { continuation in writer.async { continuation.resume() } }
    }
}

extension ContentWriter {
    func append(_ bytes: [UInt8]) throws(SpoolError) -> Bool {
        let result = unsafe bytes.withUnsafeBytes { bytes in
            Result { () throws(SpoolError) in unsafe try append(bytes) }
        }
        return try result.get()
    }
}

extension WallClock {
    /// The machine's clock.
    static let system = WallClock { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
}
