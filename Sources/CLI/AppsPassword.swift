// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Receiving
import Relay
import Signing

struct AppsPassword: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "password", abstract: "Make a password for an application, and print it once.",
        discussion: """
            Only a verifier is kept, from which nobody can tell the password. A running daemon takes it over within \
            two seconds.
            """)

    @Argument(help: "The name of an [[app]] in the configuration.")
    var name: String

    @Flag(help: "Read a chosen password from standard input, one line, instead of making a random one.")
    var stdin = false

    @Flag(help: "Take the application's password away.")
    var remove = false

    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        if stdin, remove { throw ValidationError("--stdin and --remove exclude each other") }
    }

    func run() throws {
        let configuration = try config.load()
        guard let settings = configuration.applications.first(where: { $0.name == name }) else {
            Output.error("there is no [[app]] \"\(name)\" in the configuration: write one with password = true")
            throw ExitCode(ExitStatus.failure)
        }
        if remove {
            try store(nil, configuration)
        } else if stdin {
            let password = SecretContent.passphrase(try Input.contents(of: nil))
            guard let verifier = NewPassword.chosen(password) else {
                Output.error("standard input holds no password: write 1 to 1024 octets of UTF-8 on its first line")
                throw ExitCode(ExitStatus.failure)
            }
            try store(verifier, configuration)
        } else {
            guard let made = NewPassword.random() else {
                Output.error("no password could be derived from: there is not enough memory")
                throw ExitCode(ExitStatus.failure)
            }
            try store(made.verifier, configuration)
            Output.text(made.secret + "\n")
        }
        if !settings.usesPassword, !remove {
            Output.error("warning: the [[app]] \"\(name)\" does not say password = true, so the password is of no use")
        }
    }

    private func store(_ verifier: ScramVerifier?, _ configuration: Configuration) throws {
        do {
            try PasswordFile(configuration).set(verifier, for: name)
        } catch {
            throw Output.failure(error)
        }
    }
}
