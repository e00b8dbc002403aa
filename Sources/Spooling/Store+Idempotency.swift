// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import GRDB
internal import Mail

/// What makes two messages of one principal one: the row of `idempotency_keys` that the first of them leaves.
struct IdempotencyKey: Hashable, Sendable {
    /// How long a key is remembered, from the arrival of the message that brought it.
    static let lifetimeSeconds: Int64 = 24 * 3600

    let scope: String
    let key: String

    /// Nil when the message has none, or nobody whose key it could be.
    init?(of message: NewMessage) {
        guard let key = message.options.idempotencyKey, let principal = message.principal else { return nil }
        self.scope = OptionsText.idempotencyScope(of: principal)
        self.key = key
    }
}

extension Store {
    /// The message that brought this key, if it is still remembered.
    func holder(of key: IdempotencyKey, at now: Timestamp) throws -> QueueID? {
        let statement = try database.cachedStatement(
            sql: "SELECT message_id FROM idempotency_keys WHERE principal = ? AND key = ? AND expiry > ?")
        return try Int64.fetchOne(statement, arguments: [key.scope, key.key, now.milliseconds])
            .flatMap { QueueID(rawValue: $0) }
    }

    /// Remembers a key, and forgets those whose time is up.
    func insert(_ key: IdempotencyKey, of id: QueueID, at now: Timestamp) throws {
        try beforeWrite?(.deleteIdempotencyKeys)
        try database.cachedStatement(sql: "DELETE FROM idempotency_keys WHERE expiry <= ?")
            .execute(arguments: [now.milliseconds])
        try beforeWrite?(.insertIdempotencyKey)
        let expiry = now.advanced(bySeconds: IdempotencyKey.lifetimeSeconds)
        try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO idempotency_keys (principal, key, message_id, expiry) VALUES (?, ?, ?, ?)"
        ).execute(arguments: [key.scope, key.key, id.rawValue, expiry.milliseconds])
    }
}

/// Messages whose key another one has brought before, told apart from the rest of a batch.
struct Repetitions {
    /// What is to be written.
    var jobs: [Job] = []
    /// What is in the spool already, or will be with `jobs`; and as which message.
    var repeated: [(job: EnqueueJob, as: QueueID)] = []

    /// - Parameter holder: who has brought a key, as the disk knows.
    init(in all: [Job], holder: (IdempotencyKey, Timestamp) throws -> QueueID?) rethrows {
        jobs.reserveCapacity(all.count)
        var fresh: [IdempotencyKey: QueueID] = [:]
        for job in all {
            guard case .enqueue(let enqueue) = job, let key = IdempotencyKey(of: enqueue.message) else {
                jobs.append(job)
                continue
            }
            if let first = try fresh[key] ?? holder(key, enqueue.message.arrival) {
                repeated.append((enqueue, first))
            } else {
                fresh[key] = enqueue.message.queueID
                jobs.append(job)
            }
        }
    }
}
