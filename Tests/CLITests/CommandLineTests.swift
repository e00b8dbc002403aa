// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import ArgumentParser
import Signing
import Testing

@testable import CLI

@Suite("Command line") struct CommandLineTests {
    /// EX_USAGE of sysexits.h.
    private static let wrongUsage: Int32 = 64

    private func parse(_ line: String) throws -> any ParsableCommand {
        try Waxwing.parseAsRoot(line.split(separator: " ").map(String.init))
    }

    /// The commands that do something, with the words that lead to them.
    private static func leaves(
        of command: any ParsableCommand.Type = Waxwing.self, _ path: [String] = []
    ) -> [(path: [String], type: any ParsableCommand.Type)] {
        let children = command.configuration.subcommands
        if children.isEmpty { return [(path, command)] }
        return children.flatMap { child in
            leaves(of: child, path + [child.configuration.commandName ?? "\(child)".lowercased()])
        }
    }

    /// One way to call each command, without `--config`.
    static let calls = [
        "run", "status", "status --json", "reload", "config check", "config show", "config example",
        "keys generate example.com", "keys generate example.com --algorithm rsa-3072 --selector s1",
        "keys generate --algorithm ed25519 example.com", "keys import example.com --selector s1 key.pem",
        "keys import --selector s1 example.com -", "keys list", "keys list example.com", "keys show example.com",
        "keys show example.com --selector s1 --format plain", "keys show example.com --format bind",
        "keys activate example.com", "keys activate example.com --selector s1 --force", "queue list",
        "queue list --json --limit 1000 --after 0000000000001", "queue show 0000000000001",
        "queue show --json 0000000000001", "sign", "sign message.eml", "sign --explain message.eml", "verify",
        "verify message.eml",
        "verify --json message.eml",
        "verify --keys records.txt --original before.eml message.eml", "send --from a@example.com --to b@example.net",
        "send --from a@example.com --to b@example.net --to c@example.net --server 127.0.0.1:2525 --subject Hello",
        "send --from a@example.com --to b@example.net --server [::1]:587",
    ]

    @Test("Each documented call is understood, and takes --config", arguments: calls)
    func documented(line: String) throws {
        let words = line.split(separator: " ").map(String.init)
        let leaf = try #require(Self.leaves().first { words.starts(with: $0.path) }, "no command \(line)")
        #expect(type(of: try parse(line)) == leaf.type)
        #expect(type(of: try parse(line + " --config other.toml")) == leaf.type)
    }

    @Test("Every command is among the calls, and its help names --config and what it does")
    func complete() {
        for leaf in Self.leaves() {
            let name = leaf.path.joined(separator: " ")
            #expect(Self.calls.contains { $0 == name || $0.hasPrefix(name + " ") }, "\(name)")
            #expect(leaf.type.helpMessage().contains("--config <file>"), "\(name)")
            #expect(!leaf.type.configuration.abstract.isEmpty, "\(name)")
        }
        #expect(Self.leaves().count == 16)
    }

    @Test(
        "What is wrong is refused with exit 64 and a message that helps",
        arguments: [
            ("sned", "Unexpected argument 'sned'"),
            ("status --josn", "Unknown option '--josn'. Did you mean '--json'?"),
            ("status extra", "Unexpected argument 'extra'"),
            ("run --config", "Missing value for '--config <file>'"),
            ("keys generate", "Missing expected argument '<domain>'"),
            ("keys generate example.com --algorithm dsa", "rsa-2048, rsa-3072, rsa-4096 or ed25519"),
            ("keys generate exa_mple..com", "\"exa_mple..com\" is not a domain"),
            ("keys generate example.com --selector -", "\"-\" is not a selector"),
            ("keys import example.com key.pem", "Missing expected argument '--selector <selector>'"),
            ("keys import example.com --selector s1", "Missing expected argument '<file>'"),
            ("keys import example.com --selector a..b key.pem", "\"a..b\" is not a selector"),
            ("keys list not..a.domain", "\"not..a.domain\" is not a domain"),
            ("keys show example.com --format json", "'plain' and 'bind'"),
            ("keys show example.com --selector a..b", "\"a..b\" is not a selector"),
            ("keys activate", "Missing expected argument '<domain>'"),
            ("keys activate .", "\".\" is not a domain"),
            ("queue list --limit 0", "--limit must be a number from 1 to 1000"),
            ("queue list --limit 1001", "--limit must be a number from 1 to 1000"),
            ("queue list --limit many", "The value 'many' is invalid"),
            ("queue list --after x", "--after must be a queue ID"),
            ("queue show", "Missing expected argument '<id>'"),
            ("queue show 123", "a queue ID has 13 letters and digits"),
            ("send --from a@example.com", "Missing expected argument '--to <to> ...'"),
            ("send --to a@example.com", "Missing expected argument '--from <from>'"),
            ("send --from a --to b@example.net", "\"a\" is not a mailbox such as user@example.com"),
            ("send --from a@example.com --to b@example.net,c@example.net", "is not a mailbox"),
            ("send --from a@example.com --to b@example.net --server host:99999", "--server must be a host and port"),
            ("send --from a@example.com --to b@example.net --subject gr\u{FC}n", "--subject must be printable ASCII"),
        ])
    func refused(line: String, message: String) {
        let error = #expect(throws: (any Error).self) { _ = try parse(line) }
        guard let error else { return }
        #expect(Waxwing.exitCode(for: error).rawValue == Self.wrongUsage)
        let text = Waxwing.fullMessage(for: error)
        #expect(text.contains(message), "\(text)")
        #expect(text.contains("Usage: waxwing"), "\(text)")
    }

    @Test("Arguments arrive where they are meant to")
    func values() throws {
        let generate = try #require(
            try parse("keys generate example.com --algorithm ed25519 --selector s1 --config f.toml") as? KeysGenerate)
        #expect(generate.domain == "example.com")
        #expect(generate.algorithm == "ed25519")
        #expect(generate.selector == "s1")
        #expect(generate.config.path == "f.toml")
        let show = try #require(try parse("keys show example.com --format bind") as? KeysShow)
        #expect(show.format == .bind)
        #expect(show.config.path == nil)
        let activate = try #require(try parse("keys activate example.com --force") as? KeysActivate)
        #expect(activate.force)
        let send = try #require(try parse("send --from a@b.example --to c@d.example --to e@f.example") as? Send)
        #expect(send.to == ["c@d.example", "e@f.example"])
        #expect(send.subject == "A test from Waxwing")
        let list = try #require(try parse("queue list") as? QueueList)
        #expect(list.limit == 100)
        #expect(!list.json)
    }

    @Test(
        "--help and --version are no errors", arguments: ["--help", "--version", "keys generate --help", "help send"])
    func helps(line: String) throws {
        do {
            var command = try parse(line)
            try command.run()
            Issue.record("\(line) is not answered")
        } catch {
            #expect(Waxwing.exitCode(for: error).rawValue == 0)
            #expect(!Waxwing.fullMessage(for: error).isEmpty)
        }
    }
}
