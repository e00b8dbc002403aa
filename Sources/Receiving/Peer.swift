// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import NIOCore

/// Who is at the other end of a connection.
struct Peer: Hashable, Sendable {
    /// Such as `127.0.0.1` or `::1`; nil if it has no IP address.
    let address: String?
    /// The peer is a program on this machine.
    let isLoopback: Bool
    /// The user that a peer on a Unix socket runs as.
    var userID: UInt32?
    /// The DNS names and mailboxes of a certificate that was verified.
    var certificateNames: [String] = []

    /// The peer is a program on this machine, by its address or by its socket.
    var isLocal: Bool { isLoopback || userID != nil }

    /// Peers on a Unix socket are told by their credentials: not loopback.
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
}
