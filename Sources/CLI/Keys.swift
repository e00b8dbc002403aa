// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Mail
import Relay
import Signing

struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make, publish, activate and rotate signing keys.",
        discussion: """
            The commands go to the running daemon, so that a change takes effect at once, and do the same without \
            one. They exit 0 if all is well, 1 if something is wrong, 2 for wrong usage, 78 for a faulty configuration.
            """,
        subcommands: [
            KeysGenerate.self, KeysImport.self, KeysExport.self, KeysList.self, KeysShow.self, KeysCheck.self,
            KeysPublish.self, KeysRotate.self, KeysActivate.self, KeysRetire.self, KeysRevoke.self, KeysRemove.self,
            KeysLog.self,
        ])

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

    static func check(algorithm: String?) throws {
        guard let algorithm, KeyAlgorithm(rawValue: algorithm) == nil else { return }
        throw ValidationError("--algorithm must be rsa-2048, rsa-3072, rsa-4096 or ed25519")
    }

    /// Has a key command carried out and prints what came of it.
    static func perform(_ request: KeyRequest, _ configuration: Configuration, json: Bool = false) async throws {
        let response: KeyResponse
        do {
            response = try await KeyAccess(configuration).perform(request)
        } catch {
            throw Output.failure(error)
        }
        try finish(response, json: json)
    }

    /// Prints what came of a command and ends it with the status that says so.
    static func finish(_ response: KeyResponse, json: Bool) throws {
        for warning in response.warnings { Output.error("warning: " + warning) }
        if response.isError {
            Output.error(response.text)
            throw ExitCode(ExitStatus.failure)
        }
        if json {
            guard let document = response.document else {
                Output.error("the answer has no JSON: a daemon of an older version gave it; restart it")
                throw ExitCode(ExitStatus.failure)
            }
            Output.text(ended(document))
        } else {
            Output.text(ended(response.text))
        }
        if response.hasProblem == true { throw ExitCode(ExitStatus.failure) }
    }

    private static func ended(_ text: String) -> String {
        text.isEmpty || text.hasSuffix("\n") ? text : text + "\n"
    }
}

/// `--json`, which every command on keys has that prints data.
struct KeysJSON: ParsableArguments {
    @Flag(help: "Print JSON.")
    var json = false
}
