// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
package import Logging
package import Mail
package import Receiving
package import Signing
package import Spooling
internal import Synchronization

/// RelayIntake is in charge of taking messages in, those of clients and Waxwing's own alike.
///
/// It puts together the judgement of the header section, the question whether the author domain can be signed for,
/// the body hash and the spool.
/// What it accepts is on disk and could be signed when it came in; it never signs.
package final class RelayIntake: Intake {
    /// How often the log is told that one domain's keys can't be used, whatever the number of its messages.
    private static let complaintInterval: Int64 = 60  // seconds

    /// What a reload replaces.
    private struct Rules {
        var headerIntake: HeaderIntake
        var rewriteRules: RewriteRules
        var localMail: LocalMail
        var aliases: AliasFile?
        /// In seconds.
        var lifetime: Int64
        var routes: [String]

        init(_ configuration: RelayIntakeConfiguration) {
            headerIntake = HeaderIntake(
                hostname: configuration.hostname, hidesClientAddress: configuration.hidesClientAddress,
                rewriteRules: configuration.rewriteRules, applications: configuration.applications,
                routes: configuration.routes, localDomain: configuration.localMail.domain)
            localMail = configuration.localMail
            aliases = configuration.aliasFile.map { AliasFile($0) }
            rewriteRules = configuration.rewriteRules
            lifetime = configuration.lifetime
            routes = configuration.routes
        }
    }

    private let hostname: String
    private let rules: Mutex<Rules>
    private let spool: Spool
    private let keyRing: KeyRing
    private let clock: WallClock
    private let logger: Logger
    let events: EventSink

    private let randomness = IntakeRandomness()
    private let queueIDs: QueueIDMaker
    /// When the log was last told of a domain, of those that have keys.
    private let complaints = Mutex<[Domain: Timestamp]>([:])

    package init(
        configuration: RelayIntakeConfiguration, spool: Spool, keyRing: KeyRing, clock: WallClock,
        events: @escaping EventSink, logger: Logger
    ) {
        self.hostname = configuration.hostname
        self.rules = Mutex(Rules(configuration))
        self.spool = spool
        self.queueIDs = QueueIDMaker(after: spool.newestQueueID, random: randomness.next())
        self.keyRing = keyRing
        self.clock = clock
        self.events = events
        self.logger = logger
    }

    /// For all messages whose header section comes from now on; those in the spool keep their expiry.
    ///
    /// - Parameter next: of another hostname nothing is said before the next start.
    package func replaceRules(_ next: RelayIntakeConfiguration) {
        var next = next
        next.hostname = hostname
        let rules = Rules(next)
        self.rules.withLock { $0 = rules }
    }

    package func refusal(ofSize size: Int?) -> IntakeRefusal? {
        guard let refusal = spool.admission(ofSize: size) else { return nil }
        events(.refused(refusal, authorDomain: nil))
        return refusal
    }

    package func begin(_ submission: Submission) -> any IntakeTransaction {
        let arrival = clock.now()
        return RelayIntakeTransaction(
            intake: self, submission: submission, queueID: queueIDs.next(arrival: arrival), arrival: arrival)
    }

    // What follows serves the transactions.

    func admit(
        _ headerSection: [UInt8], envelope: Envelope, client: ClientDescription?, principal: Principal?,
        queueID: QueueID, arrival: Timestamp
    ) throws(IntakeRefusal) -> AdmittedHeader {
        try rules.withLock { $0.headerIntake }.admit(
            headerSection, envelope: envelope, client: client, principal: principal, queueID: queueID, arrival: arrival,
            random: randomness.next())
    }

    /// The reverse-path that a `[[rewrite]]` rule puts in the place of this one; nil if there is none.
    func rewritten(_ reversePath: ReversePath) -> ReversePath? {
        guard case .mailbox(let mailbox) = reversePath else { return nil }
        return rules.withLock { $0.rewriteRules }.rewrite(mailbox).map { .mailbox($0) }
    }

    /// Those who get the mail of users of this machine, and what rules put in the place of recipients; nil if they stay.
    func resolved(_ recipients: [Mailbox]) throws(IntakeRefusal) -> [LocalMail.Recipient]? {
        let (localMail, aliases) = rules.withLock { ($0.localMail, $0.aliases) }
        return try localMail.recipients(recipients) { aliases?.table(logger) ?? AliasTable() }
    }

    /// Nil if whoever submits may use this reverse-path.
    func refusal(of reversePath: ReversePath, principal: Principal?) -> IntakeRefusal? {
        rules.withLock { $0.headerIntake }.refusal(of: reversePath, principal: principal)
    }

    /// Nil if mail of the domain can be signed now or waits for a key, or may go unsigned by the configuration.
    func refusal(ofAuthorDomain domain: Domain) -> IntakeRefusal? {
        switch keyRing.signability(of: domain) {
        case .signable, .unsigned, .held:
            return nil
        case .noKeys(let nextStep):
            return .noKeys(nextStep: nextStep)
        case .notUsable(let nextStep):
            complain(of: domain, nextStep: nextStep)
            return .noUsableKeys(nextStep: nextStep)
        }
    }

    /// For a message of an author domain: it decides which body hashes its signatures will need.
    func makeContent(author: Domain) throws(CryptographyError) -> IntakeContent {
        // Relaxed always: where the domain wants simple, its route may want relaxed all the same.
        let wanted = keyRing.bodyCanonicalization(of: author)
        return try IntakeContent(
            spool.contentWriter(), hashes: wanted == .relaxed ? [.relaxed] : [.relaxed, wanted])
    }

    func expiry(of arrival: Timestamp, _ options: MessageOptions) -> Timestamp {
        options.expiry(arrival: arrival, lifetime: rules.withLock { $0.lifetime })
    }

    /// Why what was asked for a message can't be done; nil if it can.
    func refusal(of options: MessageOptions, arrival: Timestamp) -> IntakeRefusal? {
        if let route = options.route {
            let known = rules.withLock { $0.routes }
            if !known.contains(route) { return .unknownRoute(route, known: known) }
        }
        if let expiry = options.expiry, expiry <= options.firstAttempt(arrival: arrival) { return .expiredBefore }
        return nil
    }

    func enqueue(
        _ message: NewMessage, content: StoredContent,
        completion: @escaping @Sendable (Result<QueueID, SpoolError>) -> Void
    ) {
        spool.enqueue(message, content: content, completion: completion)
    }

    func note(_ error: any Error, doing what: String, queueID: QueueID) {
        logger.error(
            "a message could not be taken in",
            metadata: ["step": "\(what)", "queue-id": "\(queueID)", "error": "\(error)"])
    }

    /// A message with an idempotency key came again.
    func noteRepetition(_ queueID: QueueID, of first: QueueID) {
        logger.info(
            "A message came again with the same idempotency key; it is stored once",
            metadata: ["queue-id": "\(first)", "repetition": "\(queueID)"])
    }

    private func complain(of domain: Domain, nextStep: String) {
        let now = clock.now()
        let isDue = complaints.withLock { complaints in
            if let last = complaints[domain], now.seconds - last.seconds < RelayIntake.complaintInterval,
                now >= last
            {
                return false
            }
            complaints[domain] = now
            return true
        }
        guard isDue else { return }
        logger.error(
            "mail is refused for now: no key of its author domain can be used",
            metadata: ["domain": "\(domain)", "next-step": "\(nextStep)"])
    }
}

/// The settings of intake.
package struct RelayIntakeConfiguration: Hashable, Sendable {
    /// This relay's name, for the trace field.
    package var hostname: String
    /// The trace field leaves out the address that a message came from.
    package var hidesClientAddress: Bool
    /// How long delivery is attempted, in seconds.
    package var lifetime: Int64
    package var rewriteRules: RewriteRules
    package var applications: [ApplicationFields]
    /// The names of the routes that a message may ask for.
    package var routes: [String]
    package var localMail = LocalMail()
    /// The path of the alias file; nil if there is none.
    package var aliasFile: String?

    package init(
        hostname: String, hidesClientAddress: Bool = false, lifetime: Int64,
        rewriteRules: RewriteRules = RewriteRules(), applications: [ApplicationFields] = [],
        routes: [String] = []
    ) {
        self.hostname = hostname
        self.hidesClientAddress = hidesClientAddress
        self.lifetime = lifetime
        self.rewriteRules = rewriteRules
        self.applications = applications
        self.routes = routes
    }
}

extension IntakeRefusal {
    /// RFC 3463 §3.8: X.7.1, "delivery not authorized, message refused".
    static func noKeys(nextStep: String) -> IntakeRefusal {
        IntakeRefusal(
            replyCode: 550, status: EnhancedStatusCode(5, 7, 1), lines: [printable("Message refused: \(nextStep)")])
    }

    /// RFC 3463 §3.8: X.7.5, "cryptographic failure".
    static func noUsableKeys(nextStep: String) -> IntakeRefusal {
        IntakeRefusal(
            replyCode: 451, status: EnhancedStatusCode(4, 7, 5), lines: [printable("Try again later: \(nextStep)")])
    }

    /// A next step may name a file, and a file's name may hold anything.
    static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { (32...126).contains($0.value) ? $0 : "?" }))
    }

    /// RFC 3463 §3.4: X.3.0, "other or undefined mail system status".
    static var systemFault: IntakeRefusal {
        IntakeRefusal(
            replyCode: 451, status: EnhancedStatusCode(4, 3, 0), lines: ["Try again later: a fault of this relay."])
    }
}
