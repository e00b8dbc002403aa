// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// ApplicationFields is in charge of the header fields that one application's messages get from the configuration
/// when they don't bring them: how to unsubscribe (RFC 2369, RFC 8058), and the Feedback-ID by which a receiver tells
/// its complaints.
///
/// A template is the value of a field with placeholders: `{queue-id}`, `{app}`, `{author-domain}` and, in
/// List-Unsubscribe, `{recipient}`. With the latter the field is only added to messages with exactly one recipient.
package struct ApplicationFields: Hashable, Sendable {
    package static let maximumNameOctets = 64
    package static let maximumTemplateOctets = 500

    package let name: String
    /// The application is told by who submits, not by its authors; these are those that it may use.
    package let isKnown: Bool
    private let authors: [MailboxPattern]
    let listUnsubscribe: FieldTemplate?
    let listUnsubscribePost: Bool
    let feedbackID: FieldTemplate?

    /// - Parameters:
    ///   - name: letters, digits, hyphens, underscores and dots.
    ///   - from: whose messages: author domains such as `shop.example`, `*.shop.example` for those below it, and
    ///     mailboxes such as `news@example.org`.
    ///   - isKnown: the application shows who it is; without `from` it may use any author.
    ///   - listUnsubscribe: one or more URIs in angle brackets, with commas between them.
    ///   - listUnsubscribePost: one click unsubscribes, at each HTTPS URI in List-Unsubscribe.
    ///   - feedbackID: up to four words with colons between them, the last of 5 to 15 octets.
    package init(
        name: String, from: [String], isKnown: Bool = false, listUnsubscribe: String? = nil,
        listUnsubscribePost: Bool = false,
        feedbackID: String? = nil
    ) throws(PatternError) {
        let isToken = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isToken, (1...ApplicationFields.maximumNameOctets).contains(name.utf8.count) else {
            throw PatternError(
                "the name \"\(name)\" is not 1 to \(ApplicationFields.maximumNameOctets) letters, digits, hyphens,"
                    + " underscores and dots")
        }
        guard !from.isEmpty || isKnown else {
            throw PatternError("from is empty; name the author domains or mailboxes of the application")
        }
        var authors: [MailboxPattern] = []
        for text in from { authors.append(try ApplicationFields.author(text)) }
        self.name = name
        self.isKnown = isKnown
        self.authors = authors
        self.listUnsubscribe = try ApplicationFields.unsubscribeTemplate(listUnsubscribe)
        self.listUnsubscribePost = listUnsubscribePost
        self.feedbackID = try ApplicationFields.feedbackTemplate(feedbackID)
        if listUnsubscribePost, let template = self.listUnsubscribe, !OneClick.hasHTTPS(template.text) {
            throw PatternError(
                "list-unsubscribe has no HTTPS URI, which list-unsubscribe-post needs (RFC 8058 §3.1); add one")
        }
    }

    /// Whether messages of this author are the application's.
    package func isAuthor(_ mailbox: Mailbox) -> Bool {
        !isKnown && names(mailbox)
    }

    /// Whether the application may use this mailbox in From and MAIL FROM.
    func mayUse(_ mailbox: Mailbox) -> Bool {
        authors.isEmpty || names(mailbox)
    }

    private func names(_ mailbox: Mailbox) -> Bool {
        authors.contains { $0.matches(localPart: mailbox.localPart, host: mailbox.host) }
    }

    /// Whose messages an element of `from` means.
    package static func author(_ text: String) throws(PatternError) -> MailboxPattern {
        let isMailbox = text.utf8.contains(UInt8(ascii: "@"))
        let pattern = try MailboxPattern(isMailbox ? text : "@\(text)")
        guard !pattern.isForUnusable else {
            throw PatternError(
                "\"\(text)\" means mailboxes without a usable domain, not all; name the author domains of the"
                    + " application")
        }
        return pattern
    }

    private static func unsubscribeTemplate(_ text: String?) throws(PatternError) -> FieldTemplate? {
        guard let text else { return nil }
        let template = try FieldTemplate(text, setting: "list-unsubscribe", allowed: FieldTemplate.Placeholder.allCases)
        guard !OneClick.uris(text).isEmpty, OneClick.isWellFormed(text) else {
            throw PatternError(
                "list-unsubscribe is \"\(text)\"; write URIs in angle brackets, such as"
                    + " \"<https://example.com/u/{queue-id}>, <mailto:leave@example.com>\"")
        }
        return template
    }

    private static func feedbackTemplate(_ text: String?) throws(PatternError) -> FieldTemplate? {
        guard let text else { return nil }
        let allowed: [FieldTemplate.Placeholder] = [.queueID, .app, .authorDomain]
        let template = try FieldTemplate(text, setting: "feedback-id", allowed: allowed)
        let words = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        let sender = words.last.map { Substring($0) } ?? ""
        let isSenderFixed = !sender.contains("{")
        guard words.count <= 4, !text.contains(" "), !isSenderFixed || (5...15).contains(sender.utf8.count) else {
            throw PatternError(
                "feedback-id is \"\(text)\"; write up to four words with colons between them, the last of 5 to 15"
                    + " octets the same for all your mail, such as \"{app}:receipt:mail:example\"")
        }
        return template
    }
}
