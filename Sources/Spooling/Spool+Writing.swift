// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Dispatch
internal import GRDB
internal import Glibc
internal import Logging
internal import Mail
internal import Synchronization

extension Spool {
    /// Sets the writer to work, unless it is.
    func startDrain() {
        let mustStart = state.withLock { state in
            guard state.phase == .open, !state.isDraining else { return false }
            state.isDraining = true
            return true
        }
        if mustStart { writer.async { self.drain() } }
    }

    /// Lets results wait a little for new messages to share a commit with.
    func armFlush() {
        let mustArm = state.withLock { state in
            guard state.phase == .open, !state.isFlushArmed, !state.isDraining else { return false }
            state.isFlushArmed = true
            return true
        }
        guard mustArm else { return }
        writer.asyncAfter(deadline: .now() + .milliseconds(limits.resultDelay)) {
            self.state.withLock { state in
                state.isFlushArmed = false
                state.isFlushDue = true
            }
            self.startDrain()
        }
    }

    /// Commits what is waiting and reads what is due, by turns, until neither is left.
    func drain() {
        while true {
            awaitCompany()
            let batch = state.withLock { $0.takeBatch(limits) }
            if let batch { write(batch) }
            let now = clock.now().milliseconds
            let wantsPage = state.withLock { state in
                state.phase == .open && state.schedule.wantsPage(now: now, limits: limits)
            }
            if wantsPage { readPage() }
            if batch != nil || wantsPage { serveWaiters() }
            let isDone = state.withLock { state in
                let isDone = !state.hasBatch(limits) && !state.schedule.wantsPage(now: now, limits: limits)
                if isDone || state.phase != .open { state.isDraining = false }
                return !state.isDraining
            }
            if isDone { break }
        }
        if state.withLock({ !$0.pending.isEmpty }) { armFlush() }
        armAlarm()
    }

    /// When sessions crowd in, a moment more lets as many finish as last time and share one sync of the disk.
    ///
    /// A client that is alone waits so once at most, behind a crowd.
    private func awaitCompany() {
        for _ in 0..<limits.crowdLooks {
            let isWorthWaiting = state.withLock { state in
                state.phase == .open && state.lastBatchMessages >= limits.crowd
                    && (1..<min(state.lastBatchMessages, limits.batchMessages)).contains(state.pendingMessages)
            }
            guard isWorthWaiting else { return }
            usleep(limits.crowdLookInterval)
        }
    }

    /// One transaction.
    ///
    /// If it fails each job gets its own, so that one that can't be written fails alone.
    func write(_ jobs: [Job]) {
        do throws(SpoolError) {
            try commit(jobs)
        } catch {
            guard jobs.count > 1 else { return fail(jobs, with: error) }
            logger.warning("a batch could not be written, writing its parts", metadata: ["error": "\(error)"])
            for job in jobs {
                do throws(SpoolError) {
                    try commit([job])
                } catch {
                    fail([job], with: error)
                }
            }
        }
        armUpkeep()
    }

    private func commit(_ all: [Job]) throws(SpoolError) {
        let (jobs, repeated) = try withoutRepetitions(all)
        let uses = keyUseTable.withLock { $0.due(in: jobs) }
        let batch = Batch(jobs, totals: state.withLock { $0.totals }, keyUses: uses)
        do {
            try database.writeWithoutTransaction { database in
                try batch.commit(database, beforeWrite: configuration.beforeWrite)
            }
        } catch {
            throw .from(error, doing: "Can't write \(files.directory.database)")
        }
        if !uses.isEmpty { keyUseTable.withLock { $0.add(uses) } }
        state.withLock { state in
            state.totals = batch.totals
            state.generation &+= 1
            let now = clock.now().milliseconds
            for job in jobs { state.didCommit(job, now: now, limits: limits) }
            for (job, _) in repeated { state.didTake(job) }
        }
        for (job, id) in repeated {
            if let file = job.file { files.unlink(files.path(of: file)) }
            job.completion(.success(id))
        }
        for job in jobs {
            switch job {
            case .enqueue(let job): job.completion(.success(job.message.queueID))
            case .record(let job):
                if let file = job.lease.file, job.remaining.isEmpty { files.unlink(files.path(of: file)) }
                job.completion?(.success(()))
            }
        }
    }

    /// The writer alone changes the table of keys, so that what it says holds until the transaction that follows.
    private func withoutRepetitions(_ jobs: [Job]) throws(SpoolError) -> (
        jobs: [Job], repeated: [(job: EnqueueJob, as: QueueID)]
    ) {
        let hasKeys = jobs.contains { job in
            if case .enqueue(let job) = job { job.message.options.idempotencyKey != nil } else { false }
        }
        guard hasKeys else { return (jobs, []) }
        do {
            return try database.read { database in
                let store = Store(database: database, beforeWrite: nil)
                let found = try Repetitions(in: jobs) { try store.holder(of: $0, at: $1) }
                return (found.jobs, found.repeated)
            }
        } catch {
            throw .from(error, doing: "Can't read \(files.directory.database)")
        }
    }

    private func fail(_ jobs: [Job], with error: SpoolError) {
        freeSpace.forget()
        logger.error("spool not writable", metadata: ["error": "\(error)"])
        for job in jobs {
            switch job {
            case .enqueue(let job):
                state.withLock { $0.didTake(job) }
                fail(job, with: error)
            case .record(let job):
                let mustArm = state.withLock { state in
                    state.failedRecords.append(job)
                    return state.failedRecords.count == 1
                }
                guard mustArm else { continue }
                writer.asyncAfter(deadline: .now() + .milliseconds(limits.resultRetryDelay)) { self.retryRecords() }
            }
        }
    }

    /// Writes results again that failed before.
    func retryRecords() {
        let jobs = state.withLock { state in
            state.phase == .closed ? [] : exchange(&state.failedRecords, with: [])
        }
        guard !jobs.isEmpty else { return }
        write(jobs.map(Job.record))
        serveWaiters()
    }
}

extension Spool.State {
    /// Whether something must be written now.
    func hasBatch(_ limits: SpoolLimits) -> Bool {
        guard !pending.isEmpty else { return false }
        return pendingMessages > 0 || isFlushDue || phase != .open || pending.count >= limits.batchMessages / 4
    }

    mutating func takeBatch(_ limits: SpoolLimits) -> [Job]? {
        guard hasBatch(limits) else {
            isFlushDue = false
            return nil
        }
        var jobs: [Job] = []
        var octets = 0
        var messages = 0
        while jobs.count < limits.batchMessages, octets < limits.batchOctets, let job = pending.popFirst() {
            if case .enqueue(let job) = job {
                pendingMessages -= 1
                messages += 1
                if case .inline(let bytes) = job.content { octets += bytes.count }
            }
            jobs.append(job)
        }
        if pending.isEmpty { isFlushDue = false }
        lastBatchMessages = messages
        return jobs
    }

    mutating func didTake(_ job: EnqueueJob) {
        pendingOctets -= Int64(job.content.length)
    }

    mutating func didCommit(_ job: Job, now: Int64, limits: SpoolLimits) {
        switch job {
        case .enqueue(let job):
            didTake(job)
            let message = job.message
            // What is released later waits on disk, as a deferred message does.
            guard job.key.time <= max(now, message.arrival.milliseconds) else { return schedule.rewind(to: job.key) }
            let recipients = message.envelope.recipients
            let claimed = ClaimedMessage(
                message: message, content: job.content,
                recipients: recipients.indices.map { ClaimedRecipient(index: $0, mailbox: recipients[$0], attempts: 0) }
            )
            let lease = Schedule.Lease(
                key: job.key,
                open: recipients.indices.map { OpenRecipient(ordinal: $0, attempts: 0, nextAttempt: job.key.time) },
                wasTried: false, octets: Int64(job.content.length), file: job.file, authorDomain: message.authorDomain)
            schedule.addFresh(Schedule.Candidate(claimed), lease: lease, limits: limits)
        case .record(let job):
            if job.isUnsignable { unsignableDomains.insert(job.lease.authorDomain) }
            schedule.end(job.attempt.queueID, key: job.key)
        }
    }
}
