// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// MailboxPattern is in charge of which mailboxes a setting means.
///
/// | pattern | means |
/// |---|---|
/// | `root@localhost` | this mailbox |
/// | `*@localhost`, `@localhost` | every mailbox of this domain |
/// | `root@*.internal` | this local-part in all domains below `internal` |
/// | `@*.internal` | every mailbox of all domains below `internal` |
/// | `root@*` | this local-part where no usable domain follows |
/// | `*` | every mailbox without a usable domain |
///
/// Without a usable domain are mailboxes that the outside world can't answer: no domain at all, an address literal, a
/// name of one label, and the names that never stand in the public DNS (`isPublic(_:)`).
package struct MailboxPattern: Hashable, Sendable {
    private enum Host: Hashable {
        case exactly(Domain)
        case below(Domain)
        case unusable
    }

    /// Nil: any.
    private let localPart: String?
    private let host: Host

    package init(_ text: String) throws(PatternError) {
        guard text != "*" else {
            self.localPart = nil
            self.host = .unusable
            return
        }
        guard let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) else {
            throw PatternError("\"\(text)\" has no @; write \"@\(text)\" for all mailboxes of a domain")
        }
        let local = String(text[..<at])
        let domain = String(text[text.utf8.index(after: at)...])
        guard local.utf8.allSatisfy({ (33...126).contains($0) }) else {
            throw PatternError("\"\(text)\" has a local-part that is not printable ASCII without spaces")
        }
        self.localPart = local.isEmpty || local == "*" ? nil : local
        if domain == "*" {
            self.host = .unusable
        } else if domain.hasPrefix("*."), let parent = Domain(internationalised: domain.dropFirst(2)) {
            self.host = .below(parent)
        } else if let domain = Domain(internationalised: domain) {
            self.host = .exactly(domain)
        } else {
            throw PatternError("\"\(text)\" has \"\(domain)\" where a domain, \"*.domain\" or \"*\" must stand")
        }
    }

    /// For every mailbox of a domain.
    init(all domain: Domain) {
        self.localPart = nil
        self.host = .exactly(domain)
    }

    /// - Parameter host: nil for an address without a domain, such as `root`.
    package func matches(localPart: String, host: Mailbox.Host?) -> Bool {
        if let expected = self.localPart, !expected.utf8.elementsEqual(localPart.utf8) { return false }
        guard case .domain(let domain) = host else { return self.host == .unusable }
        switch self.host {
        case .exactly(let expected): return domain == expected
        case .below(let parent): return domain != parent && domain.isEqualOrBelow(parent)
        case .unusable: return !MailboxPattern.isPublic(domain)
        }
    }

    /// Whether it matches every mailbox that another pattern matches.
    package func covers(_ other: MailboxPattern) -> Bool {
        if let localPart { guard other.localPart == localPart else { return false } }
        switch (host, other.host) {
        case (.exactly(let domain), .exactly(let narrow)): return domain == narrow
        case (.exactly, .below), (.exactly, .unusable), (.below, .unusable): return false
        case (.below(let parent), .exactly(let narrow)): return narrow != parent && narrow.isEqualOrBelow(parent)
        case (.below(let parent), .below(let narrow)): return narrow.isEqualOrBelow(parent)
        case (.unusable, .exactly(let narrow)): return !MailboxPattern.isPublic(narrow)
        case (.unusable, .below(let narrow)): return MailboxPattern.neverPublic.contains { narrow.isEqualOrBelow($0) }
        case (.unusable, .unusable): return true
        }
    }

    /// Whether it means mailboxes without a usable domain.
    var isForUnusable: Bool { host == .unusable }

    /// Whether a name could stand in the public DNS, so that the world can answer mail from it.
    package static func isPublic(_ domain: Domain) -> Bool {
        domain.parent != nil && neverPublic.allSatisfy { !domain.isEqualOrBelow($0) }
    }

    // RFC 6761, RFC 6762 §3, RFC 8375, and the names that ICANN keeps out of the root: internal, and home, corp and
    // mail for their use in private networks; lan and localdomain are what routers and installers make up.
    private static let neverPublic = [
        "localhost", "localdomain", "local", "internal", "invalid", "lan", "home", "corp", "mail", "home.arpa",
    ].compactMap { Domain($0) }
}

/// Why a pattern, a rule or a template of the configuration makes no sense.
package struct PatternError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A clause that says what is wrong and how to mend it.
    package let text: String

    init(_ text: String) {
        self.text = text
    }

    package var description: String { text }
}
