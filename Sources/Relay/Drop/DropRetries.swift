// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// DropRetries is in charge of when a file is looked at again that could not be taken.
struct DropRetries: Sendable {
    private static let firstSeconds: Int64 = 2
    private static let maximumSeconds: Int64 = 300

    private struct Wait {
        var seconds: Int64
        var until: Int64
    }

    private var waits: [String: Wait] = [:]

    /// Forgets what is not there any more.
    mutating func keep(_ names: [String]) {
        guard !waits.isEmpty else { return }
        let names = Set(names)
        waits = waits.filter { names.contains($0.key) }
    }

    func isDue(_ name: String, now: Int64) -> Bool {
        guard let wait = waits[name] else { return true }
        // A clock that was set back must not make it wait for longer.
        return now >= wait.until || now < wait.until - wait.seconds
    }

    /// - Returns: the wait in seconds.
    mutating func putOff(_ name: String, now: Int64) -> Int64 {
        let seconds = waits[name].map { min($0.seconds * 2, DropRetries.maximumSeconds) } ?? DropRetries.firstSeconds
        waits[name] = Wait(seconds: seconds, until: now + seconds)
        return seconds
    }
}
