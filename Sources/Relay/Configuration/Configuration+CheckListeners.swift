// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Receiving

extension ConfigurationChecker {
    /// Whether each listener's settings fit together.
    mutating func checkDoors() {
        var seen: Set<ListenerSettings.Place> = []
        for (index, listener) in configuration.listeners.enumerated() {
            let path: [KeyLocator.Step] = [.key("listener"), .index(index)]
            if !listener.socket.isEmpty {
                checkSocket(listener, at: path)
            } else if listener.owner != "" || listener.group != "" || listener.mode != ListenerSettings().mode {
                add(
                    path, "owner, group and mode are those of a Unix socket, and there is none",
                    "Write socket = \"PATH\", or remove them")
            }
            if !listener.hasAddress, !seen.insert(listener.place).inserted {
                add(
                    path, "there is already a listener on \(listener.socket)\(listener.passedIn)",
                    "Remove one of the two tables")
            }
            checkProxies(of: listener, at: path)
            checkTLS(of: listener, at: path)
        }
        checkCertificate()
    }

    private mutating func checkSocket(_ listener: ListenerSettings, at path: [KeyLocator.Step]) {
        if !listener.passedIn.isEmpty {
            add(
                path + [.key("passed-in")], "the listener has a socket of its own already",
                "Write two [[listener]] tables, or remove one of the two settings")
        }
        let file = configuration.resolve(listener.socket)
        // struct sockaddr_un holds 108 octets with the final zero.
        if file.utf8.count > 107 {
            add(
                path + [.key("socket")], "the path \(file) is longer than the 107 octets of a Unix socket's name",
                "Choose a shorter one, such as \"/run/waxwing/submission.sock\"")
        }
        if file == configuration.resolve(configuration.control.socket) {
            add(path + [.key("socket")], "\(file) is the control socket", "Choose another path")
        }
        if listener.modeBits == nil {
            add(
                path + [.key("mode")], "\"\(listener.mode)\" is not a mode",
                "Write three octal digits with a zero before them, such as \"0660\"")
        }
        if !listener.owner.isEmpty, UserDatabase.identifier(of: listener.owner) == nil {
            add(
                path + [.key("owner")], "there is no user \"\(listener.owner)\" on this machine",
                "Create it (useradd --system \(listener.owner)) or leave the setting out")
        }
        if !listener.group.isEmpty, GroupDatabase.identifier(of: listener.group) == nil {
            add(
                path + [.key("group")], "there is no group \"\(listener.group)\" on this machine",
                "Create it (groupadd \(listener.group)) or leave the setting out")
        }
    }

    private mutating func checkProxies(of listener: ListenerSettings, at path: [KeyLocator.Step]) {
        if !listener.proxies.isEmpty, !listener.socket.isEmpty {
            add(
                path + [.key("proxy-protocol-from")], "nobody connects to a Unix socket from an address",
                "Remove the setting, or let the proxy connect to an address")
        }
        for (place, proxy) in listener.proxies.enumerated() where AddressRange(proxy) == nil {
            add(
                path + [.key("proxy-protocol-from"), .index(place)],
                "\"\(proxy)\" is not an address or a prefix of some",
                "Write such as \"192.0.2.4\" or \"192.0.2.0/24\", with zeros behind the prefix")
        }
    }

    private mutating func checkTLS(of listener: ListenerSettings, at path: [KeyLocator.Step]) {
        if listener.security == .none {
            guard !listener.clientAuthority.isEmpty else { return }
            add(
                path + [.key("client-ca")], "certificates of clients come with TLS, which this listener does not do",
                "Write tls = \"starttls\" or tls = \"implicit\", or remove the setting")
        } else if configuration.tls.certificate.isEmpty, !listener.isLocal, !isAddressRefused(at: path) {
            add(
                path + [.key("tls")], "TLS needs a certificate that clients can verify, where other machines connect",
                "Name its files in [tls]: certificate = \"PATH\" and key = \"PATH\"")
        }
    }

    /// One fault is enough for an address that can't be listened on.
    private func isAddressRefused(at path: [KeyLocator.Step]) -> Bool {
        let key = KeyLocator.text(of: path + [.key("address")])
        return faults.contains { $0.key == key }
    }

    private mutating func checkCertificate() {
        let tls = configuration.tls
        guard tls.certificate.isEmpty != tls.key.isEmpty else { return }
        let missing = tls.key.isEmpty ? "key" : "certificate"
        add(
            [.key("tls")], "the table has no \(missing)",
            "Write \(missing) = \"PATH\" too, or remove both for a self-made certificate on loopback listeners")
    }
}
