// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What one name server said about the text records of a name.
package struct ServerAnswer: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// The strings of each record joined; at least one record.
        case records([[UInt8]], ttl: UInt32)
        /// The name is an alias of another.
        case alias(String, ttl: UInt32)
        /// The name exists, without a text record.
        case noData
        /// The name does not exist (NXDOMAIN).
        case nameError
        /// The server says that others are in charge of a zone below its own: the zone and their names.
        case referral(String, servers: [String])
        /// Over UDP: the answer is too long for it, which is no fault.
        case truncated
        /// The server answered without an answer.
        case failure(Failure)
        /// No answer came.
        case unreachable(String)
        /// This machine can't send to the address at all: it has no IPv6, or no network.
        case noRoute(String)
    }

    package enum Failure: Hashable, Sendable {
        case serverFailure
        case refused
        /// The server does not hold the zone (it is "lame").
        case notAuthoritative
        case malformed
        /// Another code than these.
        case code(String)
    }

    /// Such as `ns1.example.com (192.0.2.53)`.
    package var server: String
    /// The server's name; nil when it was given as an address.
    package var host: String?
    /// What came over UDP.
    package var udp: Kind
    /// What came over TCP.
    package var tcp: Kind
    /// What the server says of a name beside the asked one that nobody has made; nil: not known.
    package var sibling: Kind?
    /// What the server says of the zone.
    package var authority: StartOfAuthority?

    package init(
        server: String, host: String? = nil, udp: Kind, tcp: Kind, sibling: Kind? = nil,
        authority: StartOfAuthority? = nil
    ) {
        self.server = server
        self.host = host
        self.udp = udp
        self.tcp = tcp
        self.sibling = sibling
        self.authority = authority
    }

    /// What the server says about the name: once where UDP and TCP agree.
    package var statements: [Kind] {
        let all = [udp, tcp].filter(\.isStatement)
        return all.count == 2 && all[0].saysTheSame(as: all[1]) ? [all[1]] : all
    }

    /// The name's answer is not its own: the server gives the same for every name beside it (RFC 4592).
    package var isWildcard: Bool {
        guard let sibling, let statement = statements.first, statements.count == 1 else { return false }
        switch statement {
        case .records, .alias: return statement.saysTheSame(as: sibling)
        default: return false
        }
    }

    /// Nothing could be sent there from this machine.
    package var hasNoRoute: Bool {
        if case .noRoute = udp, case .noRoute = tcp { return true }
        return false
    }
}

extension ServerAnswer.Kind {
    /// The server says something about the name.
    package var isStatement: Bool {
        switch self {
        case .records, .alias, .noData, .nameError, .referral: true
        case .truncated, .failure, .unreachable, .noRoute: false
        }
    }

    /// Equal but for times to live and order.
    func saysTheSame(as other: Self) -> Bool {
        switch (self, other) {
        case (.records(let left, _), .records(let right, _)):
            left.sorted { $0.lexicographicallyPrecedes($1) } == right.sorted { $0.lexicographicallyPrecedes($1) }
        case (.alias(let left, _), .alias(let right, _)): left == right
        case (.referral(let left, let some), .referral(let right, let others)):
            left == right && Set(some) == Set(others)
        default: self == other
        }
    }
}

/// A zone's SOA record (RFC 1035 §3.3.13), as one server has it.
package struct StartOfAuthority: Hashable, Sendable {
    package var zone: String
    /// MNAME: the server where changes are made.
    package var primary: String
    package var serial: UInt32
    package var minimum: UInt32
    package var ttl: UInt32

    package init(zone: String, primary: String, serial: UInt32, minimum: UInt32, ttl: UInt32) {
        self.zone = zone
        self.primary = primary
        self.serial = serial
        self.minimum = minimum
        self.ttl = ttl
    }

    /// RFC 2308 §5: how long resolvers remember that a name or record is not there, in seconds.
    package var negativeTTL: UInt32 { min(minimum, ttl) }
}
