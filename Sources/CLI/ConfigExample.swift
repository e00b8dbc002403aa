// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay

struct ConfigExample: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example", abstract: "Print an annotated file with every setting and its default.")

    // Every command takes it; this one needs no file.
    @OptionGroup var config: ConfigurationOption

    func run() throws {
        Output.text(Configuration.example)
    }
}
