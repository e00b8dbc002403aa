// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Testing

@testable import Relay

@Suite("A message that sendmail gets") struct SendmailMessageTests {
    private func message(_ lines: String, _ words: String) throws -> SendmailMessage {
        let user = SendmailMessage.User(name: "ada", host: try #require(Domain("host.example")))
        let request = try SendmailArguments.parse(name: "sendmail", words.split(separator: " ").map(String.init))
        return try SendmailMessage(request, input: Array(lines.replacing("\n", with: "\r\n").utf8), user: user)
    }

    private func content(_ message: SendmailMessage) -> String {
        String(decoding: message.content, as: UTF8.self).replacing("\r\n", with: "\n")
    }

    private func recipients(_ lines: String, _ words: String = "-t") throws -> [String] {
        try message(lines + "\n\nx\n", words).recipients.map(\.description)
    }

    @Test("goes to To, Cc and Bcc, each mailbox once, and to those that are named")
    func headerRecipients() throws {
        let lines = """
            From: a@b.example
            To: "B, C" <b@c.example>, Team: d@e.example, f@g.example;
            Cc: b@c.example (again),
             h@i.example
            Bcc: hidden@j.example
            """
        let expected = ["b@c.example", "d@e.example", "f@g.example", "h@i.example", "hidden@j.example"]
        #expect(try recipients(lines) == expected)
        #expect(try recipients(lines, "-t named@k.example") == ["named@k.example"] + expected)
        #expect(try recipients(lines, "only@k.example") == ["only@k.example"])
    }

    @Test("that was resent goes to those of the newest resending")
    func resent() throws {
        let lines = """
            Resent-From: a@b.example
            Resent-To: new@c.example
            Resent-Bcc: secret@c.example
            Resent-From: a@b.example
            Resent-To: old@c.example
            From: d@e.example
            To: first@f.example
            """
        #expect(try recipients(lines) == ["new@c.example", "secret@c.example"])
    }

    @Test("without recipients is refused, with groups of nobody too")
    func nobody() {
        for (lines, words) in [("To: undisclosed-recipients:;", "-t"), ("Subject: x", "-t"), ("To: a@b.example", "-i")]
        {
            let error = #expect(throws: SendmailError.self) { try recipients(lines, words) }
            #expect(error?.status == .usage)
        }
    }

    @Test("with addresses that are none is refused, and the field is named")
    func malformed() {
        let error = #expect(throws: SendmailError.self) { try recipients("Cc: a b c@@d", "-t") }
        #expect(error?.status == .dataError)
        #expect(error?.description.contains("the field Cc") == true)
        #expect(throws: SendmailError.self) { try recipients("To: x@y.example", "-f a@b,c@d x@y.example") }
    }

    @Test("has addresses of this host where they have no domain")
    func unqualified() throws {
        let message = try message("From: x@y.example\n\n", "-f ada root postmaster,bob@c.example")
        #expect(message.reversePath.description == "ada@host.example")
        #expect(
            message.recipients.map(\.description) == ["root@host.example", "postmaster@host.example", "bob@c.example"])
    }

    @Test("gets a From field if it has none")
    func author() throws {
        #expect(content(try message("Subject: x\n\ny\n", "r@s.example")) == "From: ada@host.example\nSubject: x\n\ny\n")
        let named = try message("Subject: x\n\ny\n", "-FCronDaemon -f c@d.example r@s.example")
        #expect(content(named).hasPrefix("From: \"CronDaemon\" <c@d.example>\n"))
        let bounce = try message("Subject: x\n\ny\n", "-f <> r@s.example")
        #expect(bounce.reversePath == .null)
        #expect(content(bounce).hasPrefix("From: ada@host.example\n"))
        let present = try message("FROM: root (Cron Daemon)\n\ny\n", "-FCronDaemon r@s.example")
        #expect(content(present) == "FROM: root (Cron Daemon)\n\ny\n")
    }

    @Test("can't get more fields through a display name")
    func displayName() throws {
        let user = SendmailMessage.User(name: "ada", host: try #require(Domain("host.example")))
        let request = try SendmailArguments.parse(
            name: "sendmail", ["-F", "A \"B\" \\\r\nBcc: x@y.example", "r@s.example"])
        let message = try SendmailMessage(request, input: [13, 10], user: user)
        #expect(content(message) == "From: \"A \\\"B\\\" \\\\  Bcc: x@y.example\" <ada@host.example>\n\n")
    }

    @Test("may lack the empty line before its body, or the whole header section")
    func noSeparator() throws {
        let text = content(try message("From: a@b.example\nNot a field\nmore\n", "r@s.example"))
        #expect(text == "From: a@b.example\n\nNot a field\nmore\n")
        #expect(content(try message("Hello you\n", "r@s.example")) == "From: ada@host.example\n\nHello you\n")
        #expect(content(try message("", "r@s.example")) == "From: ada@host.example\n\n")
        let mailbox = try message("From ada Mon Nov 23\nFrom: a@b.example\n\nx\n", "r@s.example")
        #expect(content(mailbox) == "From: a@b.example\n\nx\n")
    }
}
