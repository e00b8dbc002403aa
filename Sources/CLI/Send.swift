// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Mail
import Relay
import SMTP

struct Send: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Submit a small test message and print the conversation.",
        discussion: "Exits 0 if the relay took the message. What became of it then: waxwing queue show ID.")

    @Option(help: "The author and reverse-path.")
    var from: String

    @Option(help: "A recipient; may be given more than once.")
    var to: [String]

    @Option(
        help: ArgumentHelp("Where to submit. Default: the first listener of the configuration.", valueName: "host:port")
    )
    var server: String?

    @Option(help: "The Subject field, in ASCII.")
    var subject = "A test from Waxwing"

    @OptionGroup var config: ConfigurationOption

    func validate() throws {
        if to.isEmpty { throw ValidationError("--to must name a recipient") }
        for text in to + [from] where Send.mailbox(text) == nil {
            throw ValidationError("\"\(text)\" is not a mailbox such as user@example.com")
        }
        if let server, HostAndPort(server, defaultPort: 587) == nil {
            throw ValidationError("--server must be a host and port, such as 127.0.0.1:587")
        }
        guard subject.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }), subject.utf8.count <= 200 else {
            throw ValidationError("--subject must be printable ASCII of at most 200 octets")
        }
    }

    func run() async throws {
        let configuration = try config.load()
        let listener = configuration.effectiveListeners[0]
        let target = server.flatMap { HostAndPort($0, defaultPort: 587) }
        guard let sender = Send.mailbox(from) else { return }
        let submission = TestSubmission(
            host: target?.host ?? listener.address, port: target?.port ?? listener.port, sender: sender,
            recipients: to.compactMap(Send.mailbox), subject: subject)
        do {
            _ = try await submission.run(show: { Output.line($0) })
        } catch {
            throw Output.failure(error)
        }
    }

    private static func mailbox(_ text: String) -> Mailbox? {
        let bytes = Array(text.utf8)
        guard let mailboxes = try? AddressParser.mailboxes(in: bytes[...]), mailboxes.count == 1 else { return nil }
        return mailboxes.first
    }
}
