// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What the DNS shows at a key's record name: what all the servers in charge of it say together.
package struct KeyEvidence: Codable, Hashable, Sendable {
    package enum Verdict: String, Codable, Hashable, Sendable {
        /// Every server returns exactly the public key, over UDP and TCP.
        case published
        /// Every server returns the record with an empty `p=`.
        case revoked
        /// Every server says that there is no record.
        case absent
        /// At least one server says something else than the key's own record.
        case wrong
        /// No server contradicts the key, and at least one could not be asked, or the servers could not be found.
        case unknown
    }

    package var verdict: Verdict
    /// One line: which servers were asked, or what is wrong first.
    package var summary: String
    /// What is wrong at which server, a line each.
    package var findings: [String]
    /// What does not keep the key from being used, a line each.
    package var warnings: [String]
    /// How long resolvers keep the record: the longest TTL that a server gave, in seconds.
    package var recordTTL: Int64?
    /// How long resolvers keep the answer that there is no record (RFC 2308 §5), in seconds.
    package var negativeTTL: Int64?
    /// The zone that holds the record, behind all aliases.
    package var zone: String?
    /// A wildcard record with an empty `p=` answers somewhere for the name, so that nobody can see whether it has a
    /// record of its own; nil: none does.
    package var isWildcard: Bool?

    /// All that the DNS can show once the key's record was removed.
    var showsRemoval: Bool { verdict == .absent || verdict == .revoked && isWildcard == true }

    package init(
        _ verdict: Verdict, summary: String, findings: [String] = [], warnings: [String] = [],
        recordTTL: Int64? = nil, negativeTTL: Int64? = nil, zone: String? = nil
    ) {
        self.verdict = verdict
        self.summary = summary
        self.findings = findings
        self.warnings = warnings
        self.recordTTL = recordTTL
        self.negativeTTL = negativeTTL
        self.zone = zone
    }
}
