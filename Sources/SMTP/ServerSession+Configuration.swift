// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// What a `ServerSession` is told at its start, and what it remembers of its client.
extension ServerSession {
    /// What a session needs to know; the same for all sessions of one listener with one kind of peer.
    package struct Configuration: Sendable {
        package let hostname: String
        package let maximumMessageOctets: Int
        package let maximumRecipients: Int
        /// Of a command line with its CRLF.
        package let maximumCommandOctets: Int
        /// The error that reaches this number ends the session; an accepted message sets the count back.
        package let maximumErrors: Int
        /// Whether the peer may submit without authentication.
        package var maySubmit: Bool
        /// What holds for a peer that is known without authentication; it may submit.
        package var terms: SubmissionTerms?
        package var authentication = AuthenticationOffer()
        /// What becomes of an LF without CR in a content.
        package var bareLineFeed = BareLineFeed.reject
        /// What local-parts alone become; nil: they are refused.
        package var local: LocalNames?
        /// Whether the session can begin TLS by STARTTLS.
        package var offersStartTLS = false
        let greeting: Reply
        let helloReply: Reply
        /// The domain of `<Postmaster>`.
        let postmasterHost: Mailbox.Host?

        package init(
            hostname: String, maximumMessageOctets: Int, maximumRecipients: Int, maximumCommandOctets: Int,
            maximumErrors: Int, maySubmit: Bool
        ) {
            self.hostname = hostname
            self.maximumMessageOctets = maximumMessageOctets
            self.maximumRecipients = maximumRecipients
            self.maximumCommandOctets = maximumCommandOctets
            self.maximumErrors = maximumErrors
            self.maySubmit = maySubmit
            greeting = Reply(220, "\(hostname) ESMTP Waxwing")
            helloReply = Reply(250, hostname)
            postmasterHost = Domain(hostname).map { .domain($0) }
        }

        /// The reply to EHLO.
        ///
        /// - Parameters:
        ///   - isSecure: RFC 3207 §4.2: once TLS runs, STARTTLS is not among the keywords.
        ///   - octets: of a message, at most.
        ///   - recipients: of a message, at most: RFC 9422 §3, what `recipient` enforces.
        ///   - authentication: the keyword AUTH with its mechanisms; nil where there are none.
        func extendedHelloReply(isSecure: Bool, octets: Int, recipients: Int, authentication: String?) -> Reply {
            var lines = [
                hostname, "PIPELINING", "SIZE \(octets)", "8BITMIME", "ENHANCEDSTATUSCODES", "CHUNKING", "DSN",
                "LIMITS RCPTMAX=\(recipients)",
            ]
            if offersStartTLS, !isSecure { lines.append("STARTTLS") }
            if let authentication { lines.append(authentication) }
            return Reply(250, nil, lines: lines + ["HELP"])
        }
    }

    /// Who says hello, and how; lasts until the next hello.
    struct Hello {
        var name: String
        var isExtended: Bool
    }

    /// One mail transaction, from MAIL on.
    struct Transaction {
        /// From this many recipients on, duplicates are found by hash.
        private static let manyRecipients = 32

        var reversePath: ReversePath
        var parameters: MailParameters
        private(set) var recipients: [Mailbox] = []
        private var known: Set<Mailbox> = []

        init(reversePath: ReversePath, parameters: MailParameters) {
            self.reversePath = reversePath
            self.parameters = parameters
        }

        func contains(_ mailbox: Mailbox) -> Bool {
            known.isEmpty ? recipients.contains(mailbox) : known.contains(mailbox)
        }

        mutating func add(_ mailbox: Mailbox, _ notice: RecipientNotice) {
            if notice != RecipientNotice() { parameters.notices.recipients[recipients.count] = notice }
            recipients.append(mailbox)
            if !known.isEmpty {
                known.insert(mailbox)
            } else if recipients.count >= Transaction.manyRecipients {
                known = Set(recipients)
            }
        }
    }
}
