// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// RewriteRule is in charge of giving mail a usable author: cron's `root@localhost` becomes `alerts@example.com`.
package struct RewriteRule: Hashable, Sendable {
    private let pattern: MailboxPattern
    /// Nil: the local-part stays.
    private let localPart: String?
    private let domain: Domain

    /// - Parameters:
    ///   - from: a `MailboxPattern`.
    ///   - to: the mailbox to write instead; `*@example.com` and `@example.com` keep the local-part.
    package init(from: String, to: String) throws(PatternError) {
        self.pattern = try MailboxPattern(from)
        guard let at = to.utf8.lastIndex(of: UInt8(ascii: "@")),
            let domain = Domain(internationalised: to[to.utf8.index(after: at)...])
        else {
            throw PatternError("\"\(to)\" is not a mailbox; write one such as \"alerts@example.com\"")
        }
        self.domain = domain
        let local = String(to[..<at])
        guard !local.isEmpty, local != "*" else {
            self.localPart = nil
            return
        }
        guard let mailboxes = try? AddressParser.mailboxes(in: Array("\(local)@\(domain)".utf8)[...]),
            mailboxes.count == 1, mailboxes[0].localPart == local, local.utf8.allSatisfy({ (32...126).contains($0) }),
            local.utf8.count <= Mailbox.maximumLocalPartOctets
        else {
            throw PatternError("\"\(to)\" has a malformed local-part; write a mailbox such as \"alerts@example.com\"")
        }
        self.localPart = local
    }

    /// Nil if the rule is not for such a mailbox, or would leave it as it is.
    fileprivate func rewrite(localPart: String, host: Mailbox.Host?) -> Mailbox? {
        guard pattern.matches(localPart: localPart, host: host) else { return nil }
        let result = Mailbox(localPart: self.localPart ?? localPart, host: .domain(domain))
        if let host, result == Mailbox(localPart: localPart, host: host) { return nil }
        return result
    }
}

/// The rules of a relay in their order; the first whose pattern matches is the one that counts.
package struct RewriteRules: Hashable, Sendable {
    private let rules: [RewriteRule]

    package init(_ rules: [RewriteRule] = []) {
        self.rules = rules
    }

    package var isEmpty: Bool { rules.isEmpty }

    /// Nil if no rule changes the mailbox.
    package func rewrite(_ mailbox: Mailbox) -> Mailbox? {
        rewrite(localPart: mailbox.localPart, host: mailbox.host)
    }

    /// - Parameter host: nil for an address without a domain, such as `root`.
    package func rewrite(localPart: String, host: Mailbox.Host?) -> Mailbox? {
        for rule in rules {
            if let result = rule.rewrite(localPart: localPart, host: host) { return result }
        }
        return nil
    }
}
