// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Mail
import Relay

struct QueueShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Say where one message is and why. Works with the daemon up or down.")

    @Argument(help: "A queue ID, as the reply to the message and queue list give it.")
    var id: String

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        guard QueueID(id) != nil else {
            throw ValidationError("a queue ID has \(QueueID.textLength) letters and digits, as queue list prints it")
        }
    }

    func run() async throws {
        let configuration = try config.load()
        guard let queueID = QueueID(id) else { return }
        let document: QueueEntryDocument?
        do {
            document = try await QueueAccess(configuration).show(queueID)
        } catch {
            throw Output.failure(error)
        }
        guard let document else {
            Output.error("no message \(queueID) in the queue: it has been delivered, failed or never was")
            throw ExitCode(ExitStatus.failure)
        }
        Output.text(json ? try JSONText.of(document) : QueueText.show(document))
    }
}
