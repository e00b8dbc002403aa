// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What intake changed in a message before it was signed, so that nobody after it has to.
///
/// Kept with the message and shown by `waxwing queue show`. The raw values stand in the spool: never change one.
package enum Repair: String, Hashable, Sendable, CaseIterable {
    /// A line feed without carriage return became a line end (RFC 5321 §2.3.8).
    case lineEnds = "line-ends"
    /// The last line got its line end (RFC 6376 §3.4.4).
    case finalLineEnd = "final-line-end"
    /// White space between a field's name and its colon went (RFC 5322 §4.5).
    case fieldSyntax = "field-syntax"
    /// A line of a header field over 998 octets was folded at its white space (RFC 5322 §2.1.1).
    case foldedHeader = "folded-header"
    /// Octets above 127 in a header field became encoded words (RFC 2047).
    case encodedHeader = "encoded-header"
    /// A body part with a line over 998 octets got a transfer encoding (RFC 5322 §2.1.1, RFC 2045 §6).
    case encodedLongLines = "encoded-long-lines"
    /// A mailbox without a usable domain got one from a `[[rewrite]]` rule.
    case rewrittenMailbox = "rewritten-mailbox"
    /// Fields were added from the application's templates.
    case addedFields = "added-fields"
}
