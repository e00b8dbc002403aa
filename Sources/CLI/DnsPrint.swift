// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay

struct DnsPrint: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "print",
        abstract: "Print all records that mail of a domain needs, ready to paste.",
        discussion: """
            They follow from the configuration (the routes, the hostname), the keys and the addresses of this host; \
            the DNS is not asked. \
            Keys among the credentials of the service are known only while it runs.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case plain, bind
    }

    @OptionGroup var arguments: DomainArguments

    @Option(help: "plain (name, type and value, a line each) or bind (lines of a zone file). Default: for reading.")
    var format: Format?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        if json, format != nil { throw ValidationError("--json and --format exclude each other") }
    }

    func run() async throws {
        let configuration = try config.load()
        let records: DomainRecords
        do {
            records = try await DomainRecordsAccess(configuration, addresses: arguments.addresses).records(
                of: arguments.domain)
        } catch {
            throw Output.failure(error)
        }
        for line in records.gaps { Output.error("warning: " + line) }
        // While nothing runs, it is a note for people only: whoever reads the other forms may take any line for a fault.
        if let limit = records.keys.limit, limit != .noDaemon || format == nil && !json {
            Output.error("note: " + limit.text)
        }
        if json { return Output.text(try JSONText.of(records.wanted)) }
        switch format {
        case .plain: Output.text(DnsText.plain(records.wanted))
        case .bind: Output.text(DnsText.bind(records.wanted))
        case nil: Output.text(DnsText.reading(records.wanted, summary: records.summary))
        }
    }
}
