// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Glibc

/// What `waxwing --help` says of sendmail; its own command line is read before ArgumentParser sees it.
struct SendmailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sendmail",
        abstract: "Take a message from standard input, as programs call /usr/sbin/sendmail.",
        discussion: """
            Through links by these names the program is sendmail, mailq and newaliases. The options are those of \
            sendmail, and --config <file>: see waxwing sendmail --help.
            """)

    @Argument(parsing: .captureForPassthrough)
    var arguments: [String] = []

    func run() async throws {
        throw ExitCode(await SendmailProgram.run(name: "sendmail", arguments, isCommand: true))
    }
}
