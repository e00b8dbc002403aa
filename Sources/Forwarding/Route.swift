// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail
package import SMTP

/// Where mail for some recipient domains goes, and how: one `[[route]]` of the configuration.
package struct Route: Hashable, Sendable {
    package enum Target: Hashable, Sendable {
        /// One relay that takes everything.
        case smarthost(host: String, port: Int)
        /// The MX hosts of the recipient's domain.
        case mx(port: Int)
        /// Files in a directory, instead of sending.
        case capture(directory: String)
    }

    /// For logs and diagnostics.
    package var name: String
    /// Which recipients it is for; empty: all.
    package var recipientDomains: [DomainPattern]
    package var target: Target
    /// Which signatures the mail on this route gets.
    package var signing: RouteSigning
    /// Octets above 127 leave encoded, also to a next hop that would take them as they are.
    package var encodesEightBit: Bool
    /// MX hosts may have loopback and private addresses.
    package var allowsPrivateTargets: Bool
    package var tls: ClientTLS
    /// Connections to one site at a time.
    package var maximumConnections: Int
    package var maximumMessagesPerConnection: Int
    /// Recipients of one transaction; RFC 5321 §4.5.3.1.8 makes every server take 100.
    package var maximumRecipients: Int

    package init(
        name: String, recipientDomains: [DomainPattern] = [], target: Target,
        signing: RouteSigning = RouteSigning(), encodesEightBit: Bool = false, allowsPrivateTargets: Bool = false,
        tls: ClientTLS = .opportunistic, maximumConnections: Int = 20, maximumMessagesPerConnection: Int = 1000,
        maximumRecipients: Int = 100
    ) {
        self.name = name
        self.recipientDomains = recipientDomains
        self.target = target
        self.signing = signing
        self.encodesEightBit = encodesEightBit
        self.allowsPrivateTargets = allowsPrivateTargets
        self.tls = tls
        self.maximumConnections = max(1, maximumConnections)
        self.maximumMessagesPerConnection = max(1, maximumMessagesPerConnection)
        self.maximumRecipients = max(1, maximumRecipients)
    }

    /// Whether the route is for this recipient.
    package func matches(_ recipient: Mailbox) -> Bool {
        recipientDomains.isEmpty || recipientDomains.contains { $0.matches(recipient) }
    }
}

/// Which recipient domains a route is for.
package enum DomainPattern: Hashable, Sendable, CustomStringConvertible {
    /// `*`: every recipient, address literals too.
    case any
    /// `example.com`: this domain alone.
    case domain(Domain)
    /// `*.example.com`: every name below it, not itself.
    case below(Domain)

    /// Nil if `text` has none of the three forms.
    package init?(_ text: String) {
        if text == "*" {
            self = .any
        } else if text.hasPrefix("*.") {
            guard let domain = Domain(text.dropFirst(2)) else { return nil }
            self = .below(domain)
        } else {
            guard let domain = Domain(text) else { return nil }
            self = .domain(domain)
        }
    }

    package func matches(_ recipient: Mailbox) -> Bool {
        switch self {
        case .any: true
        case .domain(let domain): recipient.domain == domain
        case .below(let domain):
            recipient.domain.map { $0 != domain && $0.isEqualOrBelow(domain) } ?? false
        }
    }

    package var description: String {
        switch self {
        case .any: "*"
        case .domain(let domain): domain.name
        case .below(let domain): "*." + domain.name
        }
    }
}

/// The routes in order; the first that matches a recipient is taken.
package struct RoutingTable: Hashable, Sendable {
    package let routes: [Route]
    /// Who gets all mail instead; nil in ordinary life.
    package let capture: Capture?

    package init(_ routes: [Route], capture: Capture? = nil) {
        self.routes = routes
        self.capture = capture
    }

    /// Without a configuration: everything to the MX hosts of its domain.
    package static let internet = RoutingTable([Route(name: "internet", target: .mx(port: 25))])

    /// The place of the first route for this recipient; nil if there is none.
    package func index(for recipient: Mailbox) -> Int? {
        routes.firstIndex { $0.matches(recipient) }
    }

    package func route(for recipient: Mailbox) -> Route? {
        index(for: recipient).map { routes[$0] }
    }
}
