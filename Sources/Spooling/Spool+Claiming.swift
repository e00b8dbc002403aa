// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import GRDB
internal import Logging
internal import Mail
internal import Synchronization

extension Spool {
    /// Leases messages that are due, at least one; waits until there is one.
    ///
    /// Nothing after `close` or when the task is cancelled. The first may be larger than `maximumOctets` and have more
    /// recipients than `maximumRecipients`.
    package func claim(
        maximumMessages: Int, maximumOctets: Int, maximumRecipients: Int = .max
    ) async -> [ClaimedMessage] {
        guard maximumMessages > 0 else { return [] }
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isWelcome = state.withLock { state in
                    // The handler below may have run already, or run after this: either way one of us resumes it.
                    guard state.phase == .open, !Task.isCancelled else { return false }
                    state.waiters.append(
                        Waiter(
                            number: number, maximumMessages: maximumMessages, maximumOctets: maximumOctets,
                            maximumRecipients: maximumRecipients, continuation: continuation))
                    return true
                }
                guard isWelcome else { return continuation.resume(returning: []) }
                serveWaiters()
                startDrain()
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: [])
        }
    }

    /// Gives what is in memory to those who wait, first come, first served.
    func serveWaiters() {
        while true {
            let served = state.withLock { state -> (Waiter, [ClaimedMessage])? in
                // A delivery that can't be written down would be repeated after a restart.
                guard state.phase == .open, state.failedRecords.isEmpty, let waiter = state.waiters.first else {
                    return nil
                }
                let claimed = state.schedule.claim(
                    maximumMessages: waiter.maximumMessages, maximumOctets: waiter.maximumOctets,
                    maximumRecipients: waiter.maximumRecipients)
                guard !claimed.isEmpty else { return nil }
                return (state.waiters.removeFirst(), claimed)
            }
            guard let (waiter, claimed) = served else { return }
            waiter.continuation.resume(returning: claimed)
        }
    }

    /// Reads the next messages that are due from disk.
    ///
    /// On the writer, so that between two transactions: what the leases say and what the disk holds agree.
    func readPage() {
        let now = clock.now().milliseconds
        switch state.withLock({ $0.schedule.nextPage(now: now) }) {
        case .due: readDue(now)
        case .unsignable(let domain, let id): readUnsignable(domain, after: id)
        case nil: break
        }
    }

    private func readDue(_ now: Int64) {
        let cursor = state.withLock { $0.schedule.beginPage() }
        do {
            let page = try database.read { database in
                try self.page(after: cursor, now: now, store: Store(database: database, beforeWrite: nil))
            }
            state.withLock { state in
                for (candidate, lease) in page.messages { state.schedule.addPaged(candidate, lease: lease) }
                state.schedule.endPage(at: page.end, next: page.next)
            }
        } catch {
            logger.error("spool not readable", metadata: ["error": "\(error)"])
            let later = now + Int64(limits.resultRetryDelay)
            state.withLock { $0.schedule.endPage(at: cursor, next: later) }
        }
    }

    private struct Page {
        var messages: [(Schedule.Candidate, Schedule.Lease)] = []
        var end: DueKey
        var next: Int64?
    }

    private func page(after cursor: DueKey, now: Int64, store: Store) throws -> Page {
        let keyLimit = limits.pageMessages * 4
        var page = Page(end: cursor)
        var octets = 0
        let keys = try store.dueKeys(after: cursor, until: now, limit: keyLimit)
        let isInMemory = state.withLock { state in
            keys.map { key in QueueID(rawValue: key.id).map { state.schedule.leases[$0] != nil } ?? true }
        }
        for (key, isInMemory) in zip(keys, isInMemory) {
            if !isInMemory {
                guard page.messages.count < limits.pageMessages, octets < limits.pageOctets else {
                    page.next = key.time
                    return page
                }
                if let (candidate, lease) = try candidate(key.id, at: key, now: now, store: store) {
                    octets += candidate.memory
                    page.messages.append((candidate, lease))
                }
            }
            page.end = key
        }
        page.next = keys.count == keyLimit ? now : try store.nextDueTime(after: page.end)
        return page
    }

    /// A message with the recipients that are due.
    ///
    /// - Parameter key: nil asks for recipients that wait for a key, whatever their time; without any there is nothing.
    func candidate(
        _ id: Int64, at key: DueKey?, now: Int64, store: Store
    ) throws -> (Schedule.Candidate, Schedule.Lease)? {
        do {
            guard let stored = try store.message(id) else { throw SpoolError(.failed, "No such message") }
            if key == nil, stored.isHeld { return nil }
            return try candidate(stored, at: key, now: now, store: store)
        } catch let error as SpoolError {
            // One row that makes no sense must not stop the others.
            logger.error("message not readable", metadata: ["message": "\(id)", "error": "\(error)"])
            return nil
        }
    }

    private func candidate(
        _ stored: StoredMessage, at key: DueKey?, now: Int64, store: Store
    ) throws -> (Schedule.Candidate, Schedule.Lease)? {
        let message = stored.message
        let tried = try store.triedRecipients(message.queueID.rawValue)
        var open: [OpenRecipient] = []
        var due: [ClaimedRecipient] = []
        var nextTried = 0
        for (ordinal, mailbox) in message.envelope.recipients.enumerated() {
            var failure: Diagnostic?
            var recipient = OpenRecipient(
                ordinal: ordinal, attempts: 0, nextAttempt: message.firstAttempt.milliseconds)
            if nextTried < tried.count, tried[nextTried].ordinal == ordinal {
                let row = tried[nextTried]
                nextTried += 1
                guard row.state.isOpen else { continue }
                if row.state == .unreported { failure = row.diagnostic }
                recipient.attempts = row.attempts
                recipient.nextAttempt = row.nextAttempt ?? message.firstAttempt.milliseconds
                recipient.isUnsignable = row.state == .unsignable
            }
            open.append(recipient)
            if recipient.nextAttempt <= now || (key == nil && recipient.isUnsignable) {
                due.append(
                    ClaimedRecipient(
                        index: ordinal, mailbox: mailbox, attempts: recipient.attempts, failure: failure))
            }
        }
        guard let place = key ?? DueKey(of: message.queueID, open), !due.isEmpty else { return nil }
        let content: StoredContent =
            if let file = stored.file {
                .file(path: files.path(of: file), length: stored.length)
            } else {
                .inline(try inlineContent(of: stored, store: store))
            }
        let claimed = ClaimedMessage(
            message: message, content: content, recipients: due,
            keptFields: tried.isEmpty ? nil : try store.keptFields(message.queueID.rawValue))
        let lease = Schedule.Lease(
            key: place, open: open, wasTried: !tried.isEmpty, octets: Int64(stored.length), file: stored.file,
            authorDomain: message.authorDomain)
        return (Schedule.Candidate(claimed), lease)
    }

    /// Less than what was accepted must never leave: a next hop would take it, and the rest would be gone.
    private func inlineContent(of stored: StoredMessage, store: Store) throws -> [UInt8] {
        let bytes = try store.inlineContent(stored.message.queueID.rawValue)
        guard bytes.count == stored.length else {
            throw SpoolError(
                .failed, "\(stored.message.queueID) has \(bytes.count) of its \(stored.length) octets in the spool")
        }
        return bytes
    }
}

extension Schedule.Candidate {
    init(_ claimed: ClaimedMessage) {
        self.claimed = claimed
        // What the strings and arrays around a content take, about.
        self.memory = 512 + 128 * claimed.envelope.recipients.count
        if case .inline(let bytes) = claimed.content { self.memory += bytes.count }
    }
}
