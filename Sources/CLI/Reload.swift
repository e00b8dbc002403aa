// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay

struct Reload: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let the running relay read its configuration again.",
        discussion: "All of a valid file is applied; a faulty one is refused whole and the old settings stay in force.")

    @OptionGroup var config: ConfigurationOption

    func run() async throws {
        let configuration = try config.load()
        let document: ReloadDocument
        do {
            document = try await DaemonAccess(configuration).reload()
        } catch {
            throw Output.failure(error)
        }
        guard document.applied else {
            for line in document.lines { Output.error(line) }
            Output.error("the configuration was refused: the one before stays in force")
            throw ExitCode(ExitStatus.failure)
        }
        Output.line("reloaded")
        for line in document.lines { Output.line(line) }
    }
}
