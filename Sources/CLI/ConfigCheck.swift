// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay

struct ConfigCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read the configuration and name every fault: file, line, key and remedy.",
        discussion: """
            The files of secrets are read, too, as far as this user may; credentials of the systemd unit only \
            where they are there, such as in its ExecStartPre=. Exits 0 if the file can be used, 78 if not.
            """)

    @OptionGroup var config: ConfigurationOption

    func run() throws {
        let configuration = try config.load()
        let secrets = configuration.checkSecrets()
        for warning in configuration.warnings + secrets.warnings { Output.error("warning: \(warning)") }
        guard secrets.faults.isEmpty else {
            for fault in secrets.faults { Output.error("\(fault)") }
            throw ExitCode(ExitStatus.configuration)
        }
        Output.line((configuration.file ?? "No configuration file: the defaults") + ": ok")
    }
}
