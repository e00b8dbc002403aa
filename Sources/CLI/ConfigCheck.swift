// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay

struct ConfigCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read the configuration and name every fault: file, line, key and remedy.",
        discussion: "Exits 0 if the file can be used, 78 if not.")

    @OptionGroup var config: ConfigurationOption

    func run() throws {
        let configuration = try config.load()
        Output.line((configuration.file ?? "No configuration file: the defaults") + ": ok")
    }
}
