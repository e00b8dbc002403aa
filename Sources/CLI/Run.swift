// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the relay in the foreground.",
        discussion: """
            The log goes to standard error. SIGTERM and SIGINT drain: sessions and deliveries finish, then the \
            command exits 0. SIGHUP reads the configuration again.
            """)

    @OptionGroup var config: ConfigurationOption

    func run() async throws {
        let configuration = try config.load()
        do {
            try await Daemon(configuration).run()
        } catch {
            throw Output.failure(error)
        }
    }
}
