// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser

/// The command line: one subcommand a file. Each parses its arguments, calls one function, and prints.
@main
struct Waxwing: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "waxwing",
        abstract: "A DKIM-signing outbound mail relay.",
        subcommands: [Config.self])
}
