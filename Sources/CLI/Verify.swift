// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify the DKIM signatures of a message, and say what was changed where one fails.",
        discussion: """
            Prints for each signature its result (RFC 8601: pass, fail, policy, neutral, temperror, permerror), the \
            body hash, the fields that it covers, and whether its domain is aligned with that of From: the same, or \
            of the same organization by the DMARC records in DNS (RFC 9989); with --keys by the names alone.

            Exits 0 if a signature passes that is aligned, 1 if none does, 2 if that can't be said: a file can't be \
            read, or DNS gave no answer. (64 is wrong usage and 78 a faulty configuration, as everywhere.)
            """)

    @Argument(help: "The message. Default: standard input.")
    var file: String?

    @Option(
        help: ArgumentHelp("Key records instead of DNS, a line each: name, white space, record.", valueName: "file"))
    var keys: String?

    @Option(help: ArgumentHelp("The message as it was signed, to name what differs.", valueName: "file"))
    var original: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var config: ConfigurationOption

    func run() async throws {
        let configuration = try config.load()
        let document: VerifyDocument
        do {
            let message = try Input.contents(of: file)
            let records = try keys.map { String(decoding: try Input.contents(of: $0), as: UTF8.self) }
            let signed = try original.map { try Input.contents(of: $0) }
            document = try await VerifyFilter(configuration).verify(message, original: signed, keyFile: records)
        } catch {
            _ = Output.failure(error)
            throw ExitCode(ExitStatus.unknown)
        }
        Output.text(json ? try JSONText.of(document) : VerifyText.of(document))
        switch document.outcome {
        case .good: return
        case .bad: throw ExitCode(ExitStatus.failure)
        case .unknown: throw ExitCode(ExitStatus.unknown)
        }
    }
}
