// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What was asked for one message, beside its envelope: when it may leave, until when, before which others, and how.
package struct MessageOptions: Hashable, Sendable {
    /// Not before this moment.
    package var release: Timestamp?
    /// Not after this moment; nil: as long as the configuration has it.
    package var expiry: Timestamp?
    /// From -9 to 9, the most urgent (RFC 6710 §3).
    package var priority = 0
    /// Words of the application's own, to find its messages by.
    package var tags: [String] = []
    /// The name of the route to take, whatever the recipients' domains; nil: the one for them.
    package var route: String?
    /// It is taken in and signed, and not sent.
    package var isTest = false
    /// Of two messages of one principal with the same key one is sent.
    package var idempotencyKey: String?
    /// It travels over verified TLS only (RFC 8689).
    package var requiresTLS = false

    package init() {}

    /// Nothing was asked.
    package static let none = MessageOptions()

    /// When a message is due first, and from when its life counts: at its arrival, unless it is to be released later.
    package func firstAttempt(arrival: Timestamp) -> Timestamp {
        release.map { max($0, arrival) } ?? arrival
    }

    /// When the recipients that are still open fail: when it was asked for, at the latest `lifetime` seconds after the
    /// release.
    package func expiry(arrival: Timestamp, lifetime: Int64) -> Timestamp {
        let latest = firstAttempt(arrival: arrival).advanced(bySeconds: lifetime)
        return expiry.map { min($0, latest) } ?? latest
    }
}
