// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc
internal import Logging
internal import Mail
internal import NIOPosix
internal import Spooling

/// `Bouncer` is in charge of telling senders about failures: it makes the notification and hands it to intake like
/// any other message, so that it is signed and spooled; it never answers a notification with another one.
struct Bouncer: Sendable {
    enum Result: Sendable {
        case sent(QueueID)
        /// There is nobody to tell.
        case nobody
        /// Intake will never take it; the reason.
        case refused(String)
        case notNow(String)
    }

    let intake: any Intake
    let threadPool: NIOThreadPool
    let hostname: String
    let randomness: Randomness
    let events: EventSink
    let logger: Logger

    /// `completion` is called once, on any thread, after the bounce is committed or can't be.
    func bounce(
        _ message: ClaimedMessage, _ failed: [DeliveryStatusNotification.RecipientReport], _ now: Timestamp,
        completion: @escaping @Sendable (Result) -> Void
    ) {
        // RFC 5321 §6.1: never a notification about a notification.
        guard case .mailbox(let sender) = message.envelope.reversePath else {
            logger.warning(
                "A message with a null reverse-path failed; nobody is told",
                metadata: ["queue-id": "\(message.queueID)"])
            return completion(.nobody)
        }
        threadPool.submit { state in
            guard case .active = state else { return completion(.notNow("the relay is shutting down")) }
            do {
                let notification = DeliveryStatusNotification(
                    recipient: sender, sender: message.authorDomain, reportingHost: hostname, queueID: message.queueID,
                    arrival: message.arrival, originalHeaderSection: try returned(message), reports: failed)
                var complete = notification
                complete.envelopeID = message.envelope.notices.envelopeID
                complete.originalBody = message.returnedBody(failed)
                submit(complete, message.queueID, now, completion)
            } catch {
                completion(.notNow("\(error)"))
            }
        }
    }

    /// The header section to return; none when the spool has lost it, for the sender must hear of the failure still.
    private func returned(_ message: ClaimedMessage) throws(FileFault) -> [UInt8] {
        do throws(FileFault) {
            return try message.headerSection()
        } catch {
            // A want of descriptors passes; a file that is gone or cut does not come back.
            guard error.code == ENOENT || error.code == EIO else { throw error }
            logger.error(
                "The content of a failed message is lost; its sender is told without it",
                metadata: ["queue-id": "\(message.queueID)", "error": "\(error)"])
            return []
        }
    }

    private func submit(
        _ notification: DeliveryStatusNotification, _ queueID: QueueID, _ now: Timestamp,
        _ completion: @escaping @Sendable (Result) -> Void
    ) {
        let content = notification.content(now: now, random: randomness.next())
        let transaction = intake.begin(
            Submission(envelope: notification.envelope, client: nil, declaredSize: content.count))
        // On this thread blocking is allowed, so the advice to offload changes nothing.
        _ = unsafe content.withUnsafeBytes { unsafe transaction.append($0) }
        transaction.finish { result in
            switch result {
            case .accepted(let bounceID):
                events(.bounced(queueID, asQueueID: bounceID))
                completion(.sent(bounceID))
            case .refused(let refusal):
                let text = "\(refusal.replyCode) \(refusal.status) \(refusal.lines.joined(separator: " / "))"
                completion(refusal.replyCode / 100 == 5 ? .refused(text) : .notNow(text))
            }
        }
    }
}
