// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysRetire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire", abstract: "Stop signing with a key; its record stays for the mail that is under way.")

    @OptionGroup var key: NamedKey

    @Flag(help: "Even if no other key signs for the domain.")
    var force = false

    @OptionGroup var output: KeysJSON
    @OptionGroup var config: ConfigurationOption

    func run() async throws {
        let request = KeyRequest(.retire, domain: key.domain, selector: key.selector, isForced: force ? true : nil)
        try await Keys.perform(request, try config.load(), json: output.json)
    }
}
