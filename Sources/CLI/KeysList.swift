// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing

struct KeysList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the keys and their states.")

    @Argument(help: "Only this domain's keys.")
    var domain: String?

    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        try Keys.check(domain: domain, selector: nil)
    }

    func run() async throws {
        try await Keys.perform(KeyRequest(.list, domain: domain), try config.load())
    }
}
