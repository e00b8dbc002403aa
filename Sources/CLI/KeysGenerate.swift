// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysGenerate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Make a key for a domain and print the record to publish.")

    @Argument(help: "The domain of the From field.")
    var domain: String

    @Option(help: "rsa-2048, rsa-3072, rsa-4096 or ed25519.")
    var algorithm = "rsa-2048"

    @Option(help: "The name of the key in DNS. Default: one from the date, never used before.")
    var selector: String?

    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        try Keys.check(domain: domain, selector: selector)
        guard KeyAlgorithm(rawValue: algorithm) != nil else {
            throw ValidationError("--algorithm must be rsa-2048, rsa-3072, rsa-4096 or ed25519")
        }
    }

    func run() async throws {
        let request = KeyRequest(.generate, domain: domain, selector: selector, algorithm: algorithm)
        try await Keys.perform(request, try config.load())
    }
}
