// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// KnownField is in charge of what is known of header fields by their names.
package struct KnownField: Sendable {
    package let name: FieldName
    /// As the RFC that defines it writes it.
    package let spelling: String
    /// Where encoded words may stand in it.
    package let syntax: FieldEncoder.Syntax
    /// It stands at most once in a message (RFC 5322 §3.6, RFC 2045 §3).
    package let isUnique: Bool
    /// It must not leave this host.
    package let isRemoved: Bool

    private init(_ spelling: String, _ syntax: FieldEncoder.Syntax, isUnique: Bool = false, isRemoved: Bool = false) {
        self.name = FieldName(spelling)
        self.spelling = spelling
        self.syntax = syntax
        self.isUnique = isUnique
        self.isRemoved = isRemoved
    }

    /// What is known of a field; its place in `all`.
    package static func index(of field: HeaderSection.Field, in header: HeaderSection) -> Int? {
        guard field.name.count < byLength.count else { return nil }
        return byLength[field.name.count].first { header.isNamed(field, all[$0].name) }
    }

    /// Every field that is not in `all` is text (RFC 5322 §3.6.8).
    package static func syntax(of field: HeaderSection.Field, in header: HeaderSection) -> FieldEncoder.Syntax {
        index(of: field, in: header).map { all[$0].syntax } ?? .text
    }

    package static let all: [KnownField] =
        [
            KnownField("From", .addresses, isUnique: true),
            KnownField("Sender", .addresses, isUnique: true),
            KnownField("Reply-To", .addresses, isUnique: true),
            KnownField("To", .addresses, isUnique: true),
            KnownField("Cc", .addresses, isUnique: true),
            KnownField("Date", .comments, isUnique: true),
            KnownField("Message-ID", .comments, isUnique: true),
            KnownField("In-Reply-To", .comments, isUnique: true),
            KnownField("References", .comments, isUnique: true),
            KnownField("Subject", .text, isUnique: true),
            KnownField("MIME-Version", .comments, isUnique: true),
            KnownField("Content-Type", .parameters, isUnique: true),
            KnownField("Content-Transfer-Encoding", .comments, isUnique: true),
            KnownField("Bcc", .addresses, isRemoved: true),
            KnownField("Resent-Bcc", .addresses, isRemoved: true),
            KnownField("Return-Path", .comments, isRemoved: true),
            KnownField("Content-Length", .comments, isRemoved: true),
            KnownField("Content-Disposition", .parameters),
            KnownField("Keywords", .phrases),
        ] + named(addresses, .addresses) + named(comments, .comments) + named(opaque, .opaque)

    private static func named(_ names: [String], _ syntax: FieldEncoder.Syntax) -> [KnownField] {
        names.map { KnownField($0, syntax) }
    }

    // List-ID is a phrase before something in angle brackets (RFC 2919 §3), as an address is.
    private static let addresses = [
        "Resent-From", "Resent-Sender", "Resent-Reply-To", "Resent-To", "Resent-Cc", "List-ID", "CFBL-Address",
        "Disposition-Notification-To", "Return-Receipt-To", "Errors-To", "Mail-Followup-To", "Mail-Reply-To",
    ]

    private static let comments = [
        "Resent-Date", "Resent-Message-ID", "Received", "Content-ID", "Content-Language", "Content-Location",
        "Content-MD5", "List-Help", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Subscribe", "List-Post",
        "List-Owner", "List-Archive", "Archived-At", "Auto-Submitted", "Authentication-Results", "Received-SPF",
    ]

    // Read by programs that decode no encoded words; the last four hold JSON that has escapes of its own.
    private static let opaque = [
        "DKIM-Signature", "ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results", "Autocrypt",
        "Feedback-ID", "CFBL-Feedback-ID", "X-SMTPAPI", "X-Mailgun-Variables", "X-Mailgun-Recipient-Variables",
        "X-MC-Metadata",
    ]

    private static let byLength: [[Int]] = {
        var table: [[Int]] = []
        for (index, field) in all.enumerated() {
            while table.count <= field.name.octets { table.append([]) }
            table[field.name.octets].append(index)
        }
        return table
    }()
}
