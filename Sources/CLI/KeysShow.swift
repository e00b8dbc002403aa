// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print the records to publish, ready to paste.")

    @Argument(help: "The domain of the From field.", completion: Completion.domains)
    var domain: String

    @Option(help: "Only this key.", completion: Completion.selectors)
    var selector: String?

    @Option(help: "How the record is written. Default: for reading, with hints.")
    var format: KeyRequest.Format?

    @OptionGroup var output: KeysJSON
    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        try Keys.check(domain: domain, selector: selector)
        if output.json, format != nil { throw ValidationError("--json and --format exclude each other") }
    }

    func run() async throws {
        let request = KeyRequest(.show, domain: domain, selector: selector, format: format)
        try await Keys.perform(request, try config.load(), json: output.json)
    }
}

extension KeyRequest.Format: ExpressibleByArgument {}
