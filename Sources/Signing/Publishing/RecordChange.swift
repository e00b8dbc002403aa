// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// What is to stand in DNS at a key's record name from now on.
///
/// Carrying it out twice is the same as once.
package struct RecordChange: Hashable, Sendable {
    package enum Purpose: String, Codable, Hashable, Sendable {
        case publish, revoke, remove
    }

    package var purpose: Purpose
    package var domain: Domain
    package var selector: Selector
    /// The only text record wanted; nil: none.
    package var wanted: String?
    /// The texts that the name may hold now and that are ours to replace; anything else is somebody else's.
    package var replaceable: [String]
    /// Seconds.
    package var ttl: Int64
    /// The zone that holds the name, as far as somebody has asked; for people only.
    package var zone: String?

    package init(
        _ purpose: Purpose, domain: Domain, selector: Selector, wanted: String?, replaceable: [String], ttl: Int64,
        zone: String? = nil
    ) {
        self.purpose = purpose
        self.domain = domain
        self.selector = selector
        self.wanted = wanted
        self.replaceable = replaceable
        self.ttl = ttl
        self.zone = zone
    }

    /// `<selector>._domainkey.<domain>`.
    package var name: String { selector.recordName(in: domain) }
}

/// What came of the attempt to carry a change into DNS.
///
/// Only the look at every server proves that it is there.
package enum PublicationResult: Hashable, Sendable {
    /// Handed over: to whom, in one line, for the key's history.
    case submitted(String)
    /// The operator has to: what to do, in lines.
    case byHand(String)
    /// What went wrong, where, and how to mend it, in lines; tried again later.
    case failed(String)
}
