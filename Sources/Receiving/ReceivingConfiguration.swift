// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// What Receiving puts up with.
package struct ReceivingLimits: Hashable, Sendable {
    /// Octets of one message's content.
    package var messageOctets: Int
    /// Recipients of one message.
    package var recipients: Int
    /// Octets of one command line with its CRLF.
    package var commandLineOctets: Int
    /// Errors in one session; an accepted message sets the count back.
    package var errors: Int
    /// Sessions at a time.
    package var sessions: Int
    /// Sessions at a time from one address; nil for no limit of its own.
    package var sessionsPerAddress: Int?
    /// Without a complete command, or without any content while it is due.
    package var idleTime: Duration
    /// From MAIL to the end of data.
    package var transactionTime: Duration
    /// What users of this machine get, whom programs on it name without a domain; nil: such addresses are refused.
    package var localDomain: Domain?

    package init(
        messageOctets: Int = 50 * 1024 * 1024, recipients: Int = 1000, commandLineOctets: Int = 4096,
        errors: Int = 20, sessions: Int = 1000, sessionsPerAddress: Int? = nil,
        idleTime: Duration = .seconds(5 * 60), transactionTime: Duration = .seconds(30 * 60)
    ) {
        self.messageOctets = messageOctets
        self.recipients = recipients
        self.commandLineOctets = commandLineOctets
        self.errors = errors
        self.sessions = sessions
        self.sessionsPerAddress = sessionsPerAddress
        self.idleTime = idleTime
        self.transactionTime = transactionTime
    }
}

/// All that Receiving needs to know.
package struct ReceivingConfiguration: Hashable, Sendable {
    /// In the greeting and in the reply to EHLO.
    package var hostname: String
    package var listeners: [ListenerConfiguration]
    package var limits: ReceivingLimits
    /// How long transactions may go on after a shutdown was asked for.
    package var drainTime: Duration

    package init(
        hostname: String, listeners: [ListenerConfiguration] = [ListenerConfiguration()],
        limits: ReceivingLimits = ReceivingLimits(), drainTime: Duration = .seconds(20)
    ) {
        self.hostname = hostname
        self.listeners = listeners
        self.limits = limits
        self.drainTime = drainTime
    }
}
