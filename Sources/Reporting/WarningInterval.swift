// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
import Synchronization

/// `WarningInterval` is in charge of how often the log is told the same of one domain, whatever the number of its
/// messages.
final class WarningInterval: Sendable {
    private static let interval = Duration.seconds(60)
    /// More domains are not remembered: the log then is told again.
    private static let maximumDomains = 1000

    private let last = Mutex<[Domain: ContinuousClock.Instant]>([:])

    /// Whether to warn now; the next time is a minute away then.
    func isDue(_ domain: Domain) -> Bool {
        let now = ContinuousClock.now
        return last.withLock { last in
            if let previous = last[domain], now - previous < WarningInterval.interval { return false }
            if last.count >= WarningInterval.maximumDomains { last.removeAll(keepingCapacity: true) }
            last[domain] = now
            return true
        }
    }
}
