// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import Receiving
internal import Spooling

/// RelayIntakeTransaction is in charge of one message on its way in.
///
/// The header section is collected and judged whole, the body passes through the hasher into the spool piece by piece.
/// Where a line of it is too long to be sent by anybody, it passes a second time, after its last octet.
/// The first reason to refuse holds; octets after it are passed over, and the reply says it at the end.
///
/// Sendable, unchecked:
/// 1. `IntakeTransaction` has its caller make one call at a time, each after the one before it; so nothing here is
///    touched by two threads at once.
/// 2. What leaves it for the spool's completion are values.
final class RelayIntakeTransaction: IntakeTransaction, @unchecked Sendable {
    private enum Phase {
        case header(HeaderCollector)
        case body(IntakeContent, Author)
        case refused(IntakeRefusal)
        case ended
    }

    /// What is remembered of the header section once it is written.
    private struct Author {
        var domain: Domain
        /// To be told when the message is on disk.
        var events: [RelayEvent]
    }

    private let intake: RelayIntake
    private let queueID: QueueID
    private let arrival: Timestamp
    private let client: ClientDescription?
    private let principal: Principal?
    private var envelope: Envelope
    private var options: MessageOptions
    private var authorDomain: Domain?
    private var repairs: Set<Repair> = []
    private var phase = Phase.header(HeaderCollector())

    init(intake: RelayIntake, submission: Submission, queueID: QueueID, arrival: Timestamp) {
        self.intake = intake
        self.queueID = queueID
        self.arrival = arrival
        self.client = submission.client
        self.principal = submission.principal
        self.envelope = submission.envelope
        self.options = submission.options
    }

    func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch phase {
        case .header(var collector):
            phase = .ended  // Gives up its hold on the octets, so that the collector appends in place.
            switch unsafe collector.append(bytes) {
            case .incomplete:
                phase = .header(collector)
                return false
            case .tooLarge:
                phase = .refused(.headerSectionTooLarge)
                return false
            case .complete(let headerSection, let bodyStart):
                openBody(headerSection, startsWithEmptyLine: headerSection.isEmpty)
                return unsafe append(UnsafeRawBufferPointer(rebasing: bytes[bodyStart...]))
            }
        case .body(let content, _):
            do throws(SpoolError) {
                unsafe try content.append(bytes)
            } catch {
                content.discard()
                phase = .refused(refusal(for: error))
            }
            return content.mayBlock
        case .refused, .ended:
            return false
        }
    }

    func note(_ repair: Repair) {
        repairs.insert(repair)
    }

    func finish(_ completion: @escaping @Sendable (IntakeResult) -> Void) {
        if case .header(let collector) = phase {
            // RFC 5322 §2.1: the body is optional. The empty line is not written by all who send none.
            openBody(completed(collector.bytes), startsWithEmptyLine: false)
        }
        switch exchange(&phase, with: .ended) {
        case .body(let content, let author):
            finish(content, author, completion)
        case .refused(let refusal):
            refuse(refusal, completion)
        case .header, .ended:
            preconditionFailure("a transaction finishes once")
        }
    }

    func abort() {
        if case .body(let content, _) = exchange(&phase, with: .ended) { content.discard() }
    }

    /// A header section without a body, with the end of its last line.
    private func completed(_ headerSection: [UInt8]) -> [UInt8] {
        guard let last = headerSection.last, last != UInt8(ascii: "\n") else { return headerSection }
        note(.finalLineEnd)
        return headerSection + [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
    }

    /// Judges the header section and starts the content with what becomes of it.
    private func openBody(_ headerSection: [UInt8], startsWithEmptyLine: Bool) {
        do {
            if startsWithEmptyLine { throw IntakeRefusal.emptyFirstLine }
            let header = try intake.admit(
                headerSection, envelope: envelope, client: client, principal: principal, queueID: queueID,
                arrival: arrival)
            authorDomain = header.authorDomain
            rewriteReversePath()
            if let refusal = intake.refusal(of: envelope.reversePath, principal: principal) { throw refusal }
            if let refusal = intake.refusal(ofAuthorDomain: header.authorDomain) { throw refusal }
            header.controls.apply(to: &options)
            if let refusal = intake.refusal(of: options, arrival: arrival) { throw refusal }

            let content = try intake.makeContent(author: header.authorDomain)
            phase = .body(content, Author(domain: header.authorDomain, events: events(of: header)))
            try content.begin(header.bytes)
            repairs.formUnion(header.repairs)
            try resolveRecipients()
        } catch {
            if case .body(let content, _) = phase { content.discard() }
            phase = .refused(refusal(for: error))
        }
    }

    private func events(of header: AdmittedHeader) -> [RelayEvent] {
        var events: [RelayEvent] = []
        if let author = header.rewrittenAuthor {
            events.append(.authorRewritten(queueID, from: author.from, to: author.to))
        }
        if let fault = header.oneClickFault {
            events.append(.oneClickIncomplete(queueID, authorDomain: header.authorDomain, fault: fault))
        }
        return events
    }

    /// Bounces must reach somebody, as replies to the author must; Waxwing's own messages have no reverse-path.
    private func rewriteReversePath() {
        guard client != nil, let reversePath = intake.rewritten(envelope.reversePath) else { return }
        envelope.reversePath = reversePath
        note(.rewrittenMailbox)
    }

    private func resolveRecipients() throws(IntakeRefusal) {
        guard let recipients = try intake.resolved(envelope.recipients) else { return }
        // RFC 3461 §6.2.7.1: who gets it instead inherits what was asked for the one who was named.
        let notices = envelope.notices.recipients
        envelope.recipients = recipients.map(\.mailbox)
        guard !notices.isEmpty else { return }
        envelope.notices.recipients = [:]
        for (index, recipient) in recipients.enumerated() {
            envelope.notices.recipients[index] = notices[recipient.origin]
        }
    }

    // MARK: After the last octet

    private func finish(
        _ content: IntakeContent, _ author: Author, _ completion: @escaping @Sendable (IntakeResult) -> Void
    ) {
        var content = content
        do {
            switch try content.endLastLine() {
            case .complete: break
            case .completed: note(.finalLineEnd)
            case .bareReturn: throw IntakeRefusal.bareReturn
            }
            if content.hasLongLine {
                let encoded = try withShortLines(content, author.domain)
                content.discard()
                content = encoded
                note(.encodedLongLines)
            }
            if content.isEightBit { envelope.isEightBit = true }
            let (stored, bodyHashes) = try content.finish()
            enqueue(
                NewMessage(
                    queueID: queueID, envelope: envelope, arrival: arrival,
                    expiry: intake.expiry(of: arrival, options),
                    headerLength: content.headerLength, bodyHashes: bodyHashes, authorDomain: author.domain,
                    repairs: repairs.isEmpty ? [] : Repair.allCases.filter(repairs.contains), options: options,
                    principal: principal),
                stored, author.events, completion)
        } catch {
            content.discard()
            refuse(refusal(for: error), completion)
        }
    }

    private func enqueue(
        _ message: NewMessage, _ content: StoredContent, _ events: [RelayEvent],
        _ completion: @escaping @Sendable (IntakeResult) -> Void
    ) {
        let length = content.length
        intake.enqueue(message, content: content) { [intake] result in
            switch result {
            case .success(let id) where id != message.queueID:
                // Taken in before, and told of then.
                intake.noteRepetition(message.queueID, of: id)
                completion(.accepted(id))
            case .success:
                intake.events(
                    .accepted(
                        message.queueID, reversePath: message.envelope.reversePath,
                        recipients: message.envelope.recipients.count, octets: length))
                for event in events { intake.events(event) }
                completion(.accepted(message.queueID))
            case .failure(let error):
                intake.note(error, doing: "enqueue", queueID: message.queueID)
                intake.events(.refused(error.refusal, authorDomain: message.authorDomain))
                completion(.refused(error.refusal))
            }
        }
    }

    /// The same message with its long lines encoded, as a content of its own; the first one stays as it is.
    ///
    /// Nothing is held in memory but what one content may hold there: it is read from where it lies.
    private func withShortLines(_ content: IntakeContent, _ author: Domain) throws -> IntakeContent {
        let written = try content.written()
        let headerSection = try written.octets(0..<content.headerLength)
        let body = written.body(from: content.headerLength + 2)
        guard let rendition = try Rendition.plan(headerSection: headerSection, goal: .shortLines, body: body) else {
            throw IntakeRefusal.longLine
        }
        let encoded = try intake.makeContent(author: author)
        do {
            try encoded.begin(rendition.headerSection)
            try rendition.body(body)({ try encoded.append($0) })
            guard !encoded.hasLongLine else { throw IntakeRefusal.longLine }
        } catch {
            encoded.discard()
            throw error
        }
        return encoded
    }

    // MARK: Refusals

    private func refuse(_ refusal: IntakeRefusal, _ completion: @Sendable (IntakeResult) -> Void) {
        intake.events(.refused(refusal, authorDomain: authorDomain))
        completion(.refused(refusal))
    }

    /// What is not the message's fault is for the log.
    private func refusal(for error: any Error) -> IntakeRefusal {
        switch error {
        case let refusal as IntakeRefusal:
            return refusal
        case let error as RenditionError:
            return .notConvertible(error)
        case let error as SpoolError:
            intake.note(error, doing: "write the content", queueID: queueID)
            return error.refusal
        default:
            intake.note(error, doing: "hash the body", queueID: queueID)
            return .systemFault
        }
    }
}

extension IntakeRefusal {
    /// RFC 5322 §2.1: the header section ends at the first empty line.
    static var emptyFirstLine: IntakeRefusal {
        IntakeRefusal(
            replyCode: 550, status: EnhancedStatusCode(5, 6, 0),
            lines: ["Message refused: it starts with an empty line, so it has no header section and no From field."])
    }

    /// RFC 5322 §2.3: CR and LF occur together only.
    static var bareReturn: IntakeRefusal {
        IntakeRefusal(
            replyCode: 550, status: EnhancedStatusCode(5, 6, 0),
            lines: ["Message refused: it ends with a CR without LF."])
    }

    /// RFC 5322 §2.1.1: the limit of a line.
    static var longLine: IntakeRefusal {
        IntakeRefusal(
            replyCode: 550, status: EnhancedStatusCode(5, 6, 0),
            lines: ["Message refused: a line over 998 octets stands where it can't be encoded."])
    }

    /// RFC 3463 §3.7: X.6.x, media errors.
    static func notConvertible(_ error: RenditionError) -> IntakeRefusal {
        IntakeRefusal(
            replyCode: 550, status: error.status,
            lines: [printable("Message refused: \(error.text).")])
    }
}
