// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Dispatch
internal import GRDB
internal import Logging
internal import Mail
internal import Synchronization

extension Spool {
    /// Wakes the writer when the next deferred message is due.
    ///
    /// Never sleeps long: the clock may be set.
    func armAlarm() {
        let now = clock.now().milliseconds
        let delay = state.withLock { state -> Int64? in
            guard state.phase == .open, let next = state.schedule.nextSweep, next > now else { return nil }
            let alarm = min(next, now + Int64(limits.longestSleep))
            // An alarm that stands for an earlier time will lead here again.
            if let standing = state.alarm, standing > now, standing <= alarm { return nil }
            state.alarm = alarm
            return alarm - now
        }
        guard let delay else { return }
        writer.asyncAfter(deadline: .now() + .milliseconds(Int(delay))) {
            self.state.withLock { $0.alarm = nil }
            self.startDrain()
            self.armAlarm()
        }
    }

    /// Removes content files that no message names: a crash came between their making and their commit, or between
    /// the commit that deleted their message and their removal.
    ///
    /// A shard at a time, so that mail flows meanwhile.
    func removeOrphans(fromShard shard: Int) {
        guard shard < ContentFiles.shardCount else { return }
        writer.async {
            guard self.state.withLock({ $0.phase == .open }) else { return }
            do {
                let orphans = try self.database.read { database in
                    let store = Store(database: database, beforeWrite: nil)
                    return try self.files.earlierNames(inShard: shard).filter { try !store.isNamed(file: $0) }
                }
                for name in orphans { self.files.unlink(self.files.path(of: name)) }
            } catch {
                self.logger.warning("orphans not looked for", metadata: ["error": "\(error)"])
            }
            self.removeOrphans(fromShard: shard + 1)
        }
    }

    /// Looks, a while after the last writing, whether the file can shrink.
    func armUpkeep() {
        let generation = state.withLock { state -> UInt64? in
            guard state.phase == .open, !state.isUpkeepArmed else { return nil }
            state.isUpkeepArmed = true
            return state.generation
        }
        if let generation { armUpkeep(after: limits.idleDelay, since: generation) }
    }

    private func armUpkeep(after delay: Int, since generation: UInt64) {
        writer.asyncAfter(deadline: .now() + .milliseconds(delay)) {
            let (isOpen, now) = self.state.withLock { ($0.phase == .open, $0.generation) }
            guard isOpen else { return }
            let isIdle = now == generation
            switch self.reclaim(isIdle: isIdle) {
            case .more: self.armUpkeep(after: isIdle ? 1 : self.limits.idleDelay, since: now)
            case .later: self.armUpkeep(after: self.limits.idleDelay, since: now)
            case .done: self.state.withLock { $0.isUpkeepArmed = false }
            }
        }
    }

    private enum Reclaimed {
        /// There is more to give back.
        case more
        /// Look again when things are quiet.
        case later
        case done
    }

    /// Gives unused pages back to the file system: some of them, so that new messages wait only a moment.
    private func reclaim(isIdle: Bool) -> Reclaimed {
        do {
            return try database.writeWithoutTransaction { database in
                let unused = try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
                let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
                guard unused > limits.spareFreePages else {
                    if isIdle { try truncateLog(database) }
                    return isIdle ? .done : .later
                }
                // Under load, only what is mostly air: the pages are needed again.
                guard isIdle || unused > pages / 2 else { return .later }
                try configuration.beforeWrite?(.reclaim)
                if isIdle, pages - unused <= Spool.smallFile {
                    // What is left is copied in a moment, whatever the order in which the pages became free.
                    try database.execute(sql: "VACUUM")
                } else {
                    try database.execute(sql: "PRAGMA incremental_vacuum(\(limits.reclaimPages))")
                }
                return .more
            }
        } catch {
            logger.warning("the spool could not shrink", metadata: ["error": "\(error)"])
            return .later
        }
    }

    /// Pages in use up to which the file is rewritten instead of trimmed.
    private static let smallFile = 1024

    func truncateLog(_ database: Database) throws {
        try configuration.beforeWrite?(.checkpoint)
        try database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
    }

    /// Writes what is pending, empties the log, gives up the lock.
    ///
    /// Leases end: their messages are due at the next start.
    package func close() async {
        let waiters = state.withLock { state -> [Waiter]? in
            guard state.phase == .open else { return nil }
            state.phase = .closing
            return exchange(&state.waiters, with: [])
        }
        for waiter in waiters ?? [] { waiter.continuation.resume(returning: []) }
        await withCheckedContinuation { continuation in
            writer.async {
                self.finish()
                continuation.resume()
            }
        }
    }

    private func finish() {
        guard state.withLock({ $0.phase != .closed }) else { return }
        while let batch = state.withLock({ $0.takeBatch(limits) }) { write(batch) }
        retryRecords()
        let failed = state.withLock { state in
            state.phase = .closed
            return exchange(&state.failedRecords, with: [])
        }
        for job in failed { job.completion?(.failure(.isClosed)) }
        do {
            try database.writeWithoutTransaction { try truncateLog($0) }
            try database.close()
        } catch {
            // The log stays, and the next start carries it into the file.
            logger.warning("the spool's log could not be emptied", metadata: ["error": "\(error)"])
        }
        lock.release()
    }
}
