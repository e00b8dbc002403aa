// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Logging
import Mail
import Relay
import Signing
import Spooling
import Synchronization

/// IntakeFixture is in charge of an intake on a real spool and a real key directory.
///
/// Both are in a directory of their own that goes away with it. Its clock stands until it is moved.
final class IntakeFixture: Sendable {
    let directory: String
    let spool: Spool
    let keyStore: KeyStore
    let keyRing: KeyRing
    let intake: RelayIntake
    let events = Recorder<String>()
    let log = Recorder<String>()

    /// - Parameters:
    ///   - existing: the directory of another fixture, whose spool is closed.
    ///   - unsigned: domains whose mail may leave unsigned, so that a test needs no key.
    ///   - prepare: changes the spool's configuration before it is opened.
    ///   - configure: changes the settings of intake.
    ///   - sign: changes the signing policies.
    init(
        in existing: String? = nil, unsigned: [String] = ["example.com"], minimumFree: MinimumFree = .octets(0),
        preparing prepare: (inout SpoolConfiguration) -> Void = { _ in },
        configuring configure: (inout RelayIntakeConfiguration) -> Void = { _ in },
        signing sign: (inout SigningPolicies) -> Void = { _ in }
    ) throws {
        let directory = existing ?? NSTemporaryDirectory() + "/waxwing-intake-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let clockHand = Clock()
        let clock = WallClock { Timestamp(milliseconds: clockHand.milliseconds.load(ordering: .relaxed)) }
        let log = log
        var logger = Logger(label: "intake") { _ in RecordingLogHandler(log: log) }
        logger.logLevel = .error
        self.directory = directory
        self.clock = clockHand
        var spoolConfiguration = SpoolConfiguration(directory: directory + "/spool", minimumFree: minimumFree)
        prepare(&spoolConfiguration)
        spool = try Spool.open(spoolConfiguration, clock: clock, logger: logger)
        keyStore = KeyStore(directory: directory + "/keys")
        var policies = SigningPolicies()
        for domain in unsigned.compactMap({ Domain($0) }) {
            policies.domains[domain, default: SigningPolicy()].isUnsigned = true
        }
        sign(&policies)
        keyRing = KeyRing(store: keyStore, policies: policies, logger: logger)
        let events = events
        var configuration = RelayIntakeConfiguration(hostname: "relay.example.com", lifetime: 5 * 86400)
        configure(&configuration)
        intake = RelayIntake(
            configuration: configuration,
            spool: spool, keyRing: keyRing, clock: clock, events: { events.add(IntakeFixture.describe($0)) },
            logger: logger)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    private final class Clock: Sendable {
        let milliseconds = Atomic<Int64>(1_795_424_700_123)
    }

    private let clock: Clock

    var time: Timestamp { Timestamp(milliseconds: clock.milliseconds.load(ordering: .relaxed)) }

    func pass(seconds: Int64) {
        clock.milliseconds.wrappingAdd(seconds * 1000, ordering: .relaxed)
    }

    /// An Ed25519 key in the state `generated`.
    func addKey(to domain: Domain) throws -> Selector? {
        let key = try SigningKey.generate(.ed25519)
        let change = KeyStore.Change(time: time, user: "test")
        let description = try keyStore.add(key, to: domain, selector: nil, evidence: "made by a test", change)
        return Selector(description.selector)
    }

    func activate(_ selector: Selector, of domain: Domain) throws {
        let change = KeyStore.Change(time: time, user: "test")
        _ = try keyStore.activate(selector, of: domain, evidence: "none", isUnproven: true, change)
        keyRing.reload()
    }

    static func submission(isEightBit: Bool = false) -> Submission {
        let recipient = Mailbox(localPart: "b", host: .literal("[192.0.2.1]"))
        let sender = Mailbox(localPart: "bounces", host: .literal("[192.0.2.2]"))
        return Submission(
            envelope: Envelope(reversePath: .mailbox(sender), recipients: [recipient], isEightBit: isEightBit),
            client: ClientDescription(heloName: "app", address: "127.0.0.1", protocolName: "ESMTP"))
    }

    /// Hands in a content piece by piece.
    func submit(
        _ pieces: [some Collection<UInt8> & Sendable], _ submission: Submission = submission()
    ) async -> IntakeResult {
        let transaction = intake.begin(submission)
        for piece in pieces { _ = transaction.append(Array(piece)) }
        return await transaction.finish()
    }

    func submit(_ text: String, _ submission: Submission = submission()) async -> IntakeResult {
        await submit([Array(text.utf8)], submission)
    }

    /// The message that was just accepted, as forwarding gets it.
    func claim() async -> ClaimedMessage? {
        await spool.claim(maximumMessages: 1, maximumOctets: .max).first
    }

    private static func describe(_ event: RelayEvent) -> String {
        switch event {
        case .accepted(_, let reversePath, let recipients, let octets):
            "accepted from <\(reversePath)> for \(recipients), \(octets) octets"
        case .refused(let refusal, let authorDomain):
            "refused \(refusal.replyCode) \(refusal.status) of \(authorDomain?.name ?? "nobody")"
        case .authorRewritten(_, let from, let to):
            "rewrote \(from) to \(to)"
        case .oneClickIncomplete(_, let authorDomain, let fault):
            "one click of \(authorDomain): \(fault)"
        case .delivered, .deferred, .failed, .bounced, .unreported, .signatureMismatch, .signingDeferred, .keyChanged,
            .keyDrifted, .keyRecovered, .keyCheckFailed, .departureHeld, .departureReleased, .rotationWaits,
            .publicationFailed, .authenticated, .authenticationFailed, .lockedOut:
            "not an event of intake"
        }
    }
}

extension IntakeTransaction {
    func append(_ bytes: [UInt8]) -> Bool {
        unsafe bytes.withUnsafeBytes { unsafe append($0) }
    }

    func finish() async -> IntakeResult {
        await withCheckedContinuation { continuation in finish { continuation.resume(returning: $0) } }
    }
}

extension IntakeResult {
    var queueID: QueueID? {
        if case .accepted(let queueID) = self { queueID } else { nil }
    }

    var refusal: IntakeRefusal? {
        if case .refused(let refusal) = self { refusal } else { nil }
    }
}

extension ClaimedMessage {
    /// The octets of the content, wherever they are.
    var octets: [UInt8] {
        get throws {
            switch content {
            case .inline(let bytes): bytes
            case .file(let path, _): Array(try Data(contentsOf: URL(filePath: path)))
            }
        }
    }
}

/// Remembers what it is told, from any thread.
final class Recorder<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    func add(_ element: Element) {
        elements.withLock { $0.append(element) }
    }

    var all: [Element] { elements.withLock { $0 } }
}

private struct RecordingLogHandler: LogHandler {
    let log: Recorder<String>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.error

    init(log: Recorder<String>) {
        self.log = log
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let metadata = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        log.add(([event.message.description] + metadata).joined(separator: " "))
    }
}
