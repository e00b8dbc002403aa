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
    @Argument(help: "The domain of the From field.", transform: DomainArguments.domain)
    var domain: Domain

    @Option(
        name: .customLong("address"),
        help: ArgumentHelp(
            "An address that receivers see this host at, if it has another behind a translator; repeat for more.",
            valueName: "ip"), transform: DomainArguments.address)
    var addresses: [IPAddress] = []

    private static func domain(_ text: String) throws -> Domain {
        guard let domain = Domain(text), domain.parent != nil else {
            throw ValidationError("\"\(text)\" is not a domain such as example.com")
        }
        return domain
    }

    private static func address(_ text: String) throws -> IPAddress {
        guard let address = IPAddress(text) else {
            throw ValidationError("--address must be an IPv4 or IPv6 address, not \"\(text)\"")
        }
        return address
    }
}
