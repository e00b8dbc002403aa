// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import Synchronization

/// When a deferred recipient is tried again: first after some minutes, for the next hops that greylist, then
/// twice as long each time up to a maximum, with jitter so that what failed together does not come back
/// together (RFC 5321 §4.5.4.1).
package struct RetrySchedule: Hashable, Sendable {
    /// In hundredths, to both sides.
    package static let jitterPercent: Int64 = 10

    package var firstMilliseconds: Int64
    package var maximumMilliseconds: Int64

    package init(firstMilliseconds: Int64 = 5 * 60_000, maximumMilliseconds: Int64 = 4 * 3_600_000) {
        self.firstMilliseconds = max(1, firstMilliseconds)
        self.maximumMilliseconds = max(self.firstMilliseconds, maximumMilliseconds)
    }

    /// The wait after an attempt that was deferred, in milliseconds.
    ///
    /// - Parameter attempts: the deferred attempts before this one.
    package func wait(afterAttempts attempts: Int, _ randomness: Randomness) -> Int64 {
        var wait = firstMilliseconds
        var left = attempts
        while left > 0, wait < maximumMilliseconds {
            // Half of the maximum first, so that doubling can't overflow.
            wait = wait > maximumMilliseconds / 2 ? maximumMilliseconds : wait * 2
            left -= 1
        }
        let spread = wait / 100 * RetrySchedule.jitterPercent
        guard spread > 0 else { return wait }
        return wait - spread + Int64(randomness.next() % UInt64(2 * spread + 1))
    }

    /// When the next attempt is due; nil when the message has expired and there is none.
    ///
    /// The last attempt is made at the expiry itself, however long the schedule would wait.
    func next(afterAttempts attempts: Int, now: Timestamp, expiry: Timestamp, _ randomness: Randomness) -> Timestamp? {
        guard now < expiry else { return nil }
        return min(now.advanced(byMilliseconds: wait(afterAttempts: attempts, randomness)), expiry)
    }
}

/// The schedule in force; a reload replaces it.
final class RetrySetting: Sendable {
    private let schedule: Mutex<RetrySchedule>

    init(_ schedule: RetrySchedule) {
        self.schedule = Mutex(schedule)
    }

    var current: RetrySchedule { schedule.withLock { $0 } }

    func replace(_ new: RetrySchedule) {
        schedule.withLock { $0 = new }
    }
}

/// Where random numbers come from.
///
/// A seam, as the clock is: the system's in the program, a seeded one in tests.
package struct Randomness: Sendable {
    package let next: @Sendable () -> UInt64

    package init(next: @escaping @Sendable () -> UInt64) {
        self.next = next
    }

    package static let system = Randomness { UInt64.random(in: .min ... .max) }

    /// The same elements in an order of chance.
    func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var shuffled = elements
        var index = shuffled.count - 1
        while index > 0 {
            shuffled.swapAt(index, Int(next() % UInt64(index + 1)))
            index -= 1
        }
        return shuffled
    }
}
