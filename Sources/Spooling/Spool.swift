// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Dispatch
internal import GRDB
package import Logging
package import Mail
internal import Synchronization

/// Spool is in charge of the durable queue: a message whose `enqueue` completed with success is on disk, and stays
/// there until each of its recipients is recorded as delivered or failed.
///
/// QueueStates.md is its contract.
///
/// One thread at a time writes (`writer`), in transactions that take up whatever is waiting, so that sessions which
/// finish together share one sync of the disk. What a caller must not wait for is in memory, in `state`.
package final class Spool: Sendable {
    struct Waiter {
        var number: UInt64
        var maximumMessages: Int
        var maximumOctets: Int
        var maximumRecipients: Int
        var continuation: CheckedContinuation<[ClaimedMessage], Never>
    }

    enum Phase {
        case open, closing, closed
    }

    struct State {
        var phase = Phase.open
        var totals = Totals()
        var schedule = Schedule()

        var pending = Fifo<Job>()
        /// New messages in the last transaction.
        var lastBatchMessages = 0
        /// New messages among `pending`, and their octets.
        var pendingMessages = 0
        var pendingOctets: Int64 = 0
        /// Results that could not be written.
        ///
        /// While there are any, nothing more is handed out.
        var failedRecords: [RecordJob] = []

        /// The writer is at work, or about to be.
        var isDraining = false
        /// Results have waited long enough for company.
        var isFlushDue = false
        var isFlushArmed = false
        /// When the writer wakes up by itself.
        var alarm: Int64?
        /// Counts transactions, to see idleness.
        var generation: UInt64 = 0
        var isUpkeepArmed = false

        /// Author domains with messages that wait for a key, and perhaps some more.
        var unsignableDomains: Set<Domain> = []

        var waiters: [Waiter] = []
        var nextWaiter: UInt64 = 0
    }

    let configuration: SpoolConfiguration
    let clock: WallClock
    let logger: Logger
    let database: DatabaseQueue
    let files: ContentFiles
    let freeSpace: FreeSpace
    let lock: DirectoryLock
    /// Everything that touches the database.
    let writer = DispatchQueue(label: "spool.writer")
    let state: Mutex<State>
    /// Changed by the writer alone.
    let keyUseTable: Mutex<KeyUseTable>
    /// The newest queue ID that was in the spool when it was opened; those given from then on must be newer.
    package let newestQueueID: QueueID?

    var limits: SpoolLimits { configuration.limits }

    /// Takes the lock; makes what is missing; goes on where the last daemon stopped, however it did.
    package static func open(
        _ configuration: SpoolConfiguration, clock: WallClock, logger: Logger
    ) throws(SpoolError) -> Spool {
        let directory = try SpoolDirectory.make(configuration.directory)
        let lock = try DirectoryLock(directory)
        let database = try DatabaseFile.openWriter(directory)
        var state = State()
        let newestQueueID: QueueID?
        let keyUses: KeyUseTable
        do {
            (state.totals, newestQueueID) = try database.read { database in
                let store = Store(database: database, beforeWrite: nil)
                return (try store.totals(), try store.newestQueueID())
            }
            (keyUses, state.unsignableDomains) = try prepareKeys(database, now: clock.now(), logger)
        } catch {
            throw .from(error, doing: "Can't read \(directory.database)")
        }
        let files = ContentFiles(
            directory: directory, instance: .random(in: .min ... .max), beforeWrite: configuration.beforeWrite)
        let spool = Spool(
            configuration, clock: clock, logger: logger, lock: lock, database: database, files: files, state: state,
            keyUses: keyUses, newestQueueID: newestQueueID)
        spool.removeOrphans(fromShard: 0)
        spool.armUpkeep()
        return spool
    }

    private init(
        _ configuration: SpoolConfiguration, clock: WallClock, logger: Logger, lock: DirectoryLock,
        database: DatabaseQueue, files: ContentFiles, state: sending State, keyUses: KeyUseTable,
        newestQueueID: QueueID?
    ) {
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        self.lock = lock
        self.database = database
        self.files = files
        self.newestQueueID = newestQueueID
        self.keyUseTable = Mutex(keyUses)
        self.freeSpace = FreeSpace(path: files.directory.path, minimum: configuration.minimumFree)
        self.state = Mutex(state)
    }

    /// A writer for one content.
    package func contentWriter() -> ContentWriter {
        ContentWriter(files: files)
    }

    /// Whether a message of this size (nil: unknown) may come in now; nil is yes.
    ///
    /// Never blocks for long.
    package func admission(ofSize size: Int?) -> IntakeRefusal? {
        let octets = Int64(clamping: max(0, size ?? 0))
        let (messages, total) = state.withLock { state in
            (state.totals.messages + state.pendingMessages, state.totals.octets + state.pendingOctets)
        }
        let isFull =
            messages >= configuration.maximumMessages || octets > configuration.maximumOctets - total
            || !freeSpace.holds(octets)
        return isFull ? .insufficientStorage : nil
    }

    package var counts: SpoolCounts {
        state.withLock { state in
            let schedule = state.schedule
            let activeFresh = schedule.activeCount - schedule.activeTriedCount
            return SpoolCounts(
                queued: max(0, state.totals.messages - state.totals.deferred - activeFresh),
                deferred: max(0, state.totals.deferred - schedule.activeTriedCount),
                active: schedule.activeCount, octets: state.totals.octets)
        }
    }

    /// Takes a message over.
    ///
    /// `completion` is called once, on any thread: with success when it is on disk, and with the queue ID that it has
    /// there. That is another one's if that one brought the same idempotency key before; then nothing is stored.
    ///
    /// A content file belongs to the spool from here on; it is removed if the message can't be stored.
    package func enqueue(
        _ message: NewMessage, content: StoredContent,
        completion: @escaping @Sendable (Result<QueueID, SpoolError>) -> Void
    ) {
        var job = EnqueueJob(message: message, content: content, file: nil, completion: completion)
        if case .file(let path, _) = content {
            guard let name = files.name(of: path) else {
                return completion(.failure(SpoolError(.failed, "\(path) is not a file of the spool")))
            }
            job.file = name
        }
        let isOpen = state.withLock { state in
            guard state.phase == .open else { return false }
            state.pending.append(.enqueue(job))
            state.pendingMessages += 1
            state.pendingOctets += Int64(content.length)
            return true
        }
        guard isOpen else { return fail(job, with: .isClosed) }
        startDrain()
    }

    /// Writes down what came of an attempt and ends the lease; the message goes when all its recipients are
    /// finished.
    ///
    /// If the disk fails, the spool tries again until it is down: only then is it due again.
    package func record(_ attempt: AttemptRecord, completion: (@Sendable (Result<Void, SpoolError>) -> Void)? = nil) {
        enum Step {
            case write(isUrgent: Bool), nothingToWrite, refuse(SpoolError)
        }
        let step = state.withLock { state -> Step in
            guard state.phase == .open else { return .refuse(.isClosed) }
            guard let lease = state.schedule.beginRecord(attempt.queueID) else {
                return .refuse(SpoolError(.notLeased, "No lease on \(attempt.queueID)"))
            }
            let job = RecordJob(attempt, lease: lease, completion: completion)
            if job.updates.isEmpty, attempt.keptFields == nil, !hasDueUse(attempt) {
                state.schedule.end(attempt.queueID, key: lease.key)
                return .nothingToWrite
            }
            state.pending.append(.record(job))
            return .write(isUrgent: state.pending.count >= limits.batchMessages / 4)
        }
        switch step {
        case .refuse(let error): completion?(.failure(error))
        case .nothingToWrite:
            completion?(.success(()))
            startDrain()
        case .write(isUrgent: true): startDrain()
        case .write(isUrgent: false): armFlush()
        }
    }

    private func hasDueUse(_ attempt: AttemptRecord) -> Bool {
        !attempt.keyUses.isEmpty && keyUseTable.withLock { table in attempt.keyUses.contains { table.isDue($0) } }
    }

    /// Gives a lease back unused: the message is due again.
    package func release(_ id: QueueID) {
        state.withLock { $0.schedule.release(id) }
        startDrain()
    }

    /// Whether a message is under a lease now.
    package func isActive(_ id: QueueID) -> Bool {
        state.withLock { $0.schedule.leases[id]?.isActive == true }
    }

    func fail(_ job: EnqueueJob, with error: SpoolError) {
        if let file = job.file { files.unlink(files.path(of: file)) }
        job.completion(.failure(error))
    }
}

extension SpoolError {
    static let isClosed = SpoolError(.closed, "The spool is closed")
}
