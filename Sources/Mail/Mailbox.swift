// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// An address that mail can be sent to: local-part and domain (RFC 5321 §2.3.11).
///
/// Domains compare without case, local-parts octet by octet: only the receiving host may interpret them.
package struct Mailbox: Hashable, Sendable, CustomStringConvertible {
    package static let maximumLocalPartOctets = 64

    /// What stands after the `@`.
    package enum Host: Hashable, Sendable {
        case domain(Domain)
        /// An address literal with its brackets, such as `[192.0.2.1]` (RFC 5321 §4.1.3).
        case literal(String)
    }

    /// The local-part as it was written, with its quotes if it had any.
    package let localPart: String
    package let host: Host

    package init(localPart: String, host: Host) {
        self.localPart = localPart
        self.host = host
    }

    /// Nil when the mailbox has an address literal.
    package var domain: Domain? {
        if case .domain(let domain) = host { domain } else { nil }
    }

    /// `local-part@domain`, as it goes into a path or a header field.
    package var description: String {
        switch host {
        case .domain(let domain): "\(localPart)@\(domain.name)"
        case .literal(let literal): "\(localPart)@\(literal)"
        }
    }

    // A Swift String compares by canonical equivalence, which would make one of two local-parts that
    // differ on the wire.
    package static func == (left: Mailbox, right: Mailbox) -> Bool {
        left.host == right.host && left.localPart.utf8.elementsEqual(right.localPart.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(host)
        for byte in localPart.utf8 { hasher.combine(byte) }
    }
}

/// The argument of MAIL: where failures are reported to (RFC 5321 §4.5.5).
package enum ReversePath: Hashable, Sendable, CustomStringConvertible {
    /// `<>`: a notification that must not cause another.
    case null
    case mailbox(Mailbox)

    /// The path without its angle brackets; empty for the null reverse-path.
    package var description: String {
        switch self {
        case .null: ""
        case .mailbox(let mailbox): mailbox.description
        }
    }
}

/// Who a message is from and for, apart from its content (RFC 5321 §2.3.1).
package struct Envelope: Hashable, Sendable {
    package var reversePath: ReversePath
    /// The forward-paths, in the order of the RCPT commands, without duplicates.
    package var recipients: [Mailbox]
    /// BODY=8BITMIME was declared (RFC 6152), or the content was seen to hold octets above 127.
    package var isEightBit: Bool
    /// What its sender wants to be told (RFC 3461).
    package var notices: DeliveryNotices

    package init(
        reversePath: ReversePath, recipients: [Mailbox], isEightBit: Bool = false, notices: DeliveryNotices = .none
    ) {
        self.reversePath = reversePath
        self.recipients = recipients
        self.isEightBit = isEightBit
        self.notices = notices
    }
}
