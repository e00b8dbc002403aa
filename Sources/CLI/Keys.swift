// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Mail
import Relay
import Signing

struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make, publish and activate signing keys.",
        subcommands: [KeysGenerate.self, KeysImport.self, KeysList.self, KeysShow.self, KeysActivate.self])

    /// Refuses what can't be a name in DNS before anything is asked or written.
    static func check(domain: String?, selector: String?) throws {
        if let domain, Domain(domain) == nil {
            throw ValidationError("\"\(domain)\" is not a domain such as example.com")
        }
        if let selector, Selector(selector) == nil {
            throw ValidationError(
                "\"\(selector)\" is not a selector: letters, digits, inner hyphens, and dots between labels")
        }
    }

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
