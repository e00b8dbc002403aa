// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Glibc
import Relay

/// The command line: one subcommand a file.
///
/// Each parses its arguments, calls one function, and prints.
@main
struct Waxwing: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "waxwing",
        abstract: "A DKIM-signing outbound mail relay.",
        discussion: "Completion for a shell: waxwing --generate-completion-script bash (or zsh, fish).",
        version: Version.text,
        subcommands: [
            Run.self, Status.self, Reload.self, Config.self, Apps.self, Keys.self, Dns.self, Queue.self, Send.self,
            Sign.self, Verify.self, SendmailCommand.self,
        ])

    static func main() async {
        if let call = SendmailProgram.call(CommandLine.arguments) {
            Glibc.exit(await SendmailProgram.run(name: call.name, call.arguments, isCommand: call.isCommand))
        }
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            var command = try await asyncParseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            let status = exitCode(for: error).rawValue
            let wanted = ExitStatus.of(status, of: arguments)
            if wanted == status { exit(withError: error) }
            Output.explanation(fullMessage(for: error) + "\n")
            Glibc.exit(wanted)
        }
    }
}
