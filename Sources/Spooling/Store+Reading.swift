// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Foundation
internal import GRDB
internal import Mail

/// A message as it stands in the database.
struct StoredMessage {
    var message: NewMessage
    var isHeld: Bool
    var length: Int
    var file: String?
}

/// A row of `recipients`.
struct TriedRecipient {
    var ordinal: Int
    var state: RecipientState
    var attempts: Int
    var nextAttempt: Int64?
    var diagnostic: Diagnostic
}

extension Store {
    /// What `message` reads.
    var messageColumns: String {
        """
        id, arrival, expiry, reverse_path, recipients, eight_bit, author_domain, body_hashes, header_length,
        held, length, file, \(schema.hasRepairs ? "repairs" : "''"),
        \(schema.hasOptions ? "options, notices, principal" : "'', '', ''")
        """
    }

    /// The newest queue ID of the messages there are; nil without any.
    func newestQueueID() throws -> QueueID? {
        try Int64.fetchOne(database, sql: "SELECT max(id) FROM messages").flatMap(QueueID.init(rawValue:))
    }

    func totals() throws -> Totals {
        guard let row = try Row.fetchOne(database, sql: "SELECT messages, deferred, octets FROM totals") else {
            throw SpoolError(.failed, "The spool's totals are missing")
        }
        return Totals(messages: row[0], deferred: row[1], octets: row[2])
    }

    /// The keys after `cursor` up to a time, in order.
    func dueKeys(after cursor: DueKey, until time: Int64, limit: Int) throws -> [DueKey] {
        let statement = try database.cachedStatement(
            sql: """
                SELECT next_attempt, message_id FROM due
                WHERE (next_attempt, message_id) > (?, ?) AND next_attempt <= ?
                ORDER BY next_attempt, message_id LIMIT ?
                """)
        return try Row.fetchAll(statement, arguments: [cursor.time, cursor.id, time, limit])
            .map { DueKey(time: $0[0], id: $0[1]) }
    }

    /// The time of the first key after `cursor`.
    func nextDueTime(after cursor: DueKey) throws -> Int64? {
        let statement = try database.cachedStatement(
            sql: """
                SELECT next_attempt FROM due WHERE (next_attempt, message_id) > (?, ?)
                ORDER BY next_attempt, message_id LIMIT 1
                """)
        return try Int64.fetchOne(statement, arguments: [cursor.time, cursor.id])
    }

    func message(_ id: Int64) throws -> StoredMessage? {
        let statement = try database.cachedStatement(sql: "SELECT \(messageColumns) FROM messages WHERE id = ?")
        return try Row.fetchOne(statement, arguments: [id]).map(Store.message)
    }

    /// From a row of `messageColumns`.
    static func message(_ row: Row) throws -> StoredMessage {
        guard let id = QueueID(rawValue: row[0]), let domain = Domain(row[6] as String) else {
            throw SpoolError(.failed, "Not a message of the spool: \(row[0] as Int64)")
        }
        let hashes: Data = row[7]
        let message = NewMessage(
            queueID: id,
            envelope: Envelope(
                reversePath: try EnvelopeText.reversePath(in: row[3]),
                recipients: try EnvelopeText.recipients(in: row[4]), isEightBit: row[5],
                notices: OptionsText.notices(in: row[14])),
            arrival: Timestamp(milliseconds: row[1]), expiry: Timestamp(milliseconds: row[2]), headerLength: row[8],
            bodyHashes: try EnvelopeText.bodyHashes(in: hashes), authorDomain: domain,
            repairs: EnvelopeText.repairs(in: row[12]), options: OptionsText.options(in: row[13]),
            principal: OptionsText.principal(in: row[15]))
        return StoredMessage(message: message, isHeld: row[9], length: row[10], file: row[11])
    }

    /// A content that is in the database.
    func inlineContent(_ id: Int64) throws -> [UInt8] {
        let statement = try database.cachedStatement(sql: "SELECT content FROM messages WHERE id = ?")
        return try Data.fetchOne(statement, arguments: [id]).map { Array($0) } ?? []
    }

    /// Its first octets.
    func inlineContent(_ id: Int64, prefix count: Int) throws -> [UInt8] {
        let statement = try database.cachedStatement(sql: "SELECT substr(content, 1, ?) FROM messages WHERE id = ?")
        return try Data.fetchOne(statement, arguments: [count, id]).map { Array($0) } ?? []
    }

    func triedRecipients(_ id: Int64) throws -> [TriedRecipient] {
        let statement = try database.cachedStatement(
            sql: """
                SELECT ordinal, state, attempts, next_attempt, reply_code, status, text, remote, command, owner
                FROM recipients WHERE message_id = ? ORDER BY ordinal
                """)
        return try Row.fetchAll(statement, arguments: [id]).map { row in
            guard let state = RecipientState(rawValue: row[1]),
                let status = EnhancedStatusCode(row[5] as String),
                let owner = Diagnostic.Owner(rawValue: row[9])
            else {
                throw SpoolError(.failed, "Not a recipient of the spool: \(id)")
            }
            let diagnostic = Diagnostic(
                replyCode: row[4], status: status, text: row[6], remote: row[7], command: row[8], owner: owner)
            return TriedRecipient(
                ordinal: row[0], state: state, attempts: row[2], nextAttempt: row[3], diagnostic: diagnostic)
        }
    }

    func keptFields(_ id: Int64) throws -> [UInt8]? {
        let statement = try database.cachedStatement(sql: "SELECT fields FROM kept_fields WHERE message_id = ?")
        return try Data.fetchOne(statement, arguments: [id]).map { Array($0) }
    }

    func isNamed(file: String) throws -> Bool {
        let statement = try database.cachedStatement(sql: "SELECT 1 FROM messages WHERE file = ?")
        return try Int.fetchOne(statement, arguments: [file]) != nil
    }
}
