// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Mail
import Relay

struct QueueList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the queue, oldest first. Works with the daemon up or down.")

    @Option(help: "At most this many messages.")
    var limit = 100

    @Option(help: "Only messages behind this queue ID: the next page.")
    var after: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit must be a number from 1 to 1000") }
        if let after, QueueID(after) == nil {
            throw ValidationError("--after must be a queue ID, such as the last one of the page before")
        }
    }

    func run() async throws {
        let configuration = try config.load()
        do {
            let document = try await QueueAccess(configuration).list(limit: limit, after: after.flatMap { QueueID($0) })
            Output.text(json ? try JSONText.of(document) : QueueText.list(document))
        } catch {
            throw Output.failure(error)
        }
    }
}
