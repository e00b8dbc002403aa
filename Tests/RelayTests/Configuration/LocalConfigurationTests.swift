// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Logging
import Mail
import Testing

@testable import Forwarding
@testable import Receiving
@testable import Relay

@Suite("Configuration of local mail and of capture")
struct LocalConfigurationTests {
    private func withFile(_ text: String, _ body: (String) throws -> Void) throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("aliases-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try text.write(to: file, atomically: false, encoding: .utf8)
        try body(file.path)
    }

    private func read(_ text: String) throws(ConfigurationError) -> Configuration {
        try ConfigurationFile.read(text, file: "waxwing.toml", directory: "/tmp")
    }

    @Test("faults of the alias file are told with the line in both files")
    func aliasFaults() throws {
        try withFile("root: ada@example.com\nx: |cat\n\ny: :include:/z\n") { path in
            let error = #expect(throws: ConfigurationError.self) {
                try read("[local]\ndomain = \"example.com\"\naliases = \"\(path)\"")
            }
            let faults = try #require(error?.faults)
            #expect(faults.map(\.line) == [3, 3])
            #expect(faults[0].problem.contains("\(path):2: \"|cat\" is a command"))
            #expect(faults[1].problem.contains("\(path):4: \":include:/z\" includes"))
        }
    }

    @Test("aliases need a domain for what they leave")
    func aliasesWithoutDomain() throws {
        try withFile("root: ada@example.com\n") { path in
            let error = #expect(throws: ConfigurationError.self) { try read("[local]\naliases = \"\(path)\"") }
            #expect(error?.faults.first?.remedy.contains("domain = \"example.com\"") == true)
        }
    }

    @Test("the alias file is read again when it has changed, and a wrong one leaves the last good one in force")
    func rereading() throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try withFile("root: ada@example.com\n") { path in
            let file = AliasFile(path, interval: 0)
            func root() -> [String]? { file.table(logger).expansion(of: "root")?.mailboxes.map(\.description) }
            #expect(root() == ["ada@example.com"])
            try "root: grace.hopper@example.com\n".write(toFile: path, atomically: true, encoding: .utf8)
            #expect(root() == ["grace.hopper@example.com"])
            try "root\n".write(toFile: path, atomically: true, encoding: .utf8)
            #expect(root() == ["grace.hopper@example.com"])
            try FileManager.default.removeItem(atPath: path)
            #expect(root() == ["grace.hopper@example.com"])
            try "root: bob@example.com\n".write(toFile: path, atomically: true, encoding: .utf8)
            #expect(root() == ["bob@example.com"])
        }
    }

    @Test("capture gets into the routing table in the words of the file")
    func capture() throws {
        let text = "[capture]\nto = \"dev@example.com\"\nexcept = [\"@ours.test\", \"ada@example.org\"]"
        let capture = try #require(try read(text).routingTable.capture)
        #expect(capture.description == "all mail goes to dev@example.com, except for @ours.test, ada@example.org")
        #expect(capture.isFor(try #require(Mailbox(written: "x@customer.test"))))
        #expect(!capture.isFor(try #require(Mailbox(written: "x@ours.test"))))
        #expect(try read("").routingTable.capture == nil)
        #expect(try read("[capture]\ndirectory = \"d\"").routingTable.capture == Capture(.directory("/tmp/d")))
    }

    @Test("rules for recipients are no rules for authors")
    func rules() throws {
        let text =
            "[[rewrite]]\nrecipient = \"a@localhost\"\nto = \"r@example.com\"\n"
            + "[[rewrite]]\nfrom = \"*@localhost\"\nto = \"f@example.com\""
        let intake = try read(text).intakeConfiguration
        let mailbox = try #require(Mailbox(written: "a@localhost"))
        #expect(intake.rewriteRules.rewrite(mailbox)?.localPart == "f")
        #expect(try intake.localMail.recipients([mailbox]) { AliasTable() }?.map(\.mailbox.localPart) == ["r"])
    }
}
