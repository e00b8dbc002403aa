// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// What the configuration says about the keys of a domain over time.
///
/// All times are in seconds.
package struct RotationSettings: Hashable, Sendable {
    /// What happens to mail when no key of its domain can be seen in DNS any more.
    package enum DriftPolicy: String, Hashable, Sendable, CaseIterable {
        /// Mail is accepted and waits for a key.
        case `defer`
        /// Mail goes on being signed.
        case `continue`
    }

    private static let day: Int64 = 86_400

    /// An active key of this age is replaced; nil: only when somebody says so.
    package var interval: Int64?
    /// A second key of each kind is kept published, to be used at once when the first is compromised.
    package var keepsStandby = false
    package var selectors = SelectorTemplate()
    /// The least time from the proof that a key is published to its first signature.
    package var wait: Int64 = 3600
    /// The least time from a key's last signature to its revocation.
    package var retention: Int64 = 14 * day
    /// From the revocation of a key to the removal of its record.
    package var revokedTime: Int64 = 30 * day
    /// The private key is kept, for everybody to read, when its record is gone.
    package var disclosesKeys = false
    /// How often the records of keys are looked at.
    package var checkInterval: Int64 = 3600
    package var drift = DriftPolicy.defer
    /// Of records that Waxwing publishes itself.
    package var recordTTL: Int64 = 3600
    /// The `[[publisher]]` that carries records into DNS; nil: the operator does.
    package var publisher: String?
    /// How long a message may stay in the queue.
    package var queueLifetime: Int64 = 5 * day
    /// From `t=` to `x=` of a signature.
    package var signatureLifetime: Int64 = 7 * day

    package init() {}

    /// For clocks that differ, and records that are served a little longer than their TTL says.
    static let slack: Int64 = 3600

    /// The least time from a key's last signature until no mail signed with it can be under way, and it may be revoked.
    package func retirement(recordTTL: Int64) -> Int64 {
        max(retention, queueLifetime + signatureLifetime + recordTTL + Self.slack)
    }
}

/// The settings of all domains, and the ways to publish.
package struct RotationPolicies: Hashable, Sendable {
    package var general = RotationSettings()
    package var domains: [Domain: RotationSettings] = [:]
    package var publishers: [String: PublisherSettings] = [:]

    package init() {}

    package func settings(of domain: Domain) -> RotationSettings { domains[domain] ?? general }

    /// Nil: the operator publishes.
    package func publisher(of domain: Domain) -> PublisherSettings? {
        settings(of: domain).publisher.flatMap { publishers[$0] }
    }
}

/// How fresh selectors are named.
package struct SelectorTemplate: Hashable, Sendable {
    /// What a selector may hold, with words in braces for what differs.
    ///
    /// `{date}`: the year, month and day. `{letter}`: the first of a to z that makes the selector fresh.
    /// `{algorithm}`: rsa, or e for Ed25519.
    package let text: String

    package init() {
        text = "ww{date}{letter}"
    }

    /// Nil unless `text` has `{letter}` once, at most one `{date}`, and makes selectors.
    package init?(_ text: String) {
        self.text = text
        guard text.ranges(of: "{letter}").count == 1, text.ranges(of: "{date}").count <= 1,
            text.ranges(of: "{algorithm}").count <= 1,
            selector(date: "20261231", letter: "z", isEd25519: true) != nil,
            selector(date: "20261231", letter: "z", isEd25519: false) != nil
        else { return nil }
    }

    /// Without `{algorithm}` an Ed25519 key has an `e` before the letter: two keys can't share a selector.
    ///
    /// - Parameter date: eight digits.
    func selector(date: String, letter: Character, isEd25519: Bool) -> Selector? {
        let namesAlgorithm = text.contains("{algorithm}")
        return Selector(
            text.replacing("{date}", with: date)
                .replacing("{algorithm}", with: isEd25519 ? "e" : "rsa")
                .replacing("{letter}", with: (isEd25519 && !namesAlgorithm ? "e" : "") + String(letter)))
    }
}
