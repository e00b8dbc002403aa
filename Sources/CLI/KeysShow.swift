// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print the records to publish, ready to paste.")

    @Argument(help: "The domain of the From field.")
    var domain: String

    @Option(help: "Only this key.")
    var selector: String?

    @Option(help: "plain (the record alone) or bind (a zone file's lines). Default: both, for reading.")
    var format: KeyRequest.Format?

    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        try Keys.check(domain: domain, selector: selector)
    }

    func run() async throws {
        let request = KeyRequest(.show, domain: domain, selector: selector, format: format)
        try await Keys.perform(request, try config.load())
    }
}

extension KeyRequest.Format: ExpressibleByArgument {}
