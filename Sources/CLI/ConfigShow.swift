// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay

struct ConfigShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print the settings in effect, with the defaults of those left out.")

    @OptionGroup var config: ConfigurationOption

    func run() throws {
        Output.text(try config.load().effectiveText)
    }
}
