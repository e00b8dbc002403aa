// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Why a delivery attempt ended as it did: what was said, by whom, in answer to what, and who must act.
package struct Diagnostic: Hashable, Sendable {
    /// Who must act before a further attempt can succeed.
    package enum Owner: String, Hashable, Sendable {
        case sender, recipient, `operator`, network
    }

    /// The next hop's reply code; nil when no reply was had (network, DNS, expiry, our own fault).
    package var replyCode: Int?
    package var status: EnhancedStatusCode
    /// One line of printable text; of a reply all lines, joined by " / ".
    package var text: String
    /// The next hop that was asked, as a name or an address with port; nil if none was reached.
    package var remote: String?
    /// The command that was answered: `RCPT`, `end of data`, …; nil if none was.
    package var command: String?
    package var owner: Owner

    package init(
        replyCode: Int? = nil, status: EnhancedStatusCode, text: String, remote: String? = nil,
        command: String? = nil, owner: Owner
    ) {
        self.replyCode = replyCode
        self.status = status
        self.text = text
        self.remote = remote
        self.command = command
        self.owner = owner
    }
}

/// How a delivery attempt ended for one recipient.
package enum Outcome: Hashable, Sendable {
    /// A 2yz reply to the end of data.
    case delivered(Diagnostic)
    /// A 4yz reply, or no reply: to be tried again.
    case deferred(Diagnostic)
    /// A 5yz reply, or expired.
    case failed(Diagnostic)
}
