// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysLog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Print what happened to keys: when, by whom, and on what evidence.")

    @OptionGroup var keys: ShownKeys
    @OptionGroup var output: KeysJSON
    @OptionGroup var config: ConfigurationOption

    func run() async throws {
        let request = KeyRequest(.log, domain: keys.domain, selector: keys.selector)
        try await Keys.perform(request, try config.load(), json: output.json)
    }
}
