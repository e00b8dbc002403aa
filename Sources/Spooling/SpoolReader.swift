// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import GRDB
internal import Glibc
package import Mail

/// SpoolReader is in charge of looking into the queue without touching it, beside a running daemon or without one.
///
/// It sees what is on disk. Leases are the daemon's: a message that is being delivered looks queued or deferred.
package final class SpoolReader: Sendable {
    /// Most entries that one call of `list` gives.
    package static let maximumEntries = 1000

    private let directory: SpoolDirectory
    private let database: DatabaseQueue
    private let schema: Schema

    /// The spool in a directory.
    ///
    /// An error says whether it isn't there, or whose it is.
    package static func open(directory path: String) throws(SpoolError) -> SpoolReader {
        let directory = try SpoolDirectory(existing: path)
        guard unsafe access(directory.database, R_OK) == 0 else {
            if errno == ENOENT { throw SpoolError(.unusable, "There is no spool in \(path): nothing was queued yet") }
            throw SpoolError(
                .unusable, "No permission to read \(directory.database): ask as root or as the owner of \(path)")
        }
        let (database, schema) = try DatabaseFile.openReader(directory)
        return SpoolReader(directory: directory, database: database, schema: schema)
    }

    private init(directory: SpoolDirectory, database: DatabaseQueue, schema: Schema) {
        self.directory = directory
        self.database = database
        self.schema = schema
    }

    /// Messages in the order of their arrival, after one that an earlier call ended with.
    package func list(limit: Int, after: QueueID? = nil) throws(SpoolError) -> [QueueEntry] {
        try read { store in
            let statement = try store.database.cachedStatement(
                sql: "SELECT \(store.messageColumns) FROM messages WHERE id > ? ORDER BY id LIMIT ?")
            let count = max(0, min(limit, SpoolReader.maximumEntries))
            let messages = try Row.fetchAll(statement, arguments: [after?.rawValue ?? 0, count]).map(Store.message)
            return try messages.map { stored in
                SpoolReader.entry(stored, recipients: try SpoolReader.recipients(of: stored, store: store))
            }
        }
    }

    /// One message; nil when it is not in the queue (any more).
    package func show(_ id: QueueID) throws(SpoolError) -> QueueDetail? {
        try read { store in
            guard let stored = try store.message(id.rawValue) else { return nil }
            let recipients = try SpoolReader.recipients(of: stored, store: store)
            let length = stored.message.headerLength
            let headerSection =
                if let file = stored.file {
                    try self.beginning(of: file, length: length)
                } else {
                    try store.inlineContent(id.rawValue, prefix: length)
                }
            return QueueDetail(
                entry: SpoolReader.entry(stored, recipients: recipients), envelope: stored.message.envelope,
                headerSection: headerSection, recipients: recipients, repairs: stored.message.repairs,
                options: stored.message.options, principal: stored.message.principal)
        }
    }

    /// Without leases: active is 0.
    package func counts() throws(SpoolError) -> SpoolCounts {
        let totals = try read { store in try store.totals() }
        return SpoolCounts(
            queued: totals.messages - totals.deferred, deferred: totals.deferred, octets: totals.octets)
    }

    /// When each key was last used, as `Spool.keyUses` tells; nothing if no daemon of this version opened the spool yet.
    package func keyUses() throws(SpoolError) -> [KeyUse] {
        try read { store in try store.keyUses() }
    }

    private func read<T>(_ body: (Store) throws -> T) throws(SpoolError) -> T {
        do {
            return try database.read { try body(Store(database: $0, beforeWrite: nil, schema: schema)) }
        } catch {
            throw .from(error, doing: "Can't read \(directory.database)")
        }
    }

    private func beginning(of file: String, length: Int) throws(SpoolError) -> [UInt8] {
        let path = "\(directory.content)/\(file)"
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .fromErrno("Can't open \(path)") }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: length)
        var filled = 0
        while filled < length {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress.map { unsafe $0 + filled }, length - filled, off_t(filled))
            }
            guard count > 0 else { throw .fromErrno("Can't read \(path)") }
            filled += count
        }
        return bytes
    }

    private static func recipients(of stored: StoredMessage, store: Store) throws -> [QueueRecipient] {
        let message = stored.message
        var recipients = message.envelope.recipients.enumerated().map { index, mailbox in
            QueueRecipient(
                index: index, mailbox: mailbox, state: .queued, attempts: 0,
                nextAttempt: stored.isHeld ? nil : message.firstAttempt)
        }
        for row in try store.triedRecipients(message.queueID.rawValue) where recipients.indices.contains(row.ordinal) {
            recipients[row.ordinal].state = row.state
            recipients[row.ordinal].attempts = row.attempts
            recipients[row.ordinal].nextAttempt =
                stored.isHeld ? nil : row.nextAttempt.map { Timestamp(milliseconds: $0) }
            recipients[row.ordinal].lastDiagnostic = row.diagnostic
        }
        return recipients
    }

    private static func entry(_ stored: StoredMessage, recipients: [QueueRecipient]) -> QueueEntry {
        let message = stored.message
        let open = recipients.filter(\.state.isOpen)
        let tried = recipients.filter { $0.lastDiagnostic != nil }
        // Of several, what still stands in the way: a deferred recipient before a finished one.
        let telling = tried.first(where: \.state.isOpen) ?? tried.first
        return QueueEntry(
            queueID: message.queueID, reversePath: message.envelope.reversePath, authorDomain: message.authorDomain,
            arrival: message.arrival, expiry: message.expiry, release: message.options.release, octets: stored.length,
            recipientCount: recipients.count, openCount: open.count, isDeferred: !tried.isEmpty,
            isHeld: stored.isHeld, nextAttempt: open.compactMap(\.nextAttempt).min(),
            lastDiagnostic: telling?.lastDiagnostic)
    }
}
