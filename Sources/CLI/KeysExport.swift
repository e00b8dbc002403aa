// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay
import Signing

struct KeysExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a private key as PEM (PKCS#8).",
        discussion: """
            Needs leave to read the key directory: the daemon hands out no private keys. Nothing is printed on a \
            terminal unless --stdout says so.
            """)

    @OptionGroup var key: NamedKey

    @Flag(help: "Encrypt the key with a passphrase.")
    var encrypt = false

    @Option(help: Passphrase.help("What to encrypt with."), completion: .file())
    var passphraseFile: String?

    @Option(help: ArgumentHelp("A new file of mode 600.", valueName: "file"), completion: .file())
    var output: String?

    @Flag(help: "Print on standard output even if it is a terminal.")
    var stdout = false

    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        if encrypt != (passphraseFile != nil) {
            throw ValidationError("--encrypt and --passphrase-file belong together")
        }
        if output != nil, stdout { throw ValidationError("--output and --stdout exclude each other") }
    }

    func run() async throws {
        let configuration = try config.load()
        if output == nil, !stdout, Output.isTerminal {
            Output.error("a private key is not printed on a terminal: name a new file with --output, or add --stdout")
            throw ExitCode(ExitStatus.failure)
        }
        let request = KeyRequest(
            .export, domain: key.domain, selector: key.selector, passphrase: try passphraseFile.map(Passphrase.read))
        guard let output else { return try await Keys.perform(request, configuration) }
        let response: KeyResponse
        do {
            response = try await KeyAccess(configuration).perform(request)
        } catch {
            throw Output.failure(error)
        }
        if !response.isError {
            do {
                try PrivateFile.create(output, Array(response.text.utf8))
            } catch {
                throw Output.failure(error)
            }
        }
        var rest = response
        if !response.isError { rest.text = "\(output) holds the private key \(key.selector) of \(key.domain)" }
        try Keys.finish(rest, json: false)
    }
}
