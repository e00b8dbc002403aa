// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysActivate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "activate", abstract: "Start signing with a key, once DNS shows its record.",
        discussion: """
            Every authoritative name server of the domain must return exactly the key's record. The key that signed \
            before stays published until no mail signed with it can be under way.
            """)

    @Argument(help: "The domain of the From field.", completion: Completion.domains)
    var domain: String

    @Option(help: "Which key. Default: the one that waits.", completion: Completion.selectors)
    var selector: String?

    @Flag(help: "Sign as soon as the record is proven, without the wait of [rotation].")
    var now = false

    @Flag(
        help:
            "Do not ask DNS. Receivers will reject the signatures if the record is not there. Recorded, and shown by keys list."
    )
    var force = false

    @OptionGroup var output: KeysJSON
    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        try Keys.check(domain: domain, selector: selector)
    }

    func run() async throws {
        let request = KeyRequest(
            .activate, domain: domain, selector: selector, isForced: force, skipsWait: now ? true : nil)
        try await Keys.perform(request, try config.load(), json: output.json)
    }
}
