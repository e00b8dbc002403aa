// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// LocalName is in charge of names that only this machine knows: users without a domain, or at localhost.
enum LocalName {
    private static let hosts = ["localhost", "localhost.localdomain"].compactMap { Domain($0) }

    static func isLocalhost(_ host: Mailbox.Host?) -> Bool {
        guard case .domain(let domain) = host else { return false }
        return hosts.contains(domain)
    }

    /// The address with a domain that others know; nil if it has one.
    static func completed(localPart: String, host: Mailbox.Host?, with domain: Domain) -> Mailbox? {
        guard host == nil || isLocalhost(host) else { return nil }
        return Mailbox(localPart: localPart, host: .domain(domain))
    }
}

/// LocalMail is in charge of the recipients that programs of this machine write and nobody outside knows, such as
/// `root` and `root@localhost`.
///
/// First a `[[rewrite]]` rule for recipients may name another mailbox. A user of this machine is then looked up in the
/// alias file, and what still has no domain gets that of `[local]`.
package struct LocalMail: Hashable, Sendable {
    /// Of one message, behind aliases.
    package static let maximumRecipients = 10_000

    /// Somebody who gets a message.
    package struct Recipient: Hashable, Sendable {
        package var mailbox: Mailbox
        /// The place of the one who was named, of whom this one was made.
        package var origin: Int
    }

    /// Nil: nothing is completed.
    package let domain: Domain?
    /// This relay's name: users at it are users of this machine.
    private let hostname: Domain?
    private let rules: RewriteRules

    package init(domain: Domain? = nil, hostname: String = "", rules: RewriteRules = RewriteRules()) {
        self.domain = domain
        self.hostname = Domain(hostname)
        self.rules = rules
    }

    /// Those who get the message instead, without duplicates; nil if all stay as they are.
    ///
    /// - Parameter aliases: asked for only when a user of this machine is among the recipients.
    package func recipients(
        _ recipients: [Mailbox], aliases: () -> AliasTable
    ) throws(IntakeRefusal) -> [Recipient]? {
        guard domain != nil || !rules.isEmpty else { return nil }
        guard recipients.contains(where: { isUser($0) || rules.rewrite($0) != nil }) else { return nil }
        var (result, known): ([Recipient], Set<Mailbox>) = ([], [])
        var table: AliasTable?
        for (origin, recipient) in recipients.enumerated() {
            let mailbox = rules.rewrite(recipient) ?? recipient
            var found = [mailbox]
            if let domain, isUser(mailbox) {
                let aliases = table ?? aliases()
                table = aliases
                found = users(mailbox, aliases, domain)
            }
            for mailbox in found where known.insert(mailbox).inserted {
                result.append(Recipient(mailbox: mailbox, origin: origin))
            }
            guard result.count <= LocalMail.maximumRecipients else { throw .tooManyAliases }
        }
        return result.map(\.mailbox) == recipients ? nil : result
    }

    private func isUser(_ mailbox: Mailbox) -> Bool {
        guard domain != nil else { return false }
        return LocalName.isLocalhost(mailbox.host) || hostname != nil && mailbox.domain == hostname
    }

    private func users(_ mailbox: Mailbox, _ aliases: AliasTable, _ domain: Domain) -> [Mailbox] {
        let (names, mailboxes) = aliases.expansion(of: mailbox.localPart) ?? ([mailbox.localPart], [])
        return mailboxes + names.map { Mailbox(localPart: $0, host: .domain(domain)) }
    }
}

extension IntakeRefusal {
    /// RFC 3463 §3.6: X.5.3, "too many recipients".
    static var tooManyAliases: IntakeRefusal {
        IntakeRefusal(
            replyCode: 550, status: EnhancedStatusCode(5, 5, 3),
            lines: ["Message refused: aliases make more than \(LocalMail.maximumRecipients) recipients of it."])
    }
}
