// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import DNS
import Mail
import Relay

/// `waxwing dns`; the module DNS has taken the other spelling.
struct Dns: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dns",
        abstract: "Print or check the DNS records that mail of a domain needs.",
        subcommands: [DnsPrint.self, DnsCheck.self])
}

/// What both commands are told.
struct DomainArguments: ParsableArguments {
    @Argument(help: "The domain of the From field.")
    var domain: String

    @Option(
        name: .customLong("address"),
        help: ArgumentHelp(
            "An address that receivers see this host at, if it has another behind a translator; repeat for more.",
            valueName: "ip"))
    var addresses: [String] = []

    /// Nil was refused before.
    var parsed: (domain: Domain, addresses: [IPAddress])? {
        Domain(domain).map { ($0, addresses.compactMap { IPAddress($0) }) }
    }

    func validate() throws {
        guard let parsed = Domain(domain), parsed.parent != nil else {
            throw ValidationError("\"\(domain)\" is not a domain such as example.com")
        }
        for address in addresses where IPAddress(address) == nil {
            throw ValidationError("--address must be an IPv4 or IPv6 address, not \"\(address)\"")
        }
    }
}
