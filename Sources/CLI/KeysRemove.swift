// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Take the record of a key out of DNS and destroy its private key.",
        discussion: "The selector is never used again. What [rotation] disclose says about the private key holds here.")

    @OptionGroup var key: NamedKey

    @Flag(help: "Yes, for good. Required.")
    var yes = false

    @Flag(help: "Even if the key is not revoked.")
    var force = false

    @OptionGroup var output: KeysJSON
    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        guard yes else {
            throw ValidationError("this destroys the private key \(key.selector) of \(key.domain) for good: add --yes")
        }
    }

    func run() async throws {
        let request = KeyRequest(.remove, domain: key.domain, selector: key.selector, isForced: force ? true : nil)
        try await Keys.perform(request, try config.load(), json: output.json)
    }
}
