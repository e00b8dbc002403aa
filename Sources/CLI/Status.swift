// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whether the relay runs, and what it is doing.",
        discussion: "Exits 0 if a daemon answers, 1 if not.")

    @OptionGroup var config: ConfigurationOption

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let configuration = try config.load()
        do {
            let status = try await DaemonAccess(configuration).status()
            Output.text(json ? try JSONText.of(status) : StatusText.of(status, now: Moment.now))
        } catch {
            throw Output.failure(error)
        }
    }
}
