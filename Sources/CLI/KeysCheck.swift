// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Ask every name server whether it shows the keys as they should be.",
        discussion: "Exits 0 if all do, 1 if one does not or can't be asked.")

    @OptionGroup var keys: ShownKeys
    @OptionGroup var output: KeysJSON
    @OptionGroup var config: ConfigurationOption

    func run() async throws {
        let request = KeyRequest(.check, domain: keys.domain, selector: keys.selector)
        try await Keys.perform(request, try config.load(), json: output.json)
    }
}
