// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Publish that signatures of a key no longer count (an empty p=).",
        discussion: "Mail under way that is signed with it fails verification. To be safe, rotate and wait.")

    @Argument(help: "The domain of the From field.", completion: Completion.domains)
    var domain: String

    @Option(help: "Which key.", completion: Completion.selectors)
    var selector: String

    @Flag(help: "Somebody else may have the key. (keys rotate --compromised also gets a new one to sign.)")
    var compromised = false

    @Flag(help: "Even if mail signed with it may be under way, or no other key signs for the domain.")
    var force = false

    @OptionGroup var output: KeysJSON
    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        try Keys.check(domain: domain, selector: selector)
    }

    func run() async throws {
        let request = KeyRequest(
            .revoke, domain: domain, selector: selector, isForced: force ? true : nil,
            isCompromised: compromised ? true : nil)
        try await Keys.perform(request, try config.load(), json: output.json)
    }
}
