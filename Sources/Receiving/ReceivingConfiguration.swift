// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail
internal import NIOCore
package import SMTP

/// Where Receiving listens.
package struct ListenerConfiguration: Hashable, Sendable {
    /// An IPv4 or IPv6 address; never a name, so that nothing is asked of DNS to start.
    package var address: String
    /// 0 takes any free port.
    package var port: Int
    /// What becomes of an LF without CR in a content that comes in here.
    package var bareLineFeed: BareLineFeed

    package init(address: String = "127.0.0.1", port: Int = 587, bareLineFeed: BareLineFeed = .reject) {
        self.address = address
        self.port = port
        self.bareLineFeed = bareLineFeed
    }

    /// Whether only programs on this machine can reach it.
    package var isLoopback: Bool {
        guard let address = try? SocketAddress(ipAddress: address, port: 0) else { return false }
        return Peer(address).isLoopback
    }
}

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

/// A listener that listens.
package struct BoundListener: Hashable, Sendable, CustomStringConvertible {
    package var address: String
    package var port: Int

    package var description: String {
        address.utf8.contains(UInt8(ascii: ":")) ? "[\(address)]:\(port)" : "\(address):\(port)"
    }
}
