// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc
internal import NIOCore

/// Why a listener can't listen, with what to do about it.
package enum ReceivingError: Error, Hashable, Sendable, CustomStringConvertible {
    case notAnAddress(ListenerConfiguration)
    case privilegeNeeded(ListenerConfiguration)
    case addressInUse(ListenerConfiguration)
    case addressNotOurs(ListenerConfiguration)
    case other(ListenerConfiguration, String)
    /// A listener stopped by itself.
    case listenerClosed

    init(_ error: any Error, _ listener: ListenerConfiguration) {
        switch (error as? IOError)?.errnoCode {
        case EACCES, EPERM: self = .privilegeNeeded(listener)
        case EADDRINUSE: self = .addressInUse(listener)
        case EADDRNOTAVAIL, EAFNOSUPPORT: self = .addressNotOurs(listener)
        default: self = .other(listener, "\(error)")
        }
    }

    package var description: String {
        switch self {
        case .notAnAddress(let listener):
            "can't listen on \(listener.address): not an IPv4 or IPv6 address"
                + " (127.0.0.1 for this machine only, 0.0.0.0 or :: for all of its addresses)"
        case .privilegeNeeded(let listener):
            "can't listen on \(text(listener)): the port needs a privilege. Grant CAP_NET_BIND_SERVICE"
                + " (AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or setcap"
                + " cap_net_bind_service=+ep on the program), or lower the limit (sysctl"
                + " net.ipv4.ip_unprivileged_port_start=\(listener.port)), or use a port from 1024 on"
        case .addressInUse(let listener):
            "can't listen on \(text(listener)): another program does (ss -ltnp 'sport = :\(listener.port)'"
                + " names it). Stop it, or use another port"
        case .addressNotOurs(let listener):
            "can't listen on \(text(listener)): this machine has no such address (ip address show lists those it has)"
        case .other(let listener, let text):
            "can't listen on \(self.text(listener)): \(text)"
        case .listenerClosed:
            "a listener stopped listening"
        }
    }

    private func text(_ listener: ListenerConfiguration) -> String {
        BoundListener(address: listener.address, port: listener.port).description
    }
}
