// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take over a private key with its selector.",
        discussion: "PEM as PKCS#8 (encrypted, too) or PKCS#1, or the seed of an Ed25519 key in base64.")

    @Argument(help: "The domain of the From field.", completion: Completion.domains)
    var domain: String

    @Option(help: "The name under which the key's record is in DNS.")
    var selector: String

    @Argument(help: "The private key; - is standard input.", completion: .file())
    var file: String

    @Option(help: Passphrase.help("What the key is encrypted with."), completion: .file())
    var passphraseFile: String?

    @OptionGroup var output: KeysJSON
    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        try Keys.check(domain: domain, selector: selector)
        if file == "-", passphraseFile == "-" {
            throw ValidationError("key and passphrase can't both come from standard input")
        }
    }

    func run() async throws {
        let configuration = try config.load()
        let pem = String(decoding: try Input.contents(of: file), as: UTF8.self)
        let request = KeyRequest(
            .import, domain: domain, selector: selector, pem: pem,
            passphrase: try passphraseFile.map(Passphrase.read))
        try await Keys.perform(request, configuration, json: output.json)
    }
}
