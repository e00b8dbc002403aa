// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Glibc
import Receiving
import SMTP

/// Where applications hand in their mail, and what it takes: `[[listener]]` and `[tls]`.
package struct ListenerSettings: Hashable, Sendable {
    package var address = "127.0.0.1"
    package var port = 587
    /// A path; empty: no Unix socket.
    package var socket = ""
    package var mode = "0666"
    /// Empty: as it comes.
    package var owner = ""
    /// Empty: as it comes.
    package var group = ""
    /// A name; empty: nothing that was passed in.
    package var passedIn = ""
    /// Empty: what suits the place.
    package var tls = ""
    /// A path; empty: clients are not asked for certificates.
    package var clientAuthority = ""
    package var proxies: [String] = []
    /// Empty: what suits the place.
    package var bareLineFeed = ""

    /// What tells one listener from another.
    package struct Place: Hashable, Sendable {
        package var address = ""
        package var port = 0
        package var socket = ""
        package var mode = ""
        package var owner = ""
        package var group = ""
        package var passedIn = ""
    }

    package var place: Place {
        if !socket.isEmpty { return Place(socket: socket, mode: mode, owner: owner, group: group) }
        return passedIn.isEmpty ? Place(address: address, port: port) : Place(passedIn: passedIn)
    }

    /// It listens on an IP address and a port of its own.
    var hasAddress: Bool { socket.isEmpty && passedIn.isEmpty }

    /// Only programs on this machine reach it, as far as the configuration can tell.
    var isLocal: Bool { !socket.isEmpty || (hasAddress && IPAddress(address)?.isLoopback == true) }

    /// Programs on this machine may stay in the clear.
    var security: ListenerConfiguration.Security {
        ListenerConfiguration.Security(rawValue: tls) ?? (isLocal || !passedIn.isEmpty ? .none : .startTLS)
    }

    /// `sendmail` and its like write lines that end with LF.
    var effectiveBareLineFeed: BareLineFeed {
        BareLineFeed(rawValue: bareLineFeed) ?? (socket.isEmpty ? .reject : .normalise)
    }

    /// The permission bits; nil if they are not written as in `0660`.
    var modeBits: UInt32? {
        guard (3...4).contains(mode.utf8.count), let bits = UInt32(mode, radix: 8), bits <= 0o777 else { return nil }
        return bits
    }
}

package struct TLSSettings: Hashable, Sendable {
    /// A path; empty: a self-made one.
    package var certificate = ""
    /// A path, or `credential:NAME`.
    package var key = ""
}

extension Configuration {
    var receivingListeners: [ListenerConfiguration] {
        effectiveListeners.map { settings in
            var listener = ListenerConfiguration(place(of: settings), bareLineFeed: settings.effectiveBareLineFeed)
            listener.security = settings.security
            listener.clientAuthority = settings.clientAuthority.isEmpty ? nil : resolve(settings.clientAuthority)
            listener.proxies = settings.proxies.compactMap { AddressRange($0) }
            return listener
        }
    }

    private func place(of settings: ListenerSettings) -> ListenerConfiguration.Place {
        if !settings.passedIn.isEmpty { return .passedIn(settings.passedIn) }
        if settings.socket.isEmpty { return .address(settings.address, port: settings.port) }
        return .unixSocket(
            UnixSocket(
                path: resolve(settings.socket), mode: settings.modeBits ?? 0o600,
                ownerID: UserDatabase.identifier(of: settings.owner),
                groupID: GroupDatabase.identifier(of: settings.group)))
    }

    /// What listeners with TLS work with.
    var usesTLS: Bool { effectiveListeners.contains { $0.security != .none } }

    static let listenerTable = SettingTable(
        each: "listener", \.listeners, effective: { $0.effectiveListeners }, defaults: ListenerSettings(),
        "Where applications hand in their mail; one table for each address and port, Unix socket, or name of passed-in sockets.",
        [
            .text(
                "address", \.address,
                "An IPv4 or IPv6 address of this machine. One that other machines can reach needs an [[app]] that is known by a password, a network or a certificate; everybody else gets 530."
            ),
            .number("port", \.port, 0...65_535, "Ports below 1024 need a privilege. 0 takes any free port."),
            .text(
                "socket", \.socket, as: .path, example: "submission.sock",
                "A Unix socket in place of address and port. Whoever may write to it may submit; the kernel tells which user it is."
            ),
            .text("mode", \.mode, "Who may use the socket, as for chmod: 0660 for owner and group only."),
            .text("owner", \.owner, example: "waxwing", "The socket's owner. Left out: the user that runs Waxwing."),
            .text("group", \.group, example: "mail", "The socket's group. Left out: that of the user."),
            .text(
                "passed-in", \.passedIn, example: "submission",
                "Sockets that the service manager opened, by their name (FileDescriptorName= in the systemd.socket unit), in place of address and port."
            ),
            .text(
                "tls", \.tls, as: .word(ListenerConfiguration.Security.allCases.map(\.rawValue)), example: "starttls",
                "none: in the clear. starttls: in the clear until the client says STARTTLS, as on port 587. implicit: TLS from the start, as on port 465. Left out: starttls on addresses that other machines reach, else none."
            ),
            .text(
                "client-ca", \.clientAuthority, as: .path, example: "clients.pem",
                "Ask clients for a certificate, which they need not have, and refuse one that these authorities (PEM) did not issue."
            ),
            .list(
                "proxy-protocol-from", \.proxies, example: ["192.0.2.4", "2001:db8::/64"],
                "Proxies that begin each connection with HAProxy's PROXY protocol, version 1 or 2. Then nobody else may connect."
            ),
            .text(
                "bare-lf", \.bareLineFeed, as: .word(BareLineFeed.allCases.map(\.rawValue)), example: "reject",
                "What becomes of a line in a message that ends with LF instead of CRLF: the message is refused, or the line end is repaired before signing. A CR alone and a NUL are always refused. Left out: normalise on a Unix socket, else reject."
            ),
        ])

    static let tlsTable = SettingTable(
        "tls", \.tls, defaults: TLSSettings(),
        "What listeners show to clients that want TLS 1.2 or 1.3. The files are read again when they change.",
        [
            .text(
                "certificate", \.certificate, as: .path, example: "fullchain.pem",
                "The certificate and its chain (PEM). Left out: Waxwing makes one for itself at each start, for loopback addresses and Unix sockets only."
            ),
            .text(
                "key", \.key, as: .path, example: "credential:tls-key",
                "Its private key (PEM, no passphrase): a file that only its owner may read, or credential:NAME for a credential of the systemd unit."
            ),
        ])
}
