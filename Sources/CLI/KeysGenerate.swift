// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysGenerate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Make a key for a domain and print the record to publish.")

    @Argument(help: "The domain of the From field.", completion: Completion.domains)
    var domain: String

    @Option(help: "rsa-2048, rsa-3072, rsa-4096 or ed25519.", completion: Completion.algorithms)
    var algorithm = "rsa-2048"

    @Option(help: "The name of the key in DNS. Default: one from the date, never used before.")
    var selector: String?

    @Flag(help: "Keep the key published, to sign at once when the active one is compromised.")
    var standby = false

    @OptionGroup var output: KeysJSON
    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        try Keys.check(domain: domain, selector: selector)
        try Keys.check(algorithm: algorithm)
    }

    func run() async throws {
        let request = KeyRequest(
            .generate, domain: domain, selector: selector, algorithm: algorithm,
            wantsStandby: standby ? true : nil)
        try await Keys.perform(request, try config.load(), json: output.json)
    }
}
