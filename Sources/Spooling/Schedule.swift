// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// Schedule is in charge of who is next: leases, the fresh messages that never left memory, and how far the queue
/// on disk has been read.
///
/// It does no I/O and knows no clock.
///
/// On disk the queue is ordered by `DueKey`. Everything up to `cursor` is either in memory here (with an entry in
/// `leases`) or not in the queue any more; whatever comes to be on disk only, before the cursor, moves it back.
struct Schedule {
    /// A message in memory that nobody else may take up.
    struct Lease {
        var key: DueKey
        var open: [OpenRecipient]
        var wasTried: Bool
        var octets: Int64
        /// Below content/.
        var file: String?
        var authorDomain: Domain
        /// Given out by `claim`; until then it waits here.
        var isActive = false
        /// Its result is on its way to the disk.
        var isRecorded = false

        /// Whether a recipient waits for a key.
        var isUnsignable: Bool { open.contains(where: \.isUnsignable) }
    }

    struct Candidate {
        var claimed: ClaimedMessage
        var memory: Int
    }

    private(set) var leases: [QueueID: Lease] = [:]
    private var fresh = Fifo<Candidate>()
    private var freshMemory = 0
    /// Fresh messages that go before all others, with a room of their own: a crowd must not keep them out.
    private var urgent = Fifo<Candidate>()
    private var urgentMemory = 0
    private var paged = Fifo<Candidate>()
    private var pagedMemory = 0
    private var prefersPaged = true

    private(set) var cursor = DueKey.first
    /// When the disk is to be looked at again; nil: nothing there is waiting for a time.
    private(set) var nextSweep: Int64? = .min
    /// The first key that came to be on disk only since the last `beginPage`: the page may have passed over it.
    private var rewoundTo: DueKey?

    private(set) var retries = UnsignableRetries()
    /// Whether the next page is one of those.
    private var prefersRetry = false

    private(set) var activeCount = 0
    private(set) var activeTriedCount = 0

    var isEmpty: Bool { urgent.isEmpty && fresh.isEmpty && paged.isEmpty }

    /// Takes a message that was just committed; without room for it the disk will bring it.
    mutating func addFresh(_ candidate: Candidate, lease: Lease, limits: SpoolLimits) {
        let isUrgent = candidate.claimed.options.priority > 0
        let (count, memory) = isUrgent ? (urgent.count, urgentMemory) : (fresh.count, freshMemory)
        let hasRoom = count < limits.handoffMessages && memory + candidate.memory <= limits.handoffOctets
        guard hasRoom else { return rewind(to: lease.key) }
        leases[candidate.claimed.queueID] = lease
        if isUrgent {
            urgent.append(candidate)
            urgentMemory += candidate.memory
        } else {
            fresh.append(candidate)
            freshMemory += candidate.memory
        }
    }

    /// Takes a message that was read from disk.
    mutating func addPaged(_ candidate: Candidate, lease: Lease) {
        leases[candidate.claimed.queueID] = lease
        paged.append(candidate)
        pagedMemory += candidate.memory
    }

    /// Where the next page comes from.
    enum Page {
        /// The order of being due.
        case due
        /// The messages of an author domain that wait for a key, after one of them.
        case unsignable(Domain, after: Int64)
    }

    /// What to read next: by turns what is due and what is to be retried, so that neither starves.
    mutating func nextPage(now: Int64) -> Page? {
        let isDue = isSweepDue(now)
        guard prefersRetry || !isDue, let next = retries.next() else { return isDue ? .due : nil }
        prefersRetry = false
        return .unsignable(next.domain, after: next.after)
    }

    /// Messages of an author domain that wait for a key are to be read ahead of their time.
    mutating func retry(_ authorDomain: Domain) {
        retries.add(authorDomain)
    }

    /// They were read up to one of them; nil: to the last.
    mutating func endRetryPage(of authorDomain: Domain, at id: Int64?) {
        retries.endPage(of: authorDomain, at: id)
    }

    /// A page is about to be read from here.
    ///
    /// What is in memory by then is not to be read again.
    mutating func beginPage() -> DueKey {
        rewoundTo = nil
        prefersRetry = true
        return cursor
    }

    /// The disk was read up to a key; `next` is the time of what follows it.
    mutating func endPage(at key: DueKey, next: Int64?) {
        cursor = max(cursor, key)
        nextSweep = next
        if let rewoundTo { rewind(to: rewoundTo) }
    }

    /// A message is on disk only, at this key.
    mutating func rewind(to key: DueKey) {
        cursor = min(cursor, key.predecessor)
        nextSweep = min(nextSweep ?? .max, key.time)
        rewoundTo = min(rewoundTo ?? key, key)
    }

    /// Whether a page should be read from disk now.
    func wantsPage(now: Int64, limits: SpoolLimits) -> Bool {
        guard isSweepDue(now) || !retries.isEmpty else { return false }
        return paged.count < limits.pageMessages / 4 && pagedMemory < limits.pageOctets / 2
    }

    private func isSweepDue(_ now: Int64) -> Bool {
        nextSweep.map { $0 <= now } ?? false
    }

    /// Gives out messages: urgent ones that have just come, then by turns the oldest from disk and the freshest commits,
    /// so that neither of these starves.
    mutating func claim(
        maximumMessages: Int, maximumOctets: Int, maximumRecipients: Int = .max
    ) -> [ClaimedMessage] {
        var claimed: [ClaimedMessage] = []
        var octets = 0
        var recipients = 0
        while claimed.count < maximumMessages, let next = nextCandidate() {
            let length = next.claimed.content.length
            let count = next.claimed.recipients.count
            let fits = octets + length <= maximumOctets && recipients + count <= maximumRecipients
            guard claimed.isEmpty || fits else { break }
            drop(next)
            octets += length
            recipients += count
            claimed.append(next.claimed)
            activeCount += 1
            if leases[next.claimed.queueID]?.wasTried == true { activeTriedCount += 1 }
            leases[next.claimed.queueID]?.isActive = true
        }
        return claimed
    }

    private func nextCandidate() -> Candidate? {
        urgent.first ?? (prefersPaged ? paged.first ?? fresh.first : fresh.first ?? paged.first)
    }

    private mutating func drop(_ candidate: Candidate) {
        if !urgent.isEmpty {
            _ = urgent.popFirst()
            urgentMemory -= candidate.memory
        } else if prefersPaged && !paged.isEmpty || fresh.isEmpty {
            _ = paged.popFirst()
            pagedMemory -= candidate.memory
            prefersPaged = false
        } else {
            _ = fresh.popFirst()
            freshMemory -= candidate.memory
            prefersPaged = true
        }
    }

    /// Marks a lease as being recorded; nil if there is none to record under.
    mutating func beginRecord(_ id: QueueID) -> Lease? {
        guard let lease = leases[id], lease.isActive, !lease.isRecorded else { return nil }
        leases[id]?.isRecorded = true
        return lease
    }

    /// Ends a lease.
    ///
    /// With a key the message is still in the queue, there.
    mutating func end(_ id: QueueID, key: DueKey?) {
        guard let lease = leases.removeValue(forKey: id) else { return }
        if lease.isActive {
            activeCount -= 1
            if lease.wasTried { activeTriedCount -= 1 }
        }
        if let key { rewind(to: key) }
    }

    /// Ends a lease that was not used.
    mutating func release(_ id: QueueID) {
        guard let lease = leases[id], lease.isActive, !lease.isRecorded else { return }
        end(id, key: lease.key)
    }
}
