// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay

/// The command line: one subcommand a file.
///
/// Each parses its arguments, calls one function, and prints.
@main
struct Waxwing: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "waxwing",
        abstract: "A DKIM-signing outbound mail relay.",
        version: Version.text,
        subcommands: [
            Run.self, Status.self, Reload.self, Config.self, Keys.self, Queue.self, Send.self, Sign.self,
            Verify.self,
        ])
}
