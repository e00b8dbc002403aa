// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay

struct Sign: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sign a message: a filter.",
        discussion: """
            Signs with the active keys of the author domain, as on the way to an MX host, and prints the whole message. \
            Lines that end in LF alone are signed as CRLF and printed as they came. With --explain, what was hashed and \
            signed is printed to standard error: the body's canonical form in short, each header field in canonical \
            form, and the signature field, octet by octet with \\r, \\n, \\t, \\\\ and \\xNN for what can't be seen.
            """)

    @Argument(help: "The message. Default: standard input.")
    var file: String?

    @Flag(help: "Print to standard error what each signature is made over.")
    var explain = false

    @OptionGroup var config: ConfigurationOption

    func run() async throws {
        let configuration = try config.load()
        let message = try Input.contents(of: file)
        do {
            let signed = try SignFilter(configuration).sign(message)
            Output.bytes(signed.message)
            if explain { Output.explanation(SignText.of(signed.inputs)) }
        } catch {
            throw Output.failure(error)
        }
    }
}
