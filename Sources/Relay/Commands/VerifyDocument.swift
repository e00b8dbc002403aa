// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What `waxwing verify --json` prints, and `waxwing verify` in words.
///
/// Fields may be added; those that are here keep their names and meanings. What is not known is left out.
package struct VerifyDocument: Codable, Hashable, Sendable {
    /// What scripts want to know.
    package enum Outcome: String, Codable, Hashable, Sendable {
        /// A signature passes whose domain is aligned with From.
        case good
        /// None does.
        case bad
        /// None does so far: DNS gave no answer that would decide it.
        case unknown
    }

    package var outcome: Outcome
    /// The result of RFC 8601 §2.7.1 for the whole message: one signature that passes is enough.
    package var result: String
    /// The author domain: that of the mailbox in From.
    package var author: String?
    /// Why there is no author domain.
    package var authorProblem: String?
    /// From the top down.
    package var signatures: [SignatureDocument]
}

/// One signature.
package struct SignatureDocument: Codable, Hashable, Sendable {
    /// `pass`, `fail`, `policy`, `neutral`, `temperror` or `permerror` (RFC 8601 §2.7.1).
    package var result: String
    /// In words; empty for a plain pass.
    package var reason: String
    /// `d=`.
    package var domain: String?
    /// `s=`.
    package var selector: String?
    /// `a=`.
    package var algorithm: String?
    /// `c=`, both words.
    package var canonicalization: String?
    /// `i=`, or its default.
    package var identity: String?
    /// `t=`, in seconds since 1970.
    package var signedAt: Int64?
    /// `x=`, in seconds since 1970.
    package var expiresAt: Int64?
    package var key: KeyDocument?
    package var body: BodyDocument?
    package var header: HeaderDocument?
    package var alignment: AlignmentDocument?
}

/// The key record under a signature.
package struct KeyDocument: Codable, Hashable, Sendable {
    /// Where it is.
    package var name: String
    /// Such as `rsa-2048`; left out for a revoked key, or if there is no record that can be read.
    package var kind: String?
    /// `t=y`.
    package var isTesting: Bool
}

/// The body under a signature.
package struct BodyDocument: Codable, Hashable, Sendable {
    package var isIntact: Bool
    /// The body hash as it is, in base64.
    package var computed: String
    /// `bh=`.
    package var expected: String
    /// Octets of the canonical form.
    package var octets: Int
    /// Octets that `l=` leaves unsigned.
    package var unsignedOctets: Int
    package var cause: CauseDocument?
}

/// The header section under a signature; all names are in lower case.
package struct HeaderDocument: Codable, Hashable, Sendable {
    /// Left out if there was no key to tell.
    package var isIntact: Bool?
    /// A name for each field that is signed, in the order of `h=`.
    package var signed: [String]
    /// Names that `h=` lists more often than they occur: such a field can't be added.
    package var oversigned: [String]
    /// Those of `oversigned` that don't occur at all: never there, or removed.
    package var absent: [String]
    /// A name for each field that is not signed, from the top down.
    package var unsigned: [String]
    /// Those of `unsigned` that a reader sees or that decide how the body is shown.
    package var exposed: [String]
    package var cause: CauseDocument?
}

/// What explains a failure.
package struct CauseDocument: Codable, Hashable, Sendable {
    /// One of the raw values of `FailureCause.Kind`, such as `body-line-ends`.
    package var kind: String
    package var text: String
}

/// How `d=` and the author domain belong together.
package struct AlignmentDocument: Codable, Hashable, Sendable {
    package enum Mode: String, Codable, Hashable, Sendable {
        /// They are the same.
        case exact
        /// They belong to one organization, and the author domain asks for no more (RFC 9989 §4.10.2).
        case relaxed
        /// They don't belong together.
        case none
        /// DNS didn't tell now.
        case unknown
    }

    package var mode: Mode
    /// In words: what was looked at.
    package var text: String

    package var isAligned: Bool { mode == .exact || mode == .relaxed }

    package init(_ mode: Mode, _ text: String) {
        self.mode = mode
        self.text = text
    }
}
