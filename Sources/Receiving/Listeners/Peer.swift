// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import NIOCore

/// Who is at the other end of a connection.
struct Peer: Hashable, Sendable, CustomStringConvertible {
    /// The user that the kernel shows for whom it has no number in this name space (user_namespaces(7)).
    static let overflowUserID: UInt32 = 65_534

    /// Such as `127.0.0.1` or `::1`; nil if it has no IP address.
    let address: String?
    /// The peer is a program on this machine, reached by IP.
    var isLoopback: Bool
    /// Who connected to a Unix socket, by SO_PEERCRED (unix(7)); nil on any other.
    var userID: UInt32?
    private(set) var processID: Int32?
    /// The names in the client's certificate, which was verified: DNS names and mailboxes.
    var certificateNames: [String] = []

    /// A peer on a Unix socket of which the kernel says nothing has neither address nor user.
    init(_ address: SocketAddress?) {
        guard let text = address?.ipAddress else {
            self.address = nil
            isLoopback = false
            return
        }
        // RFC 4291 §2.5.5.2: ::ffff:192.0.2.1 is an IPv4 peer on an IPv6 socket.
        let mappedPrefix = "::ffff:"
        let isMapped = text.hasPrefix(mappedPrefix) && text.utf8.contains(UInt8(ascii: "."))
        let plain = isMapped ? String(text.dropFirst(mappedPrefix.count)) : text
        self.address = plain
        let isIPv6 = plain.utf8.contains(UInt8(ascii: ":"))
        // RFC 1122 §3.2.1.3: all of 127/8. RFC 4291 §2.5.3: ::1 alone.
        isLoopback = isIPv6 ? plain == "::1" : plain.hasPrefix("127.")
    }

    /// A program on this machine, known by its user.
    init(userID: UInt32, processID: Int32) {
        address = nil
        isLoopback = false
        self.userID = userID
        self.processID = processID
    }

    /// Whom a proxy speaks for; this peer is the proxy.
    func speakingFor(_ header: ProxyHeader) -> Peer {
        switch header {
        case .own:
            // Nobody said that the client is on this machine.
            var peer = self
            peer.isLoopback = false
            return peer
        case .client(let address):
            var peer = Peer(try? SocketAddress(ipAddress: address, port: 0))
            // Loopback of the proxy's machine is ours only if that is this machine.
            peer.isLoopback = peer.isLoopback && isLoopback
            return peer
        }
    }

    /// On the same machine, by whatever way.
    var isLocal: Bool { isLoopback || userID != nil }

    /// The kernel can't say which user it is: one of another name space.
    var isNobody: Bool { userID == Peer.overflowUserID }

    /// For logs.
    var description: String {
        if let address { return address }
        guard let userID, let processID else { return "?" }
        return "uid \(userID) pid \(processID)"
    }
}
