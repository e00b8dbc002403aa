// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysLog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Print what happened to keys: when, by whom, and on what evidence.")

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
        let request = KeyRequest(.log, domain: domain, selector: selector)
        try await Keys.perform(request, try config.load(), json: output.json)
    }
}
