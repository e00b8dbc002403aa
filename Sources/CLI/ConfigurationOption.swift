// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay

/// `--config`, which every command has.
struct ConfigurationOption: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "The configuration file. Default: waxwing.toml here, else /etc/waxwing/waxwing.toml, else none.",
            valueName: "file"), completion: .file(extensions: ["toml"]))
    var path: String?

    /// Reads and checks the whole file; prints what is wrong and ends the command if it can't be used.
    func load() throws -> Configuration {
        do {
            return try ConfigurationFile.load(path)
        } catch {
            Output.error("\(error)")
            throw ExitCode(ExitStatus.configuration)
        }
    }
}
