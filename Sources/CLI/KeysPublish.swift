// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysPublish: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Put the record of a key into DNS, or print it where you do that yourself.",
        discussion: "By the [[publisher]] of the domain. The key does not sign before every name server shows it.")

    @Argument(help: "The domain of the From field.", completion: Completion.domains)
    var domain: String

    @Option(help: "Which key. Default: those that wait.", completion: Completion.selectors)
    var selector: String?

    @OptionGroup var output: KeysJSON
    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        try Keys.check(domain: domain, selector: selector)
    }

    func run() async throws {
        let request = KeyRequest(.publish, domain: domain, selector: selector)
        try await Keys.perform(request, try config.load(), json: output.json)
    }
}
