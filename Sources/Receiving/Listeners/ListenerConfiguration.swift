// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import NIOCore
package import SMTP

/// Where and how Receiving listens.
package struct ListenerConfiguration: Hashable, Sendable {
    package enum Place: Hashable, Sendable {
        /// An IPv4 or IPv6 address, never a name, so that nothing is asked of DNS to start; port 0 takes any free one.
        case address(String, port: Int)
        case unixSocket(UnixSocket)
        /// The sockets of this name that the service manager opened.
        case passedIn(String)
    }

    package enum Security: String, Hashable, Sendable, CaseIterable {
        /// Everything in the clear.
        case none
        /// In the clear until the client says STARTTLS (RFC 3207).
        case startTLS = "starttls"
        /// TLS from the first octet on (RFC 8314 §3.3).
        case implicit
    }

    package var place: Place
    /// What becomes of an LF without CR in a content that comes in here.
    package var bareLineFeed: BareLineFeed
    package var security = Security.none
    /// The file of authorities whose client certificates count; nil: nobody is asked for one.
    package var clientAuthority: String?
    /// Who must, and alone may, begin with a header of the PROXY protocol; empty: nobody.
    package var proxies: [AddressRange] = []

    package init(_ place: Place, bareLineFeed: BareLineFeed = .reject) {
        self.place = place
        self.bareLineFeed = bareLineFeed
    }

    package init(address: String = "127.0.0.1", port: Int = 587, bareLineFeed: BareLineFeed = .reject) {
        self.init(.address(address, port: port), bareLineFeed: bareLineFeed)
    }
}

/// A Unix socket to be made.
package struct UnixSocket: Hashable, Sendable {
    /// Absolute, at most 107 octets.
    package var path: String
    /// Who may connect: whoever may write.
    package var mode: UInt32
    /// Nil: as it comes.
    package var ownerID: UInt32?
    package var groupID: UInt32?

    package init(path: String, mode: UInt32 = 0o666, ownerID: UInt32? = nil, groupID: UInt32? = nil) {
        self.path = path
        self.mode = mode
        self.ownerID = ownerID
        self.groupID = groupID
    }
}

extension ListenerConfiguration.Place: CustomStringConvertible {
    package var description: String {
        switch self {
        case .address(let address, let port): BoundListener(address: address, port: port).description
        case .unixSocket(let socket): socket.path
        case .passedIn(let name): "the sockets “\(name)” of the service manager"
        }
    }
}

/// A listener that listens.
package struct BoundListener: Hashable, Sendable, CustomStringConvertible {
    /// An IP address, or the path of a Unix socket.
    package var address: String
    /// 0 on a Unix socket.
    package var port: Int

    package init(address: String, port: Int) {
        self.address = address
        self.port = port
    }

    init(_ channel: any Channel) {
        let address = channel.localAddress
        self.init(address: address?.ipAddress ?? address?.pathname ?? "?", port: address?.port ?? 0)
    }

    package var description: String {
        if address.utf8.first == UInt8(ascii: "/") { return address }
        return address.utf8.contains(UInt8(ascii: ":")) ? "[\(address)]:\(port)" : "\(address):\(port)"
    }
}
