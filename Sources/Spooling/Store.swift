// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Foundation
internal import GRDB
internal import Mail

/// Store is in charge of the queue's rows: one method a statement, inside whatever transaction the caller has open.
struct Store {
    let database: Database
    let beforeWrite: (@Sendable (WritePoint) throws -> Void)?
    /// What the tables have; a reader may meet those of an earlier version.
    var schema = Schema.current

    func insert(_ message: NewMessage, content: StoredContent, file: String?) throws {
        try beforeWrite?(.insertMessage)
        let inline: Data? = if case .inline(let bytes) = content { Data(bytes) } else { nil }
        try database.cachedStatement(
            sql: """
                INSERT INTO messages (id, arrival, expiry, reverse_path, recipients, recipient_count, eight_bit,
                    author_domain, body_hashes, length, header_length, file, content, repairs,
                    options, notices, principal)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            message.queueID.rawValue, message.arrival.milliseconds, message.expiry.milliseconds,
            message.envelope.reversePath.description, try EnvelopeText.text(of: message.envelope.recipients),
            message.envelope.recipients.count, message.envelope.isEightBit, message.authorDomain.name,
            Data(EnvelopeText.octets(of: message.bodyHashes)), content.length, message.headerLength, file, inline,
            EnvelopeText.text(of: message.repairs), OptionsText.text(of: message.options),
            OptionsText.text(of: message.envelope.notices), OptionsText.text(of: message.principal),
        ])
    }

    func insertDue(_ key: DueKey) throws {
        try beforeWrite?(.insertDue)
        try database.cachedStatement(sql: "INSERT INTO due (next_attempt, message_id) VALUES (?, ?)")
            .execute(arguments: [key.time, key.id])
    }

    func deleteDue(_ key: DueKey) throws {
        try beforeWrite?(.deleteDue)
        try database.cachedStatement(sql: "DELETE FROM due WHERE next_attempt = ? AND message_id = ?")
            .execute(arguments: [key.time, key.id])
    }

    func delete(_ id: Int64, wasTried: Bool) throws {
        try beforeWrite?(.deleteMessage)
        try database.cachedStatement(sql: "DELETE FROM messages WHERE id = ?").execute(arguments: [id])
        guard wasTried else { return }
        try database.cachedStatement(sql: "DELETE FROM recipients WHERE message_id = ?").execute(arguments: [id])
        try database.cachedStatement(sql: "DELETE FROM kept_fields WHERE message_id = ?").execute(arguments: [id])
    }

    func update(_ id: Int64, recipient: OpenRecipient, result: RecipientResult) throws {
        try beforeWrite?(.updateRecipient)
        let (state, attempts, nextAttempt, diagnostic): (RecipientState, Int, Int64?, Diagnostic) =
            switch result {
            case .deferred(let diagnostic, let until):
                (.deferred, recipient.attempts + 1, until.milliseconds, diagnostic)
            case .delivered(let diagnostic): (.delivered, recipient.attempts, nil, diagnostic)
            case .failed(let diagnostic): (.failed, recipient.attempts, nil, diagnostic)
            case .unreported(let diagnostic, let until):
                (.unreported, recipient.attempts, until.milliseconds, diagnostic)
            case .unsignable(let diagnostic, let until):
                (.unsignable, recipient.attempts, until.milliseconds, diagnostic)
            }
        try database.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO recipients (message_id, ordinal, state, attempts, next_attempt,
                    reply_code, status, text, remote, command, owner)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            id, recipient.ordinal, state.rawValue, attempts, nextAttempt, diagnostic.replyCode,
            diagnostic.status.description, diagnostic.text, diagnostic.remote, diagnostic.command,
            diagnostic.owner.rawValue,
        ])
    }

    func keep(_ fields: [UInt8], of id: Int64) throws {
        try beforeWrite?(.keepFields)
        try database.cachedStatement(sql: "INSERT OR REPLACE INTO kept_fields (message_id, fields) VALUES (?, ?)")
            .execute(arguments: [id, Data(fields)])
    }

    func write(_ totals: Totals) throws {
        try beforeWrite?(.updateTotals)
        try database.cachedStatement(sql: "UPDATE totals SET messages = ?, deferred = ?, octets = ?")
            .execute(arguments: [totals.messages, totals.deferred, totals.octets])
    }
}

/// What the queue holds, as the one row of `totals` says.
struct Totals: Hashable, Sendable {
    var messages = 0
    /// Those with a tried recipient.
    var deferred = 0
    var octets: Int64 = 0
}

/// A message's place in the order of being due.
struct DueKey: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970.
    var time: Int64
    var id: Int64

    static let first = DueKey(time: .min, id: .min)

    /// Just before this one.
    var predecessor: DueKey { DueKey(time: time, id: id - 1) }

    init(time: Int64, id: Int64) {
        self.time = time
        self.id = id
    }

    /// Where a message with these open recipients is due next; nil without any.
    init?(of id: QueueID, _ open: [OpenRecipient]) {
        guard let time = open.map(\.nextAttempt).min() else { return nil }
        self.init(time: time, id: id.rawValue)
    }

    static func < (left: DueKey, right: DueKey) -> Bool {
        (left.time, left.id) < (right.time, right.id)
    }
}

/// A recipient that is neither delivered nor failed.
struct OpenRecipient: Hashable, Sendable {
    var ordinal: Int
    /// Deferrals so far.
    var attempts: Int
    var nextAttempt: Int64
    /// It waits for a key.
    var isUnsignable = false
}

/// Where a recipient stands.
///
/// See QueueStates.md.
package enum RecipientState: Int, Hashable, Sendable {
    case queued = 0
    case deferred = 1
    case delivered = 2
    case failed = 3
    /// Failed, and the sender is still to be told.
    case unreported = 4
    /// Deferred for want of a key.
    case unsignable = 5

    /// The message can't leave the queue yet because of this recipient.
    package var isOpen: Bool {
        switch self {
        case .queued, .deferred, .unreported, .unsignable: true
        case .delivered, .failed: false
        }
    }
}
