// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Relay
import Signing

struct KeysRotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Replace the keys of a domain, or take a running rotation a step further.",
        discussion: """
            Prints what was done, what is waited for and until when, and the record to publish where you do that \
            yourself. RSA and Ed25519 keys rotate independently. A new key signs once every name server shows it; the \
            old one stays published until no mail signed with it can be under way. A running daemon goes on by itself.
            """)

    @Argument(help: "The domain of the From field.", completion: Completion.domains)
    var domain: String

    @Option(
        help: "Only keys of this kind; the new one is of this length. Default: all, each as it is.",
        completion: Completion.algorithms)
    var algorithm: String?

    @Option(
        help: "The name of the new key. With --compromised, which key is. Default: a fresh one; those that sign.",
        completion: Completion.selectors)
    var selector: String?

    @Flag(help: "Stay until the new key signs, and print what changes.")
    var wait = false

    @Flag(help: "Sign as soon as the record is proven, without the wait of [rotation].")
    var now = false

    @Flag(
        help: """
            Somebody else may have the key: it signs no more and is revoked at once. A standby key takes over; without \
            one the domain's mail is accepted and waits until a new key is proven.
            """)
    var compromised = false

    @OptionGroup var output: KeysJSON
    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        try Keys.check(domain: domain, selector: selector)
        try Keys.check(algorithm: algorithm)
    }

    var request: KeyRequest {
        KeyRequest(
            .rotate, domain: domain, selector: selector, algorithm: algorithm, skipsWait: now ? true : nil,
            isCompromised: compromised ? true : nil)
    }

    func run() async throws {
        let configuration = try config.load()
        guard wait else { return try await Keys.perform(request, configuration, json: output.json) }
        let interruption = Interruption(
            saying: "interrupted: the rotation goes on in a running daemon, or with `waxwing keys rotate \(domain)`")
        defer { interruption.end() }
        let access = KeyAccess(configuration)
        var printed = RotationProgress()
        let response: KeyResponse
        do {
            response = try await RotationPolling(perform: { try await access.perform($0) }).run(request) { response in
                let news = printed.news(of: response)
                for warning in news.warnings { Output.error("warning: " + warning) }
                if !output.json, !response.isError { Output.text(news.text) }
            }
        } catch {
            throw Output.failure(error)
        }
        // All else is printed.
        var rest = response
        rest.warnings = []
        if !response.isError { rest.text = "" }
        try Keys.finish(rest, json: output.json)
    }
}
