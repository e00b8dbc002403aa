// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay

struct DnsCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Ask the DNS for all records that mail of a domain needs, and say what is missing or wrong.",
        discussion: """
            Key records are asked of the name servers of the domain themselves, everything else of the resolver of \
            the configuration, whose cache may be a while behind a change.

            Exits 0 if there is no problem (warnings aside), 1 if there is one.
            """)

    @OptionGroup var arguments: DomainArguments

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var config: ConfigurationOption

    func run() async throws {
        let configuration = try config.load()
        let document: DomainRecordsDocument
        do {
            document = try await DomainRecordsAccess(configuration, addresses: arguments.addresses).check(
                arguments.domain)
        } catch {
            throw Output.failure(error)
        }
        Output.text(json ? try JSONText.of(document) : DnsText.check(document))
        if document.outcome == .problem { throw ExitCode(ExitStatus.failure) }
    }
}
