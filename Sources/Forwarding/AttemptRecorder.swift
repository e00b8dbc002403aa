// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Logging
internal import Mail
internal import Spooling

/// `AttemptRecorder` is in charge of what an attempt leads to: delivered, deferred until when, failed and reported
/// to the sender; it holds on to a message until the spool has it in writing.
final class AttemptRecorder: Sendable {
    /// When a failure is looked at again whose bounce could not be stored.
    private static let bounceRetrySeconds: Int64 = 300
    /// How long after a message's expiry that goes on.
    private static let bounceGraceSeconds: Int64 = 86_400

    private let environment: ForwardingEnvironment
    private let bouncer: Bouncer
    private let budget: InFlightBudget

    init(environment: ForwardingEnvironment, bouncer: Bouncer, budget: InFlightBudget) {
        self.environment = environment
        self.bouncer = bouncer
        self.budget = budget
    }

    /// No recipient of the message is open any more.
    func finished(_ message: MessageInFlight, _ report: MessageInFlight.Report) {
        let now = environment.clock.now()
        var record = AttemptRecord(queueID: message.claimed.queueID, results: [], keyUses: report.keyUses)
        // The last octet may have left only now.
        for index in record.keyUses.indices { record.keyUses[index].time = max(record.keyUses[index].time, now) }
        guard !report.settled.isEmpty || !report.unsignable.isEmpty else {
            // Given back untried, but its signatures were made, and who knows which connection broke when.
            if !record.keyUses.isEmpty { return write(record, message) }
            environment.queue.release(record.queueID)
            return giveBack(message)
        }
        record.results.reserveCapacity(report.settled.count + report.unsignable.count)
        var hasDeferred = report.settled.count < message.claimed.recipients.count
        var failed: [DeliveryStatusNotification.RecipientReport] = []
        var succeeded: [DeliveryStatusNotification.RecipientReport] = []
        let claimed = message.claimed
        func add(_ position: Int, _ result: (ClaimedRecipient) -> RecipientResult) {
            let recipient = message.claimed.recipients[position]
            let result = result(recipient)
            record.results.append(RecipientRecord(index: recipient.index, result: result))
            switch result {
            case .delivered(let diagnostic):
                let isPassedOn = message.isPassedOn(position)
                if let report = claimed.successReport(position, diagnostic, isPassedOn: isPassedOn, now) {
                    succeeded.append(report)
                }
            case .deferred, .unreported, .unsignable: hasDeferred = true
            case .failed(let diagnostic):
                guard claimed.envelope.notices.wants(.failure, recipient: recipient.index) else { break }
                // When a failure of an earlier attempt is only now reported, nobody knows any more when that was.
                failed.append(
                    .init(
                        mailbox: recipient.mailbox, diagnostic: diagnostic,
                        lastAttempt: recipient.failure == nil ? now : nil,
                        originalRecipient: claimed.envelope.notices[recipient: recipient.index].originalRecipient))
            }
        }
        for (position, outcome) in report.settled {
            add(position) { result(of: outcome, for: $0, message.claimed, now) }
        }
        for (position, diagnostic) in report.unsignable {
            add(position) { _ in wait(diagnostic, message.claimed, now) }
        }
        if hasDeferred { record.keptFields = report.fields }
        tellOfSuccess(succeeded, message, now) { [record, failed] in
            guard !failed.isEmpty else { return self.write(record, message) }
            self.bounce(failed, of: message, record, now)
        }
    }

    private func result(
        of outcome: Outcome, for recipient: ClaimedRecipient, _ message: ClaimedMessage, _ now: Timestamp
    ) -> RecipientResult {
        switch outcome {
        case .delivered(let diagnostic): return .delivered(diagnostic)
        case .failed(let diagnostic): return .failed(diagnostic)
        case .deferred(let diagnostic):
            let next = environment.retry.current.next(
                afterAttempts: recipient.attempts, now: now, expiry: message.expiry, environment.randomness)
            if let next { return .deferred(diagnostic, until: next) }
            return .failed(AttemptRecorder.expired(diagnostic))
        }
    }

    /// Until there is a key, which `Forwarder` looks for, and no longer than the message lives.
    private func wait(_ diagnostic: Diagnostic, _ message: ClaimedMessage, _ now: Timestamp) -> RecipientResult {
        now < message.expiry
            ? .unsignable(diagnostic, until: message.expiry) : .failed(AttemptRecorder.expired(diagnostic))
    }

    /// RFC 3463 §3.5: X.4.7, delivery time expired.
    ///
    /// What the last attempt met stays readable.
    private static func expired(_ diagnostic: Diagnostic) -> Diagnostic {
        var diagnostic = diagnostic
        diagnostic.text = "not delivered in time; last attempt: \(diagnostic.text)"
        diagnostic.status = EnhancedStatusCode(5, 4, 7)
        return diagnostic
    }

    /// What was asked to be told of a success is told first; that it can't be is no reason to deliver again.
    private func tellOfSuccess(
        _ succeeded: [DeliveryStatusNotification.RecipientReport], _ message: MessageInFlight, _ now: Timestamp,
        then next: @escaping @Sendable () -> Void
    ) {
        guard !succeeded.isEmpty, message.claimed.envelope.reversePath != .null else { return next() }
        bouncer.bounce(message.claimed, succeeded, now) { result in
            switch result {
            case .sent, .nobody: break
            case .refused(let reason), .notNow(let reason):
                self.environment.events(.unreported(message.claimed.queueID, reason: reason, until: nil))
            }
            next()
        }
    }

    /// The bounce is committed before the failure is recorded: a crash in between may repeat it, never lose it.
    private func bounce(
        _ failed: [DeliveryStatusNotification.RecipientReport], of message: MessageInFlight, _ record: AttemptRecord,
        _ now: Timestamp
    ) {
        bouncer.bounce(message.claimed, failed, now) { result in
            switch result {
            case .sent, .nobody:
                self.write(record, message)
            case .refused(let reason):
                self.environment.events(.unreported(record.queueID, reason: reason, until: nil))
                self.write(record, message)
            case .notNow(let reason):
                self.write(self.postponed(record, of: message.claimed, because: reason), message)
            }
        }
    }

    /// The record of an attempt whose bounce can't be stored now: the failures wait for it, and no recipient of them
    /// goes to a next hop again.
    private func postponed(
        _ record: AttemptRecord, of message: ClaimedMessage, because reason: String
    ) -> AttemptRecord {
        let now = environment.clock.now()
        let isRepeated = message.recipients.contains { $0.failure != nil }
        guard !isRepeated || now < message.expiry.advanced(bySeconds: AttemptRecorder.bounceGraceSeconds) else {
            let last = "no bounce could be stored in time; at last: \(reason)"
            environment.events(.unreported(record.queueID, reason: last, until: nil))
            return record
        }
        let until = now.advanced(bySeconds: AttemptRecorder.bounceRetrySeconds)
        var record = record
        for index in record.results.indices {
            guard case .failed(let diagnostic) = record.results[index].result else { continue }
            record.results[index].result = .unreported(diagnostic, until: until)
        }
        environment.events(.unreported(record.queueID, reason: reason, until: until))
        return record
    }

    private func giveBack(_ message: MessageInFlight) {
        budget.giveBack(message.claimed, extraOctets: message.extraOctets)
    }

    private func write(_ record: AttemptRecord, _ message: MessageInFlight) {
        environment.queue.record(record) { result in
            switch result {
            case .success:
                self.tell(record, message.claimed)
                self.giveBack(message)
            case .failure(let error):
                // The spool itself goes on trying while the disk says no, and this message keeps its place in the
                // budget so long. What fails for good is an attempt that nobody can write down any more.
                self.environment.logger.error(
                    "A delivery attempt could not be recorded",
                    metadata: ["queue-id": "\(record.queueID)", "error": "\(error)"])
                self.giveBack(message)
            }
        }
    }

    private func tell(_ record: AttemptRecord, _ message: ClaimedMessage) {
        for result in record.results {
            let mailbox = message.envelope.recipients[result.index]
            switch result.result {
            case .delivered(let diagnostic): environment.events(.delivered(record.queueID, mailbox, diagnostic))
            case .deferred(let diagnostic, let until), .unsignable(let diagnostic, let until):
                environment.events(.deferred(record.queueID, mailbox, diagnostic, until: until))
            case .failed(let diagnostic): environment.events(.failed(record.queueID, mailbox, diagnostic))
            // Told with its reason when that became known.
            case .unreported: break
            }
        }
    }
}
