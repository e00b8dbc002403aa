// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// RotationPlan is in charge of what to do next with the keys of one kind (RSA or Ed25519) of a domain: from what is
/// on disk, what is asked for and what time it is.
///
/// It does nothing itself and knows no clock, disk or network: Rotation.md says what it promises.
struct RotationPlan: Sendable {
    /// A proof that an activation rests on is no older.
    static let freshness: Int64 = 60
    /// RFC 8301 §3.2 allows keys this short only for verification; they are replaced twice as often.
    static let shortKeyInterval: Int64 = 90 * 86_400

    var domain: Domain
    /// The keys of this kind.
    var keys: [KeyDescription]
    var settings: RotationSettings
    /// Seconds since the Unix epoch.
    var now: Int64
    var run = Run()
    /// A rotation is to begin unless one runs.
    var wantsRotation = false
    var uses = KeyUses()
    /// The selectors that are delegated for good; nil: selectors are made afresh.
    var fixedSelectors: [Selector]?

    /// What this run is for, and what it has done already, by selector: nothing is looked at or tried twice in a run.
    struct Run: Hashable, Sendable {
        /// Somebody asks for news: everything is looked at and tried, whether or not it is due.
        var isAsked = false
        var looked: Set<String> = []
        var published: Set<String> = []
        /// What could not be done on our side.
        var failed: Set<String> = []
    }

    func next() -> RotationStep {
        if let step = settleActive() { return step }
        if let step = replace() { return step }
        for key in keys where !run.failed.contains(key.selector) {
            if let step = self.step(for: key) { return step }
        }
        return standby() ?? .rest
    }

    // MARK: Parts

    var active: KeyDescription? {
        keys.filter { $0.state == .active }.max { $1.wasActivated(after: $0) }
    }

    var successor: KeyDescription? {
        keys.last { $0.purpose == .successor && [.generated, .published, .retiring].contains($0.state) }
    }

    var standbyKey: KeyDescription? {
        keys.last { $0.purpose == .standby && [.generated, .published].contains($0.state) }
    }

    /// The key that signed last was compromised, and nothing has taken its place.
    var needsReplacement: Bool {
        KeyDescription.lacksReplacement(keys)
    }

    /// Of two active keys one was to go: the activation was cut off between them.
    private func settleActive() -> RotationStep? {
        guard let active else { return nil }
        return keys.first { $0.state == .active && $0.selector != active.selector }.map { .retire($0.selector) }
    }

    /// Begins a rotation where one is due.
    func replace() -> RotationStep? {
        guard wantsRotation || needsReplacement || isTooOld else { return nil }
        let standby = standbyKey.flatMap { $0.state == .published ? $0 : nil }
        // A successor that nobody sees yet must not keep a compromise waiting.
        if let successor {
            guard needsReplacement, successor.proof?.since == nil, let standby else { return nil }
            return .promote(standby.selector)
        }
        if let standby { return .promote(standby.selector) }
        guard let fixedSelectors else { return .generate(.successor, nil) }
        if let free = freeSelectors(fixedSelectors).first { return .generate(.successor, free) }
        // No name is free. What the last key left published still serves, and better than nothing.
        guard needsReplacement else { return nil }
        let published = keys.first {
            $0.state == .retiring && $0.proof?.since != nil && !$0.wasCompromised && $0.publication?.purpose != .revoke
        }
        return published.map { .promote($0.selector) }
    }

    var isTooOld: Bool {
        guard let active, let due = rotationDue(active) else { return false }
        return now >= due
    }

    /// When the active key is to be replaced.
    func rotationDue(_ active: KeyDescription) -> Int64? {
        guard var interval = settings.interval else { return nil }
        if active.algorithm == "rsa-1024" { interval = min(interval, Self.shortKeyInterval) }
        return Timestamp(active.activationTime).seconds + interval
    }

    /// Delegated names whose last key is removed, or that never had one.
    func freeSelectors(_ fixed: [Selector]) -> [Selector] {
        fixed.filter { selector in
            // A removed key keeps its name until its private key is disposed of.
            !keys.contains { $0.selector == selector.text && ($0.state != .removed || $0.privateKey == nil) }
        }
    }

    private func standby() -> RotationStep? {
        guard settings.keepsStandby, active != nil, successor == nil, standbyKey == nil else { return nil }
        guard let fixedSelectors else { return .generate(.standby, nil) }
        return freeSelectors(fixedSelectors).first.map { .generate(.standby, $0) }
    }

    private func step(for key: KeyDescription) -> RotationStep? {
        switch key.state {
        case .generated, .published:
            guard key.purpose != nil || key.publication != nil else { return nil }
            if canActivate(key) { return .activate(key.selector) }
            return publish(.publish, key) ?? look(key)
        case .active:
            // It was forced, and nobody has published it.
            let isUnpublished = key.publication == nil && key.proof?.first == nil && settings.publisher != nil
            return (isUnpublished ? publish(.publish, key) : repair(key)) ?? look(key)
        case .retiring:
            // Asked to sign again: as long as it is published, its proof is as good as another's.
            if canActivate(key) { return .activate(key.selector) }
            if key.purpose == .successor { return publish(.publish, key) ?? look(key) }
            if now >= revocationDue(key) || key.publication?.purpose == .revoke {
                return publish(.revoke, key) ?? look(key)
            }
            return repair(key) ?? look(key)
        case .compromised:
            return publish(.revoke, key) ?? look(key)
        case .revoked:
            guard now >= removalDue(key) || key.publication?.purpose == .remove else { return nil }
            return publish(.remove, key) ?? look(key)
        case .removed:
            return dispose(key)
        }
    }

    private func dispose(_ key: KeyDescription) -> RotationStep? {
        guard key.privateKey == nil else { return nil }
        guard settings.disclosesKeys, !key.wasCompromised else { return .dispose(key.selector, .destroyed) }
        // No verifier may still have the record when everybody can sign with the key.
        let due = Timestamp(key.stateTime).seconds + recordTTL(key) + RotationSettings.slack
        return now >= due ? .dispose(key.selector, .disclosed) : nil
    }
}

// MARK: Activation

extension RotationPlan {
    /// Whether the key may sign now: every server was seen to have it a moment ago, and it is long enough ago that the
    /// world can have learned of it.
    func canActivate(_ key: KeyDescription) -> Bool {
        guard key.purpose == .successor, key.publication?.purpose == .publish, let proof = key.proof,
            proof.evidence.verdict == .published, isFresh(proof), let due = activationDue(key)
        else { return false }
        return now >= due
    }

    private func isFresh(_ proof: KeyDescription.Proof) -> Bool {
        (0...Self.freshness).contains(now - Timestamp(proof.checked).seconds)
    }

    /// When the waiting time of a published key ends; nil without an unbroken proof.
    func activationDue(_ key: KeyDescription) -> Int64? {
        guard let since = key.proof?.since else { return nil }
        return Timestamp(since).seconds + wait(key)
    }

    /// How long a resolver that was asked too early may go on saying that there is no record.
    ///
    /// Without a key of its kind that signs there is nothing to protect: mail would wait, or leave with a signature less.
    func wait(_ key: KeyDescription) -> Int64 {
        guard key.skipsWait != true, let active, active.suspension == nil else { return 0 }
        return max(settings.wait, key.proof?.evidence.negativeTTL ?? 0, key.proof?.evidence.recordTTL ?? 0)
    }
}

// MARK: The end of a key

extension RotationPlan {
    /// When no mail that was signed with the key can still be under way.
    func revocationDue(_ key: KeyDescription) -> Int64 {
        let stopped = Timestamp(key.stateTime).seconds
        let used = uses.upperBound(of: KeyUses.Key(sdid: domain, selector: key.selector), stopped: stopped)
        return used + settings.retirement(recordTTL: recordTTL(key))
    }

    func removalDue(_ key: KeyDescription) -> Int64 {
        Timestamp(key.stateTime).seconds + settings.revokedTime
    }

    func recordTTL(_ key: KeyDescription) -> Int64 {
        key.proof?.evidence.recordTTL ?? settings.recordTTL
    }
}

// MARK: Publishing and looking

extension RotationPlan {
    private static let firstRetry: Int64 = 60
    private static let longestRetry: Int64 = 3600
    private static let firstLook: Int64 = 30

    /// Hands the record over unless that was done.
    private func publish(_ purpose: RecordChange.Purpose, _ key: KeyDescription) -> RotationStep? {
        guard let last = key.publication, last.purpose == purpose, last.publisher == settings.publisher else {
            return run.published.contains(key.selector) ? nil : .publish(purpose, key.selector)
        }
        guard last.result == .failed else { return repair(key) }
        let tried = Timestamp(last.time).seconds
        guard !run.published.contains(key.selector) else { return nil }
        return run.isAsked || isOver(retryTime(last.failures), since: tried) ? .publish(purpose, key.selector) : nil
    }

    /// What a publisher put there once is put there again when it is gone.
    private func repair(_ key: KeyDescription) -> RotationStep? {
        guard settings.publisher != nil, !run.published.contains(key.selector), let last = key.publication,
            last.result != .byHand
        else { return nil }
        guard needsRepair(key, last.purpose) else { return nil }
        let tried = Timestamp(last.time).seconds
        // Secondaries may only be slow: the longer it takes, the less it helps to say it again.
        let patience = max(retryTime(max(1, last.failures)), elapsed(since: Timestamp(last.since).seconds) / 4)
        return isOver(min(patience, Self.longestRetry), since: tried) ? .publish(last.purpose, key.selector) : nil
    }

    /// Whether the last look contradicts what was published.
    private func needsRepair(_ key: KeyDescription, _ purpose: RecordChange.Purpose) -> Bool {
        guard let proof = key.proof, let published = key.publication?.time, proof.checked > published else {
            return false
        }
        if purpose == .remove, proof.evidence.showsRemoval { return false }
        switch (purpose, proof.evidence.verdict) {
        case (_, .unknown), (.publish, .published), (.revoke, .revoked), (.revoke, .absent):
            return false
        default:
            return purpose != .publish || proof.contradictions >= 2
        }
    }

    func retryTime(_ failures: Int) -> Int64 {
        min(Self.longestRetry, settings.checkInterval * 10, Self.firstRetry << Int64(min(max(0, failures - 1), 10)))
    }

    private func look(_ key: KeyDescription) -> RotationStep? {
        isLookDue(key) ? .look(key.selector) : nil
    }

    /// The keys to look at now, where one is: so that one slow server is waited for once.
    func looksDue() -> Set<String> {
        Set(keys.filter { step(for: $0) == .look($0.selector) }.map(\.selector))
    }

    private func isLookDue(_ key: KeyDescription) -> Bool {
        guard !run.looked.contains(key.selector) else { return false }
        guard let proof = key.proof, !run.isAsked else { return true }
        let checked = Timestamp(proof.checked).seconds
        // What was just published is looked at before anything is said about it.
        if let publication = key.publication, publication.result == .submitted, proof.checked < publication.time,
            Timestamp(publication.time).seconds <= now
        {
            return true
        }
        let isReady = key.purpose == .successor && (activationDue(key).map { now >= $0 } ?? false) && !isFresh(proof)
        return isReady || isOver(lookInterval(key), since: checked)
    }

    /// How long after a look the next one is due.
    func lookInterval(_ key: KeyDescription) -> Int64 {
        guard let proof = key.proof else { return 0 }
        let pause = jittered(settings.checkInterval, key)
        if isUnderWay(key) {
            // Often at first, when the operator has just done something about it.
            let age = elapsed(since: Timestamp(key.publication?.since ?? key.stateTime).seconds)
            return min(pause, max(Self.firstLook, age / 10))
        }
        if proof.contradictions == 1 { return min(pause, 60) }
        return proof.evidence.verdict == .unknown ? min(pause, max(300, pause / 12)) : pause
    }

    /// A change of the record is awaited.
    func isUnderWay(_ key: KeyDescription) -> Bool {
        switch key.state {
        case .generated: true
        case .published: key.purpose == .successor
        case .compromised: true
        case .retiring: key.publication?.purpose == .revoke
        case .revoked: key.publication?.purpose == .remove
        case .active, .removed: false
        }
    }

    /// Up to a tenth more or less, always the same for a key, so that not all keys are looked at together.
    private func jittered(_ interval: Int64, _ key: KeyDescription) -> Int64 {
        let hash = key.recordName.utf8.reduce(UInt64(14_695_981_039_346_656_037)) {
            ($0 ^ UInt64($1)) &* 1_099_511_628_211
        }
        return interval + (interval / 10) * (Int64(hash % 201) - 100) / 100
    }

    /// Whether it is time to do again what was last done at `time`: also when that lies ahead, by a clock that was set
    /// back.
    private func isOver(_ pause: Int64, since time: Int64) -> Bool { time > now || now - time >= pause }

    /// Nothing has elapsed since a moment that lies ahead: the clock was set back.
    func elapsed(since time: Int64) -> Int64 { max(0, now - time) }
}
