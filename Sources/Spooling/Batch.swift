// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import GRDB
internal import Mail

/// What is to be written: a new message, or what came of an attempt.
enum Job: Sendable {
    case enqueue(EnqueueJob)
    case record(RecordJob)
}

struct EnqueueJob: Sendable {
    var message: NewMessage
    var content: StoredContent
    /// Below content/.
    var file: String?
    var completion: @Sendable (Result<QueueID, SpoolError>) -> Void

    /// Fresh messages are due at once, unless they are to be released later.
    var key: DueKey { DueKey(time: message.firstAttempt.milliseconds, id: message.queueID.rawValue) }
}

struct RecordJob: Sendable {
    var attempt: AttemptRecord
    var lease: Schedule.Lease
    var completion: (@Sendable (Result<Void, SpoolError>) -> Void)?
    /// The recipients to update.
    var updates: [(recipient: OpenRecipient, result: RecipientResult)] = []
    /// Recipients that are open afterwards.
    var remaining: [OpenRecipient] = []

    init(_ attempt: AttemptRecord, lease: Schedule.Lease, completion: (@Sendable (Result<Void, SpoolError>) -> Void)?) {
        self.attempt = attempt
        self.lease = lease
        self.completion = completion
        let results = Dictionary(
            attempt.results.map { ($0.index, $0.result) }, uniquingKeysWith: { first, _ in first })
        for recipient in lease.open {
            let result = results[recipient.ordinal]
            if let result { updates.append((recipient, result)) }
            switch result {
            case .delivered, .failed: break
            case .deferred(_, let until):
                remaining.append(
                    OpenRecipient(
                        ordinal: recipient.ordinal, attempts: recipient.attempts + 1, nextAttempt: until.milliseconds))
            case .unreported(_, let until):
                remaining.append(
                    OpenRecipient(
                        ordinal: recipient.ordinal, attempts: recipient.attempts, nextAttempt: until.milliseconds))
            case .unsignable(_, let until):
                remaining.append(
                    OpenRecipient(
                        ordinal: recipient.ordinal, attempts: recipient.attempts, nextAttempt: until.milliseconds,
                        isUnsignable: true))
            case nil: remaining.append(recipient)
            }
        }
    }

    /// Where the message is due next; nil when every recipient is finished.
    var key: DueKey? {
        DueKey(of: attempt.queueID, remaining)
    }

    /// Whether the message waits for a key afterwards.
    var isUnsignable: Bool { remaining.contains(where: \.isUnsignable) }
}

/// Batch is in charge of one transaction: all of its jobs, or none.
struct Batch {
    var jobs: [Job]
    /// The totals with these jobs done.
    private(set) var totals: Totals
    /// Those of the jobs that are worth writing.
    var keyUses: [KeyUse]

    init(_ jobs: [Job], totals: Totals, keyUses: [KeyUse]) {
        self.jobs = jobs
        self.totals = totals
        self.keyUses = keyUses
        for job in jobs { self.totals.add(job) }
    }

    /// Returns after the commit is on disk.
    ///
    /// An error means that nothing was written.
    func commit(_ database: Database, beforeWrite: (@Sendable (WritePoint) throws -> Void)?) throws {
        let store = Store(database: database, beforeWrite: beforeWrite)
        try beforeWrite?(.begin)
        try database.beginTransaction(.immediate)
        do {
            for job in jobs {
                switch job {
                case .enqueue(let job): try store.write(job)
                case .record(let job): try store.write(job)
                }
            }
            for use in keyUses { try store.write(use) }
            try store.write(totals)
            try beforeWrite?(.commit)
            try database.commit()
        } catch {
            // SQLite has rolled back by itself after some errors; GRDB knows. What can't be rolled back leaves the
            // transaction open, and the next begin says so.
            if database.isInsideTransaction { try database.rollback() }
            throw error
        }
    }
}

extension Totals {
    fileprivate mutating func add(_ job: Job) {
        switch job {
        case .enqueue(let job):
            messages += 1
            octets += Int64(job.content.length)
        case .record(let job):
            if job.remaining.isEmpty {
                messages -= 1
                octets -= job.lease.octets
                if job.lease.wasTried { deferred -= 1 }
            } else if !job.lease.wasTried, !job.updates.isEmpty {
                deferred += 1
            }
        }
    }
}

extension Store {
    fileprivate func write(_ job: EnqueueJob) throws {
        try insert(job.message, content: job.content, file: job.file)
        try insertDue(job.key)
        if let key = IdempotencyKey(of: job.message) {
            try insert(key, of: job.message.queueID, at: job.message.arrival)
        }
    }

    fileprivate func write(_ job: RecordJob) throws {
        let id = job.attempt.queueID.rawValue
        let (wasUnsignable, isUnsignable) = (job.lease.isUnsignable, job.isUnsignable)
        if wasUnsignable, !isUnsignable { try deleteUnsignable(id, authorDomain: job.lease.authorDomain) }
        if isUnsignable, !wasUnsignable { try insertUnsignable(id, authorDomain: job.lease.authorDomain) }
        guard let key = job.key else {
            try deleteDue(job.lease.key)
            return try delete(id, wasTried: job.lease.wasTried)
        }
        for update in job.updates {
            try self.update(id, recipient: update.recipient, result: update.result)
        }
        if let fields = job.attempt.keptFields { try keep(fields, of: id) }
        if key != job.lease.key {
            try deleteDue(job.lease.key)
            try insertDue(key)
        }
    }
}
