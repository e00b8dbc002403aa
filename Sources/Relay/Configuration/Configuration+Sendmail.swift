// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail
import Receiving

package struct SendmailSettings: Hashable, Sendable {
    /// A path; empty: the first listener that programs on this machine can reach.
    package var socket = ""
    /// A path; empty: beside the spool.
    package var dropDirectory = ""
}

extension Configuration {
    static let sendmailTable = SettingTable(
        "sendmail", \.sendmail, defaults: SendmailSettings(),
        "The command sendmail: where it hands in its mail, and where it leaves it while the relay is down.",
        [
            .text(
                "socket", \.socket, as: .path, example: "/run/waxwing/submission.sock",
                "The Unix socket of a listener. Left out: the first listener that programs on this machine can reach."),
            .text(
                "drop-directory", \.dropDirectory, as: .path, example: "/var/lib/waxwing/drop",
                "Mail waits here while the relay is down. On a local disk; every user may put files into it and none may list it. Left out: the directory drop beside the spool."
            ),
        ])

    /// Where sendmail leaves mail for a daemon that is down.
    package var dropDirectory: String {
        if !sendmail.dropDirectory.isEmpty { return resolve(sendmail.dropDirectory) }
        let parent = ConfigurationFile.directory(of: resolve(spool.directory), from: "/")
        return (parent == "/" ? "" : parent) + "/drop"
    }

    /// Where sendmail hands its mail in; nil if no listener can be reached without a password or a certificate.
    package var submissionPlace: SubmissionPlace? {
        if !sendmail.socket.isEmpty { return .unix(path: resolve(sendmail.socket)) }
        for listener in effectiveListeners where listener.security != .implicit && listener.proxies.isEmpty {
            if !listener.socket.isEmpty { return .unix(path: resolve(listener.socket)) }
            guard listener.hasAddress else { continue }
            guard let address = IPAddress(listener.address), address.isLoopback, listener.port != 0 else { continue }
            return .tcp(address: listener.address, port: listener.port)
        }
        return nil
    }

    /// The host of addresses without one.
    var hostDomain: Domain? { Domain(hostname) ?? Domain("localhost") }
}

/// Where a daemon takes mail from programs of its machine.
package enum SubmissionPlace: Hashable, Sendable, CustomStringConvertible {
    case unix(path: String)
    /// An IP address.
    case tcp(address: String, port: Int)

    package var description: String {
        switch self {
        case .unix(let path): path
        case .tcp(let address, let port): "\(address) port \(port)"
        }
    }
}

extension ConfigurationChecker {
    mutating func checkSendmail() {
        let table = KeyLocator.Step.key("sendmail")
        let socket = configuration.resolve(configuration.sendmail.socket)
        // struct sockaddr_un holds 108 octets with the final zero.
        if !configuration.sendmail.socket.isEmpty, socket.utf8.count > 107 {
            add(
                [table, .key("socket")],
                "the path \(socket) is longer than the 107 octets of a Unix socket's name",
                "Choose a shorter one, such as \"/run/waxwing/submission.sock\"")
        }
        let path = [table, KeyLocator.Step.key("drop-directory")]
        let drop = configuration.dropDirectory
        for (other, name) in [
            (configuration.spool.directory, "the spool"), (configuration.keys.directory, "the keys"),
        ] {
            let directory = configuration.resolve(other)
            guard drop == directory || drop.hasPrefix(directory + "/") || directory.hasPrefix(drop + "/") else {
                continue
            }
            add(
                path, "everybody may write into \(drop), which is in one place with \(name)",
                "Name a directory of its own")
        }
    }
}
