// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// FailureTable is in charge of making guesses slow: it counts failures to authenticate per address and per name, and
/// says how long the answer waits and when nobody is asked any more.
///
/// It has no clock: moments are nanoseconds since some start. It never grows past `maximumEntries`.
struct FailureTable: Sendable {
    static let maximumEntries = 10_000
    /// Failures of an address until it is locked out.
    ///
    /// Programs of this machine share one address, so it never is.
    static let maximumPerAddress = 10
    /// Failures with a name until it is locked, except for addresses that have authenticated as it before.
    static let maximumPerName = 30
    /// Without another failure, all are forgotten after so long; a lock lasts as long.
    static let memory: UInt64 = 15 * 60 * 1_000_000_000
    private static let firstDelay: UInt64 = 500_000_000
    private static let maximumDelay: UInt64 = 8_000_000_000
    private static let maximumKnownAddresses = 64

    enum Key: Hashable, Sendable {
        case address(String)
        case name(String)
    }

    enum Verdict: Hashable, Sendable {
        case mayTry
        case addressLocked
        case nameLocked
    }

    /// What came of a failure.
    struct Failure: Hashable, Sendable {
        /// In nanoseconds.
        var delay: UInt64
        /// What was locked by it.
        var locked: [Key] = []
    }

    private struct Entry {
        var failures = 0
        var last: UInt64
    }

    private var entries: [Key: Entry] = [:]
    /// Who has authenticated as whom, the last ones.
    private var knownAddresses: [String: [String]] = [:]

    var count: Int { entries.count }

    /// - Parameter address: nil for programs of this machine.
    func verdict(address: String?, name: String, now: UInt64) -> Verdict {
        if let address, failures(.address(address), now) >= FailureTable.maximumPerAddress { return .addressLocked }
        let isKnown = knownAddresses[name]?.contains(address ?? "") == true
        return !isKnown && failures(.name(name), now) >= FailureTable.maximumPerName ? .nameLocked : .mayTry
    }

    mutating func failed(address: String?, name: String, now: UInt64) -> Failure {
        let ofAddress = address.map { count(.address($0), now) } ?? 0
        let ofName = name.isEmpty ? 0 : count(.name(name), now)
        let worst = max(1, ofAddress, ofName)
        // Doubling from the first on; past 2^4 the longest is reached anyway.
        let delay = min(FailureTable.maximumDelay, FailureTable.firstDelay << UInt64(min(worst - 1, 4)))
        var failure = Failure(delay: delay)
        if let address, ofAddress == FailureTable.maximumPerAddress { failure.locked.append(.address(address)) }
        if ofName == FailureTable.maximumPerName { failure.locked.append(.name(name)) }
        return failure
    }

    /// - Parameter name: of an application, so that there are never many.
    mutating func succeeded(address: String?, name: String) {
        if let address { entries[.address(address)] = nil }
        var known = knownAddresses[name, default: []]
        guard !known.contains(address ?? "") else { return }
        known.append(address ?? "")
        knownAddresses[name] = known.suffix(FailureTable.maximumKnownAddresses)
    }

    private func failures(_ key: Key, _ now: UInt64) -> Int {
        guard let entry = entries[key], !FailureTable.isForgotten(entry, now) else { return 0 }
        return entry.failures
    }

    private mutating func count(_ key: Key, _ now: UInt64) -> Int {
        if entries[key] == nil, entries.count >= FailureTable.maximumEntries { makeRoom(now) }
        let failures = failures(key, now) + 1
        entries[key] = Entry(failures: failures, last: now)
        return failures
    }

    /// Drops what is forgotten, or else the older half.
    private mutating func makeRoom(_ now: UInt64) {
        entries = entries.filter { !FailureTable.isForgotten($0.value, now) }
        guard entries.count >= FailureTable.maximumEntries else { return }
        let older = entries.sorted { $0.value.last < $1.value.last }.prefix(entries.count / 2)
        for (key, _) in older { entries[key] = nil }
    }

    private static func isForgotten(_ entry: Entry, _ now: UInt64) -> Bool {
        now >= entry.last && now - entry.last > memory
    }
}
