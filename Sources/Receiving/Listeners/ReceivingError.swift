// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc
internal import NIOCore

/// Why a listener can't listen, with what to do about it.
package enum ReceivingError: Error, Hashable, Sendable, CustomStringConvertible {
    case notAnAddress(String)
    case privilegeNeeded(ListenerConfiguration.Place)
    case addressInUse(ListenerConfiguration.Place)
    case addressNotOurs(ListenerConfiguration.Place)
    /// What stands at a socket's path is something else.
    case notASocket(path: String)
    /// The owner or the mode of a socket can't be set.
    case notToBeGiven(path: String, reason: String)
    /// The service manager passed in no socket of this name.
    case notPassedIn(name: String)
    /// What was passed in by this name is no listening stream socket.
    case notListening(name: String)
    case other(ListenerConfiguration.Place, String)
    /// A listener stopped by itself.
    case listenerClosed

    init(_ error: any Error, _ place: ListenerConfiguration.Place) {
        self.init(code: (error as? IOError)?.errnoCode ?? 0, place, "\(error)")
    }

    init(code: Int32, _ place: ListenerConfiguration.Place, _ text: @autoclosure () -> String) {
        switch code {
        case EACCES, EPERM: self = .privilegeNeeded(place)
        case EADDRINUSE: self = .addressInUse(place)
        case EADDRNOTAVAIL, EAFNOSUPPORT: self = .addressNotOurs(place)
        default: self = .other(place, text())
        }
    }

    package var description: String {
        switch self {
        case .notAnAddress(let address):
            "can't listen on \(address): not an IPv4 or IPv6 address"
                + " (127.0.0.1 for this machine only, 0.0.0.0 or :: for all of its addresses)"
        case .privilegeNeeded(.address(let address, let port)):
            "can't listen on \(BoundListener(address: address, port: port)): the port needs a privilege. Grant"
                + " CAP_NET_BIND_SERVICE (AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or setcap"
                + " cap_net_bind_service=+ep on the program), or lower the limit (sysctl"
                + " net.ipv4.ip_unprivileged_port_start=\(port)), or use a port from 1024 on"
        case .privilegeNeeded(let place):
            "can't listen on \(place): user \(geteuid()) may not write to its directory."
                + " Give it the directory (chown), or use another one"
        case .addressInUse(.address(let address, let port)):
            "can't listen on \(BoundListener(address: address, port: port)): another program does"
                + " (ss -ltnp 'sport = :\(port)' names it). Stop it, or use another port"
        case .addressInUse(let place):
            "can't listen on \(place): another program does (ss -lxp names it). Stop it, or use another path"
        case .addressNotOurs(let place):
            "can't listen on \(place): this machine has no such address (ip address show lists those it has)"
        case .notASocket(let path):
            "can't listen on \(path): what stands there is not a socket. Remove it, or use another path"
        case .notToBeGiven(let path, let reason):
            "can't set owner, group and mode of \(path): \(reason). Leave them out, or start as a user that may"
        case .notPassedIn(let name):
            "there is no socket “\(name)”: the service manager passed none in by this name"
                + " (FileDescriptorName=\(name) in the socket unit; LISTEN_FDNAMES has the names)"
        case .notListening(let name):
            "the socket “\(name)” is not a listening stream socket: use ListenStream= and Accept=no in the socket unit"
        case .other(let place, let text):
            "can't listen on \(place): \(text)"
        case .listenerClosed:
            "a listener stopped listening"
        }
    }
}
