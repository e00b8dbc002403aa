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
        "apps password news", "apps password news --stdin", "apps password news --remove",
        "run", "status", "status --json", "reload", "config check", "config show", "config example",
        "keys generate example.com", "keys generate example.com --algorithm rsa-3072 --selector s1",
        "keys generate --algorithm ed25519 example.com", "keys import example.com --selector s1 key.pem",
        "keys import --selector s1 example.com -", "keys list", "keys list example.com", "keys show example.com",
        "keys show example.com --selector s1 --format plain", "keys show example.com --format bind",
        "keys show example.com --json", "keys list --state retiring --json",
        "keys generate example.com --standby --json",
        "keys import example.com --selector s1 --passphrase-file p key.pem",
        "keys export example.com --selector s1", "keys export example.com --selector s1 --stdout",
        "keys export example.com --selector s1 --encrypt --passphrase-file p --output key.pem",
        "keys check", "keys check example.com --selector s1 --json", "keys publish example.com",
        "keys publish example.com --selector s1 --json", "keys rotate example.com",
        "keys rotate example.com --algorithm ed25519 --selector s2 --wait --now --json",
        "keys rotate example.com --compromised", "keys activate example.com",
        "keys activate example.com --selector s1 --force --now --json", "keys retire example.com --selector s1 --force",
        "keys revoke example.com --selector s1 --compromised --force --json",
        "keys remove example.com --selector s1 --yes --force --json", "keys log",
        "keys log example.com --selector s1 --json",
        "dns print example.com",
        "dns print example.com --format bind --address 192.0.2.1 --address 2001:db8::1", "dns print --json example.com",
        "dns check example.com", "dns check --json --address 192.0.2.1 example.com", "queue list",
        "queue list --json --limit 1000 --after 0000000000001", "queue show 0000000000001",
        "queue show --json 0000000000001", "sign", "sign message.eml", "sign --explain message.eml", "verify",
        "verify message.eml",
        "verify --json message.eml",
        "verify --keys records.txt --original before.eml message.eml", "send --from a@example.com --to b@example.net",
        "send --from a@example.com --to b@example.net --to c@example.net --server 127.0.0.1:2525 --subject Hello",
        "send --from a@example.com --to b@example.net --server [::1]:587", "sendmail -t -i",
        "sendmail -oi -f a@example.com -- b@example.net",
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
        #expect(Self.leaves().count == 28)
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
            ("keys show example.com --format xml", "The value 'xml' is invalid"),
            ("keys show example.com --format plain --json", "--json and --format exclude each other"),
            ("keys list --state dead", "The value 'dead' is invalid"),
            ("keys import example.com --selector s1 - --passphrase-file -", "can't both come from standard input"),
            ("keys export example.com", "Missing expected argument '--selector <selector>'"),
            ("keys export example.com --selector s1 --encrypt", "--passphrase-file belong together"),
            ("keys export example.com --selector s1 --passphrase-file p", "--passphrase-file belong together"),
            ("keys export example.com --selector s1 --output f --stdout", "exclude each other"),
            ("keys check --selector s1", "--selector needs a domain"),
            ("keys log --selector s1", "--selector needs a domain"),
            ("keys rotate", "Missing expected argument '<domain>'"),
            ("keys rotate example.com --algorithm rsa", "rsa-2048, rsa-3072, rsa-4096 or ed25519"),
            ("keys retire example.com", "Missing expected argument '--selector <selector>'"),
            ("keys revoke example.com", "Missing expected argument '--selector <selector>'"),
            ("keys remove example.com --selector s1", "destroys the private key s1 of example.com for good: add --yes"),
            ("keys show example.com --selector a..b", "\"a..b\" is not a selector"),
            ("keys activate", "Missing expected argument '<domain>'"),
            ("keys activate .", "\".\" is not a domain"),
            ("dns check", "Missing expected argument '<domain>'"),
            ("dns check com", "\"com\" is not a domain such as example.com"),
            ("dns check a..b", "\"a..b\" is not a domain"),
            ("dns check example.com --address relay", "--address must be an IPv4 or IPv6 address, not \"relay\""),
            ("dns print example.com --format xml", "'plain' and 'bind'"),
            ("dns print example.com --format bind --json", "--json and --format exclude each other"),
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
        let rotate = try #require(
            try parse("keys rotate example.com --algorithm rsa-3072 --now --compromised --selector s2") as? KeysRotate)
        #expect(
            rotate.request
                == KeyRequest(
                    .rotate, domain: "example.com", selector: "s2", algorithm: "rsa-3072", skipsWait: true,
                    isCompromised: true))
        #expect(!rotate.wait)
        let send = try #require(try parse("send --from a@b.example --to c@d.example --to e@f.example") as? Send)
        #expect(send.to == ["c@d.example", "e@f.example"])
        #expect(send.subject == "A test from Waxwing")
        let list = try #require(try parse("queue list") as? QueueList)
        #expect(list.limit == 100)
        #expect(!list.json)
    }

    @Test(
        "Wrong usage ends commands for monitoring with 2 and all others with 64; nothing else is changed",
        arguments: [
            (64, "keys list x..y", 2), (64, "dns check", 2), (64, "status --josn", 64), (64, "queue keys", 64),
            (64, "", 64), (1, "keys check", 1), (78, "keys list", 78), (0, "keys --help", 0),
        ] as [(Int32, String, Int32)])
    func monitoredStatus(status: Int32, line: String, wanted: Int32) {
        #expect(ExitStatus.of(status, of: line.split(separator: " ").map(String.init)) == wanted)
    }

    @Test("Each command on keys that prints data prints JSON, too")
    func json() {
        for leaf in Self.leaves() where leaf.path.first == "keys" && leaf.path.last != "export" {
            #expect(leaf.type.helpMessage().contains("--json"), "\(leaf.path)")
        }
    }

    @Test("Completion scripts are made for each shell, with algorithms, states and formats to choose from")
    func completionScripts() {
        for shell in CompletionShell.allCases {
            let script = Waxwing.completionScript(for: shell)
            for word in ["rsa-3072", "retiring", "bind"] { #expect(script.contains(word), "\(shell) \(word)") }
        }
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
