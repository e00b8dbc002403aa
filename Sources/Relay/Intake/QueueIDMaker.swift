// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import Synchronization

/// QueueIDMaker is in charge of queue IDs: each is greater than all that it made before and than all that the spool
/// held when it was opened, so that none is taken, even after the clock was set back.
final class QueueIDMaker: Sendable {
    /// Of the bits that tell apart the messages of a millisecond, those that stay free for counting.
    private static let countedBits: UInt64 = 20

    private let newest: Atomic<Int64>
    /// Where each millisecond starts to count.
    ///
    /// Different from run to run: the IDs that another run gave in the same millisecond to messages that have left
    /// are hardly given again.
    private let start: Int64

    init(after newest: QueueID?, random: UInt64) {
        self.newest = Atomic(newest?.rawValue ?? 0)
        self.start = Int64(random & ((1 << QueueIDMaker.countedBits) - 1))
    }

    func next(arrival: Timestamp) -> QueueID {
        let first = QueueID(arrival: arrival, distinguisher: UInt64(start))
        var newest = newest.load(ordering: .relaxed)
        while true {
            let next = max(first.rawValue, newest + 1)
            let (isExchanged, found) = self.newest.weakCompareExchange(
                expected: newest, desired: next, ordering: .relaxed)
            if isExchanged { return QueueID(rawValue: next) ?? first }
            newest = found
        }
    }
}
