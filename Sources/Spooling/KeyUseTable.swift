// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// KeyUseTable is in charge of when each key was last used, as it stands on disk, and of writing it there no more often
/// than it is of use.
///
/// A key signs thousands of messages a second; its row is written once in `KeyUse.granularitySeconds`, together with
/// the results that are written anyhow.
struct KeyUseTable: Sendable {
    /// So long after its last use nobody asks for a key any more.
    static let keptSeconds: Int64 = 400 * 86_400

    private struct Key: Hashable {
        var sdid: Domain
        var selector: String
    }

    /// By SDID and selector, in milliseconds since 1970.
    private(set) var last: [Domain: [String: Int64]] = [:]

    init(_ uses: [KeyUse]) {
        add(uses)
    }

    func uses(of sdid: Domain) -> [KeyUse] {
        (last[sdid] ?? [:]).map { KeyUse(sdid: sdid, selector: $0, time: Timestamp(milliseconds: $1)) }
    }

    /// Whether a use tells enough that is new to be written.
    func isDue(_ use: KeyUse) -> Bool {
        guard let last = last[use.sdid]?[use.selector] else { return true }
        // Never back, wherever the clock is set: a record that is revoked too late costs nothing.
        return use.time.milliseconds - last >= KeyUse.granularitySeconds * 1000
    }

    /// What is to be written with some jobs, each key once.
    func due(in jobs: [Job]) -> [KeyUse] {
        var due: [Key: Int64] = [:]
        for job in jobs {
            guard case .record(let job) = job else { continue }
            for use in job.attempt.keyUses where isDue(use) {
                let key = Key(sdid: use.sdid, selector: use.selector)
                due[key] = max(due[key] ?? .min, use.time.milliseconds)
            }
        }
        return due.map { KeyUse(sdid: $0.sdid, selector: $0.selector, time: Timestamp(milliseconds: $1)) }
    }

    /// These were written.
    mutating func add(_ uses: [KeyUse]) {
        for use in uses { last[use.sdid, default: [:]][use.selector] = use.time.milliseconds }
    }
}
