// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify the DKIM signatures of a message: a filter.",
        discussion: "Prints a line for each signature. Exits 0 if at least one passes, 1 if none does.")

    @Argument(help: "The message. Default: standard input.")
    var file: String?

    @Option(
        help: ArgumentHelp("Key records instead of DNS, a line each: name, white space, record.", valueName: "file"))
    var keys: String?

    @Option(help: ArgumentHelp("The message as it was signed, to name what differs.", valueName: "file"))
    var original: String?

    @OptionGroup var config: ConfigurationOption

    func run() async throws {
        let configuration = try config.load()
        let message = try Input.contents(of: file)
        let records = try keys.map { String(decoding: try Input.contents(of: $0), as: UTF8.self) }
        let signed = try original.map { try Input.contents(of: $0) }
        let report: VerifyFilter.Report
        do {
            report = try await VerifyFilter(configuration).verify(message, original: signed, keyFile: records)
        } catch {
            throw Output.failure(error)
        }
        for line in report.lines { Output.line(line) }
        if !report.isPass { throw ExitCode(ExitStatus.failure) }
    }
}
