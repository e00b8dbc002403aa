// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// The name of one message in the queue, given at intake and never used twice in a spool.
///
/// 64 bits: a sign that is never set, 42 of the arrival time in milliseconds, 21 that tell apart the messages of
/// one millisecond, so that IDs sort by arrival. Written as 13 characters of Crockford's base 32, such as `01J8ZK4T0QX7M`.
package struct QueueID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package static let textLength = 13
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// Positive, so that it is a SQLite rowid too.
    package let rawValue: Int64

    /// The arrival time that it was made with, in milliseconds since 1970.
    package var milliseconds: Int64 { rawValue >> 21 }

    /// Nil for values below 1.
    package init?(rawValue: Int64) {
        guard rawValue > 0 else { return nil }
        self.rawValue = rawValue
    }

    /// - Parameter distinguisher: only its low 21 bits count.
    package init(arrival: Timestamp, distinguisher: UInt64) {
        let time = UInt64(max(1, arrival.milliseconds)) & ((1 << 42) - 1)
        self.rawValue = Int64(time << 21 | distinguisher & ((1 << 21) - 1))
    }

    /// Nil if `text` is not a queue ID.
    ///
    /// Case does not matter.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == QueueID.textLength else { return nil }
        var value: UInt64 = 0
        for byte in text.utf8 {
            let upper = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte & ~0x20 : byte
            guard let digit = QueueID.alphabet.firstIndex(of: upper) else { return nil }
            guard value >> 59 == 0 else { return nil }
            value = value << 5 | UInt64(digit)
        }
        self.init(rawValue: Int64(truncatingIfNeeded: value))
    }

    package var description: String {
        var text = [UInt8](repeating: 0, count: QueueID.textLength)
        var value = UInt64(rawValue)
        for index in text.indices.reversed() {
            text[index] = QueueID.alphabet[Int(value & 31)]
            value >>= 5
        }
        return String(decoding: text, as: UTF8.self)
    }

    package static func < (left: QueueID, right: QueueID) -> Bool {
        left.rawValue < right.rawValue
    }
}
