// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// MessageIDMaker is in charge of the msg-id that a message gets when it brought none (RFC 5322 §3.6.4,
/// RFC 6409 §8.3).
package enum MessageIDMaker {
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// Such as `<01J8ZK4T0QX7M.5d0f7kq2m9sta@example.com>`.
    ///
    /// The queue ID is unique within one spool; two relays that serve one domain are told apart by the random part.
    package static func messageID(queueID: QueueID, random: UInt64, host: String) -> String {
        var suffix: [UInt8] = []
        suffix.reserveCapacity(13)
        var value = random
        for _ in 0..<13 {
            suffix.append(alphabet[Int(value & 31)])
            value >>= 5
        }
        return "<\(queueID).\(String(decoding: suffix, as: UTF8.self))@\(host)>"
    }
}
