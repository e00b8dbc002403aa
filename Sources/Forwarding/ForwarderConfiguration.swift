// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import NIOCore
internal import SMTP

/// What Forwarding has to know, each setting with its default.
package struct ForwarderConfiguration: Sendable {
    /// The argument of EHLO, and the reporting MTA of bounces.
    package var hostname: String
    package var routes: RoutingTable
    package var retry: RetrySchedule
    package var timeouts: ClientTimeouts
    package var limits: ForwardingLimits

    package init(
        hostname: String, routes: RoutingTable, retry: RetrySchedule = RetrySchedule(),
        timeouts: ClientTimeouts = ClientTimeouts(), limits: ForwardingLimits = ForwardingLimits()
    ) {
        self.hostname = hostname
        self.routes = routes
        self.retry = retry
        self.timeouts = timeouts
        self.limits = limits
    }
}

/// How long a next hop may take.
///
/// RFC 5321 §4.5.3.2 gives the minimum for each.
package struct ClientTimeouts: Hashable, Sendable {
    package var connect: TimeAmount = .seconds(30)
    package var banner: TimeAmount = .minutes(5)
    /// EHLO, HELO, STARTTLS and the handshake after it.
    package var hello: TimeAmount = .minutes(5)
    package var mail: TimeAmount = .minutes(5)
    package var recipient: TimeAmount = .minutes(5)
    package var data: TimeAmount = .minutes(2)
    /// For each block of the content to leave.
    package var block: TimeAmount = .minutes(3)
    /// After the end of data.
    ///
    /// A client that gives up too early makes duplicates.
    package var endOfData: TimeAmount = .minutes(10)
    package var quit: TimeAmount = .seconds(5)
    /// How long a connection without work is kept.
    package var idle: TimeAmount = .seconds(5)

    package init() {}

    func amount(for wait: ClientWait) -> TimeAmount {
        switch wait {
        case .nothing: idle
        case .banner: banner
        case .hello: hello
        case .mail: mail
        case .recipient: recipient
        case .data: data
        case .content: block
        case .end: endOfData
        case .quit: quit
        }
    }
}

/// How much Forwarding takes upon itself at a time.
package struct ForwardingLimits: Hashable, Sendable {
    /// Addresses of a site that one attempt tries (RFC 5321 §5.1 asks for at least two).
    static let addressesPerAttempt = 5
    /// Attempts to meet a host with 8BITMIME, where one host of a site has it and another has not.
    static let attemptsForAnotherHost = 4
    /// Octets of one block of content that is read from a file.
    static let blockOctets = 128 * 1024

    /// Messages claimed and not yet recorded.
    package var messagesInFlight: Int
    /// Their content as far as it is in memory.
    package var octetsInFlight: Int
    /// Their recipients: on an MX route each can mean a question to the DNS.
    package var recipientsInFlight: Int
    /// How long current transactions may take to end at shutdown.
    package var shutdownGraceSeconds: Int

    package init(
        messagesInFlight: Int = 1000, octetsInFlight: Int = 8 * 1024 * 1024, recipientsInFlight: Int = 5000,
        shutdownGraceSeconds: Int = 20
    ) {
        self.messagesInFlight = max(1, messagesInFlight)
        self.octetsInFlight = max(1, octetsInFlight)
        self.recipientsInFlight = max(1, recipientsInFlight)
        self.shutdownGraceSeconds = max(0, shutdownGraceSeconds)
    }
}
