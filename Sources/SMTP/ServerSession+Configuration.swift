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
        private let extendedHelloReply: Reply
        /// With STARTTLS among the keywords.
        private let clearHelloReply: Reply
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
            let keywords = ["PIPELINING", "SIZE \(maximumMessageOctets)", "8BITMIME", "ENHANCEDSTATUSCODES"]
            extendedHelloReply = Reply(250, nil, lines: [hostname] + keywords + ["HELP"])
            clearHelloReply = Reply(250, nil, lines: [hostname] + keywords + ["STARTTLS", "HELP"])
            postmasterHost = Domain(hostname).map { .domain($0) }
        }

        /// The reply to EHLO.
        ///
        /// RFC 3207 §4.2: once TLS runs, STARTTLS is not among the keywords.
        func extendedHelloReply(isSecure: Bool) -> Reply {
            offersStartTLS && !isSecure ? clearHelloReply : extendedHelloReply
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

        mutating func add(_ mailbox: Mailbox) {
            recipients.append(mailbox)
            if !known.isEmpty {
                known.insert(mailbox)
            } else if recipients.count >= Transaction.manyRecipients {
                known = Set(recipients)
            }
        }
    }
}
