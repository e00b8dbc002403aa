// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import GRDB
internal import Logging
package import Mail
internal import Synchronization

extension Spool {
    /// When each key of an SDID was last used, as far as it is on disk.
    ///
    /// It may have been used up to `KeyUse.granularitySeconds` later, and also since then for messages whose attempt
    /// has not ended. What was in flight when a daemon was killed is in no record: see QueueStates.md.
    package func keyUses(of sdid: Domain) -> [KeyUse] {
        keyUseTable.withLock { $0.uses(of: sdid) }
    }

    /// Author domains with messages that wait for a key; perhaps some whose last one has just left.
    package var unsignableDomains: Set<Domain> {
        state.withLock { $0.unsignableDomains }
    }

    /// Gives out, ahead of their time, the messages of an author domain that wait for a key.
    ///
    /// It writes nothing: they are read by and by as there is room, each once. If one still can't be signed it is
    /// recorded so again.
    package func retry(authorDomain: Domain) {
        let isKnown = state.withLock { state in
            guard state.phase == .open, state.unsignableDomains.contains(authorDomain) else { return false }
            state.schedule.retry(authorDomain)
            return true
        }
        if isKnown { startDrain() }
    }

    /// Reads the next messages of an author domain that wait for a key.
    ///
    /// On the writer, as `readPage`.
    func readUnsignable(_ domain: Domain, after id: Int64) {
        do {
            let page = try database.read { database in
                try self.unsignable(of: domain, after: id, store: Store(database: database, beforeWrite: nil))
            }
            state.withLock { state in
                for (candidate, lease) in page.messages { state.schedule.addPaged(candidate, lease: lease) }
                state.schedule.endRetryPage(of: domain, at: page.end)
                if page.end == nil, id == .min, page.isEmpty { state.unsignableDomains.remove(domain) }
            }
        } catch {
            // Whoever asked for it asks again.
            logger.error("spool not readable", metadata: ["error": "\(error)"])
            state.withLock { $0.schedule.endRetryPage(of: domain, at: nil) }
        }
    }

    private struct UnsignablePage {
        var messages: [(Schedule.Candidate, Schedule.Lease)] = []
        /// None waits, not even under a lease.
        var isEmpty: Bool
        /// Where the next page begins; nil when there is none.
        var end: Int64?
    }

    private func unsignable(of domain: Domain, after id: Int64, store: Store) throws -> UnsignablePage {
        let limit = limits.pageMessages
        let ids = try store.unsignable(of: domain, after: id, limit: limit)
        var page = UnsignablePage(isEmpty: ids.isEmpty)
        var octets = 0
        let now = clock.now().milliseconds
        for id in ids {
            guard octets < limits.pageOctets else { return page }
            page.end = id
            let isInMemory = state.withLock { state in
                QueueID(rawValue: id).map { state.schedule.leases[$0] != nil } ?? true
            }
            guard !isInMemory, let (candidate, lease) = try candidate(id, at: nil, now: now, store: store) else {
                continue
            }
            octets += candidate.memory
            page.messages.append((candidate, lease))
        }
        if ids.count < limit { page.end = nil }
        return page
    }

    /// What has to be known of the keys before the spool opens.
    static func prepareKeys(_ database: DatabaseQueue, now: Timestamp, _ logger: Logger) throws -> (
        KeyUseTable, Set<Domain>
    ) {
        let (uses, domains) = try database.read { database in
            let store = Store(database: database, beforeWrite: nil)
            return (try store.keyUses(), try store.unsignableDomains())
        }
        let oldest = now.advanced(bySeconds: -KeyUseTable.keptSeconds)
        let kept = uses.filter { $0.time >= oldest }
        if kept.count < uses.count {
            do {
                try database.write { try Store(database: $0, beforeWrite: nil).deleteKeyUses(before: oldest) }
            } catch {
                // Rows that nobody needs are no reason not to start.
                logger.warning("old uses of keys not removed", metadata: ["error": "\(error)"])
            }
        }
        return (KeyUseTable(kept), domains)
    }
}
