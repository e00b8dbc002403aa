// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Why a signature fails, as far as that can be known: one change that explains it, or that none was found.
public struct FailureCause: Hashable, Sendable, CustomStringConvertible {
    /// What kind of change it is; the raw values are for scripts and stay as they are.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The body matches in the canonicalization that `c=` doesn't name.
        case bodyCanonicalization = "body-canonicalization"
        /// The body matches with other line ends: lone LF or CR, CR CR LF, or LF for all of them.
        case bodyLineEnds = "body-line-ends"
        /// The body matches with another end: without its final CRLF, or with the empty lines that follow it.
        case bodyEnd = "body-end"
        /// The body matches with one empty line more or less at its start.
        case bodyStart = "body-start"
        /// The body matches with the dots of SMTP's transparency taken away or added (RFC 5321 §4.5.2).
        case bodyDots = "body-dots"
        /// The body matches once `From ` at the start of a line is quoted or no longer quoted.
        case bodyFromQuoting = "body-from-quoting"
        /// The body matches once long lines that were broken are joined.
        case bodyLongLines = "body-long-lines"
        /// The body matches once its transfer encoding is undone.
        case bodyEncoding = "body-encoding"
        /// The body matches up to some line: text was added after it.
        case bodyTextAdded = "body-text-added"
        /// There is no body left.
        case bodyEmpty = "body-empty"
        /// The body was changed.
        case bodyChanged = "body-changed"

        /// A field was added that the signature keeps out.
        case fieldAdded = "field-added"
        /// A signed field was removed.
        case fieldRemoved = "field-removed"
        /// One signed field was changed.
        case fieldChanged = "field-changed"
        /// White space, folds or the case of names in the header section were changed.
        case fieldWhiteSpace = "field-white-space"
        /// The header section matches in the canonicalization that `c=` doesn't name.
        case headerCanonicalization = "header-canonicalization"
        /// The signer's software hashes something else than RFC 6376 says.
        case signerFault = "signer-fault"
        /// The signature was not made with the published key, or the signature field itself was changed.
        case otherKey = "other-key"
        /// A signed header field was changed.
        case headerChanged = "header-changed"
    }

    /// For programs.
    public let kind: Kind
    /// For people: one line.
    public let description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
