// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the keys, their states and what happens to them next.")

    @Argument(help: "Only this domain's keys.", completion: Completion.domains)
    var domain: String?

    @Option(help: "Only keys in this state.")
    var state: KeyState?

    @OptionGroup var output: KeysJSON
    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        try Keys.check(domain: domain, selector: nil)
    }

    func run() async throws {
        try await Keys.perform(KeyRequest(.list, domain: domain, state: state), try config.load(), json: output.json)
    }
}

extension KeyState: ExpressibleByArgument {}
