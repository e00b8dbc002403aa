// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Ask every name server whether it shows the keys as they should be.",
        discussion: "Exits 0 if all do, 1 if one does not or can't be asked.")

    @Argument(help: "Only this domain's keys.", completion: Completion.domains)
    var domain: String?

    @Option(help: "Only this key; with a domain.", completion: Completion.selectors)
    var selector: String?

    @OptionGroup var output: KeysJSON
    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        try Keys.check(domain: domain, selector: selector)
        if selector != nil, domain == nil { throw ValidationError("--selector needs a domain") }
    }

    func run() async throws {
        let request = KeyRequest(.check, domain: domain, selector: selector)
        try await Keys.perform(request, try config.load(), json: output.json)
    }
}
