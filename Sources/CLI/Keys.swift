// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay
import Signing

struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make, publish and activate signing keys.",
        subcommands: [KeysGenerate.self, KeysImport.self, KeysList.self, KeysShow.self, KeysActivate.self])

    /// Has a key command carried out and prints what came of it.
    static func perform(_ request: KeyRequest, _ configuration: Configuration) async throws {
        let response: KeyResponse
        do {
            response = try await KeyAccess(configuration).perform(request)
        } catch {
            throw Output.failure(error)
        }
        for warning in response.warnings { Output.error("warning: " + warning) }
        if response.isError {
            Output.error(response.text)
            throw ExitCode(ExitStatus.failure)
        }
        Output.text(response.text.hasSuffix("\n") ? response.text : response.text + "\n")
    }
}
