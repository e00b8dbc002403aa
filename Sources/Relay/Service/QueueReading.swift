// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail
package import Spooling

/// QueueReading is in charge of what `queue list` and `queue show` tell, read from the spool's file: with the
/// daemon up or down, without disturbing it.
package struct QueueReading: Sendable {
    private let reader: SpoolReader
    /// Whether a message is on its way out now: only the daemon knows.
    private let isActive: @Sendable (QueueID) -> Bool

    package init(
        directory: String, isActive: @escaping @Sendable (QueueID) -> Bool = { _ in false }
    ) throws(SpoolError) {
        self.reader = try SpoolReader.open(directory: directory)
        self.isActive = isActive
    }

    /// A page of at most `limit` messages behind `after`, oldest first.
    package func list(limit: Int, after: QueueID?) throws(SpoolError) -> QueueDocument {
        // One more than asked for tells whether there is a next page.
        let entries = try reader.list(limit: limit + 1, after: after)
        let page = entries.prefix(limit)
        return QueueDocument(
            messages: page.map(summary), next: entries.count > limit ? page.last?.queueID.description : nil)
    }

    package func show(_ id: QueueID) throws(SpoolError) -> QueueEntryDocument? {
        guard let detail = try reader.show(id) else { return nil }
        let isActive = isActive(id)
        return QueueEntryDocument(
            queueID: id.description, arrival: detail.entry.arrival.seconds, expiry: detail.entry.expiry.seconds,
            octets: detail.entry.octets, reversePath: detail.entry.reversePath.description,
            isHeld: detail.entry.isHeld, isActive: isActive, repairs: detail.repairs.map(\.rawValue),
            recipients: detail.recipients.map {
                recipient($0, isActive: isActive, detail.envelope.notices[recipient: $0.index])
            },
            options: QueueOptionsDocument(detail))
    }

    private func summary(_ entry: QueueEntry) -> QueueSummaryDocument {
        QueueSummaryDocument(
            queueID: entry.queueID.description, state: state(entry), arrival: entry.arrival.seconds,
            expiry: entry.expiry.seconds, octets: entry.octets, reversePath: entry.reversePath.description,
            authorDomain: entry.authorDomain.name, recipients: entry.recipientCount,
            openRecipients: entry.openCount, nextAttempt: entry.nextAttempt?.seconds,
            lastDiagnostic: entry.lastDiagnostic.map(text), release: entry.release?.seconds)
    }

    private func state(_ entry: QueueEntry) -> String {
        if isActive(entry.queueID) { return "active" }
        if entry.isHeld { return "held" }
        return entry.isDeferred ? "deferred" : "queued"
    }

    private func recipient(
        _ recipient: QueueRecipient, isActive: Bool, _ notice: RecipientNotice
    ) -> QueueRecipientDocument {
        let isWaiting = recipient.state.isOpen
        return QueueRecipientDocument(
            mailbox: recipient.mailbox.description,
            state: isActive && isWaiting ? "active" : "\(recipient.state)", attempts: recipient.attempts,
            nextAttempt: isWaiting ? recipient.nextAttempt?.seconds : nil,
            lastDiagnostic: recipient.lastDiagnostic.map(text), lastNextHop: recipient.lastDiagnostic?.remote,
            owner: recipient.lastDiagnostic?.owner.rawValue, notify: notice.occasionWords,
            originalRecipient: notice.originalRecipient)
    }

    /// Code and text, the text's own code not twice.
    private func text(_ diagnostic: Diagnostic) -> String {
        let code = diagnostic.replyCode.map { "\($0) " } ?? ""
        return diagnostic.text.hasPrefix(diagnostic.status.description)
            ? code + diagnostic.text : "\(code)\(diagnostic.status) \(diagnostic.text)"
    }
}
