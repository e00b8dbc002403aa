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

    struct Key: Hashable, Sendable {
        var sdid: Domain
        var selector: String
    }

    /// Milliseconds since 1970.
    private var last: [Key: Int64] = [:]

    init(_ uses: [KeyUse]) {
        add(uses)
    }

    var uses: [KeyUse] {
        last.map { KeyUse(sdid: $0.sdid, selector: $0.selector, time: Timestamp(milliseconds: $1)) }
    }

    /// Whether a use tells enough that is new to be written.
    func isDue(_ use: KeyUse) -> Bool {
        guard let last = last[Key(use)] else { return true }
        // Never back, wherever the clock is set: a record that is revoked too late costs nothing.
        return use.time.milliseconds - last >= KeyUse.granularitySeconds * 1000
    }

    /// What is to be written with some jobs, each key once.
    func due(in jobs: [Job]) -> [KeyUse] {
        var due: [Key: Int64] = [:]
        for job in jobs {
            guard case .record(let job) = job else { continue }
            for use in job.attempt.keyUses where isDue(use) {
                due[Key(use)] = max(due[Key(use)] ?? .min, use.time.milliseconds)
            }
        }
        return due.map { KeyUse(sdid: $0.sdid, selector: $0.selector, time: Timestamp(milliseconds: $1)) }
    }

    /// These were written.
    mutating func add(_ uses: [KeyUse]) {
        for use in uses { last[Key(use)] = use.time.milliseconds }
    }
}

extension KeyUseTable.Key {
    fileprivate init(_ use: KeyUse) {
        self.init(sdid: use.sdid, selector: use.selector)
    }
}
