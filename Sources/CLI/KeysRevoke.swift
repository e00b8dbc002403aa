// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Publish that signatures of a key no longer count (an empty p=).",
        discussion: "Mail under way that is signed with it fails verification. To be safe, rotate and wait.")

    @OptionGroup var key: NamedKey

    @Flag(help: "Somebody else may have the key. (keys rotate --compromised also gets a new one to sign.)")
    var compromised = false

    @Flag(help: "Even if mail signed with it may be under way, or no other key signs for the domain.")
    var force = false

    @OptionGroup var output: KeysJSON
    @OptionGroup var config: ConfigurationOption

    func run() async throws {
        let request = KeyRequest(
            .revoke, domain: key.domain, selector: key.selector, isForced: force ? true : nil,
            isCompromised: compromised ? true : nil)
        try await Keys.perform(request, try config.load(), json: output.json)
    }
}
