// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay

struct Sign: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sign a message: a filter.",
        discussion: """
            Signs with the active keys of the author domain, as on the way to an MX host, and prints the whole message. \
            Lines that end in LF alone are signed as CRLF and printed as they came.
            """)

    @Argument(help: "The message. Default: standard input.")
    var file: String?

    @OptionGroup var config: ConfigurationOption

    func run() async throws {
        let configuration = try config.load()
        let message = try Input.contents(of: file)
        do {
            Output.bytes(try SignFilter(configuration).sign(message))
        } catch {
            throw Output.failure(error)
        }
    }
}
