// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

extension Configuration {
    static let accessTable = SettingTable(
        "apps", \.access, defaults: AccessSettings(), "What holds for all applications.",
        [
            .text(
                "passwords", \.passwordFile, as: .path,
                "The file that `waxwing apps password NAME` writes: one line an application, NAME and a SCRAM-SHA-256 verifier, from which nobody can tell the password. Only its owner may read it. The daemon looks for changes every two seconds."
            ),
            .flag(
                "local", \.allowsLocalPeers,
                "Programs of this machine may submit over loopback and Unix sockets without showing who they are, as far as no [[app]] claims them by `networks` or `users`. With false they have to authenticate like everybody else."
            ),
        ])
}

extension ApplicationSettings {
    /// How an application is known, each way enough, and what it may do.
    static var accessSettings: [Setting<ApplicationSettings>] {
        [
            .flag(
                "password", \.usesPassword,
                "It authenticates (AUTH PLAIN, LOGIN or SCRAM-SHA-256) with its name and the password that `waxwing apps password` sets; under TLS or on this machine only."
            ),
            .list(
                "users", \.users, example: ["www-data", "1001"],
                "It submits on a Unix socket as one of these users, by name or number: the kernel tells, so that no secret is needed."
            ),
            .list(
                "networks", \.networks, example: ["192.0.2.7", "2001:db8:7::/48"],
                "It submits from one of these addresses, without any secret. The first table that names the address is taken."
            ),
            .list(
                "certificate", \.certificateNames, example: ["news.example.org"],
                "It authenticates (AUTH EXTERNAL) with a client certificate that has one of these DNS names or mailboxes."
            ),
            .quantity(
                "message-size", \.messageOctets, .size(0...(1 << 30)),
                "At most, where this is less than in [limits]. 0 B: no limit of its own."),
            .number(
                "recipients", \.recipients, 0...100_000, "As in [limits], where this is less. 0: no limit of its own."),
            .list(
                "rate", \.rates, example: ["100/min", "20000 recipients/day", "2 GiB/day"],
                "How many messages, recipients or octets it may hand in per min, hour or day; what is over that waits (450). So much may come at once; it is counted in memory, anew with every start of the daemon."
            ),
        ]
    }

    /// It is known by something, so that the table says who may submit.
    var isKnown: Bool { usesPassword || !users.isEmpty || !networks.isEmpty || !certificateNames.isEmpty }
}
