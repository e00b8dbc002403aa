// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take over a private key (PEM, PKCS#8 or PKCS#1) with its selector.")

    @Argument(help: "The domain of the From field.")
    var domain: String

    @Option(help: "The name under which the key's record is in DNS.")
    var selector: String

    @Argument(help: "The private key; - is standard input.")
    var file: String

    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        try Keys.check(domain: domain, selector: selector)
    }

    func run() async throws {
        let configuration = try config.load()
        let pem = String(decoding: try Input.contents(of: file), as: UTF8.self)
        try await Keys.perform(KeyRequest(.import, domain: domain, selector: selector, pem: pem), configuration)
    }
}
