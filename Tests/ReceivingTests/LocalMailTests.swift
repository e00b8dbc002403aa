// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Testing

@testable import Receiving

@Suite("Local mail")
struct LocalMailTests {
    private let domain = Domain("example.com")

    private func mailbox(_ text: String) throws -> Mailbox { try #require(Mailbox(written: text)) }

    private func resolve(
        _ recipients: [String], _ mail: LocalMail, aliases: String = ""
    ) throws -> [String]? {
        let table = try AliasTable(Array(aliases.utf8))
        return try mail.recipients(try recipients.map(mailbox)) { table }?.map(\.mailbox.description)
    }

    @Test("without settings everybody stays who they are, and no alias is asked for")
    func nothing() throws {
        let recipients = try [mailbox("root@localhost"), mailbox("a@example.net")]
        #expect(
            try LocalMail().recipients(recipients) {
                Issue.record("asked"); return AliasTable()
            } == nil)
        let mail = LocalMail(domain: domain, hostname: "relay.example.com")
        #expect(
            try mail.recipients([mailbox("root@example.com")]) {
                Issue.record("asked"); return AliasTable()
            } == nil)
    }

    @Test("users get the domain, also at this relay's name")
    func completed() throws {
        let mail = LocalMail(domain: domain, hostname: "relay.example.com")
        #expect(
            try resolve(["root@localhost", "a@LOCALHOST.localdomain", "b@relay.example.com", "c@example.net"], mail)
                == ["root@example.com", "a@example.com", "b@example.com", "c@example.net"])
    }

    @Test("aliases lead users elsewhere, and each recipient gets the message once")
    func aliases() throws {
        let mail = LocalMail(domain: domain, hostname: "relay.example.com")
        let aliases = "root: ada@example.net, ops\nops: ada@example.net, \\root\nPostmaster: root\n"
        #expect(
            try resolve(["ada@example.net", "root@localhost", "postmaster@relay.example.com"], mail, aliases: aliases)
                == ["ada@example.net", "root@example.com"])
        #expect(try resolve(["root@example.com"], mail, aliases: aliases) == nil, "not a user of this machine")
    }

    @Test("a rule for recipients comes first, and may lead to a user")
    func rules() throws {
        let rules = RewriteRules([
            try RewriteRule(from: "root@localhost", to: "chief@example.org"),
            try RewriteRule(from: "*@old.example", to: "*@localhost"),
        ])
        #expect(
            try resolve(["root@localhost", "x@localhost"], LocalMail(rules: rules)) == [
                "chief@example.org", "x@localhost",
            ])
        let mail = LocalMail(domain: domain, rules: rules)
        #expect(
            try resolve(
                ["root@localhost", "bob@old.example"], mail, aliases: "bob: b@example.net\nroot: r@example.net\n")
                == ["chief@example.org", "b@example.net"])
    }

    // MARK: Fields

    private func admit(_ header: String, client: ClientDescription? = HeaderIntakeTests.client) throws -> AdmittedHeader
    {
        try HeaderIntake(hostname: "relay.example.com", hidesClientAddress: false, localDomain: domain).admit(
            Array(header.replacing("\n", with: "\r\n").utf8), envelope: HeaderIntakeTests.envelope, client: client,
            queueID: HeaderIntakeTests.queueID, arrival: HeaderIntakeTests.arrival, random: 7)
    }

    private func fields(_ header: String) throws -> String {
        let rest = "Date: x\nMessage-ID: <1@example.com>\n"
        let text = String(decoding: try admit(header + rest).bytes, as: UTF8.self).replacing("\r\n", with: "\n")
        return text.replacing(HeaderIntakeTests.trace, with: "").replacing(rest, with: "")
    }

    @Test("addresses without a domain get one in the fields that name people, and nothing else changes")
    func fieldsCompleted() throws {
        #expect(
            try fields("From: root (Cron Daemon)\nTo: root, Ada <ada@example.net>,\n bob\nSubject: root\n")
                == "From: root@example.com (Cron Daemon)\nTo: root@example.com, Ada <ada@example.net>,\n bob@example.com\nSubject: root\n"
        )
        #expect(
            try fields("From: a@example.com\nSender: Root <root@localhost>\nCc: team: x, y@example.net;\nReply-To: z\n")
                == "From: a@example.com\nSender: Root <root@example.com>\nCc: team: x@example.com, y@example.net;\nReply-To: z@example.com\n"
        )
        #expect(try admit("From: root\n").authorDomain == domain)
        #expect(try admit("From: root\n").repairs == [.rewrittenMailbox])
        #expect(try admit("From: a@example.com\nTo: b@example.net\n").repairs.isEmpty)
    }

    @Test("what can't be read stays, and so does what Waxwing made itself")
    func fieldsKept() throws {
        #expect(
            try fields("From: a@example.com\nTo: undisclosed-recipients:;\nCc: \"open\n")
                == "From: a@example.com\nTo: undisclosed-recipients:;\nCc: \"open\n")
        let own = try admit("From: a@example.com\nTo: root\nDate: x\nMessage-ID: <1@example.com>\n", client: nil)
        #expect(String(decoding: own.bytes, as: UTF8.self).contains("To: root\r\n"))
    }
}
