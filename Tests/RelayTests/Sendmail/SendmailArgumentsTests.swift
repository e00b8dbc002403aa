// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import Relay

@Suite("The command line of sendmail") struct SendmailArgumentsTests {
    /// A call as a program makes it, and what it asks for.
    struct Call: Sendable, CustomTestStringConvertible {
        var program: String
        var words: String
        var expected: SendmailRequest

        init(_ program: String, _ words: String, _ change: (inout SendmailRequest) -> Void) {
            self.program = program
            self.words = words
            expected = SendmailRequest()
            change(&expected)
        }

        var testDescription: String { "\(program): \(words)" }
    }

    static let calls = [
        Call("PHP", "-t -i") {
            $0.readsRecipients = true; $0.endsAtDot = false
        },
        Call("PHP with a sender", "-t -i -fapp@example.com") {
            $0.readsRecipients = true
            $0.endsAtDot = false
            $0.sender = "app@example.com"
        },
        Call("cron", "-FCronDaemon -i -B8BITMIME -oem root") {
            $0.fullName = "CronDaemon"
            $0.endsAtDot = false
            $0.recipients = ["root"]
        },
        Call("cron of others", "-i -FCronDaemon -oem -or0s root") {
            $0.fullName = "CronDaemon"
            $0.endsAtDot = false
            $0.recipients = ["root"]
        },
        Call("git send-email", "-f ada@example.com -i x@example.net y@example.net") {
            $0.sender = "ada@example.com"
            $0.endsAtDot = false
            $0.recipients = ["x@example.net", "y@example.net"]
        },
        Call("mutt", "-oem -oi -f ada@example.com -- x@example.net") {
            $0.sender = "ada@example.com"
            $0.endsAtDot = false
            $0.recipients = ["x@example.net"]
        },
        Call("mutt with DSN", "-oem -oi -N failure,delay -R hdrs -f ada@example.com -- x@example.net") {
            $0.sender = "ada@example.com"
            $0.endsAtDot = false
            $0.recipients = ["x@example.net"]
        },
        Call("s-nail", "-i -r ada@example.com -- x@example.net") {
            $0.endsAtDot = false
            $0.sender = "ada@example.com"
            $0.recipients = ["x@example.net"]
        },
        Call("bsd-mailx", "-i -t") {
            $0.endsAtDot = false; $0.readsRecipients = true
        },
        Call("Python's documentation", "-t -oi") {
            $0.readsRecipients = true; $0.endsAtDot = false
        },
        Call("Perl's MIME::Lite", "-t -oi -oem") {
            $0.readsRecipients = true; $0.endsAtDot = false
        },
        Call("flags that share a dash", "-tivf ada@example.com") {
            $0.readsRecipients = true
            $0.endsAtDot = false
            $0.isVerbose = true
            $0.sender = "ada@example.com"
        },
        Call("logwatch", "-t") { $0.readsRecipients = true },
        Call("smartd", "-bm -O DeliveryMode=b -oIgnoreDots -L tag -Am -G root") { $0.recipients = ["root"] },
        Call("an envelope ID and a trace file", "-V id123 -X /tmp/log -Cfile x@example.net") {
            $0.configuration = "file"
            $0.recipients = ["x@example.net"]
        },
        Call("a configuration", "--config=a.toml --config b.toml -t") {
            $0.configuration = "b.toml"
            $0.readsRecipients = true
        },
        Call("a queue run", "-q30m") { $0.mode = .nothing },
        Call("a queue run with a debug level", "-d0.1 -q") { $0.mode = .nothing },
        Call("SMTP", "-bs") { $0.mode = .dialogue },
        Call("SMTP with a separate value", "-b s -i") {
            $0.mode = .dialogue; $0.endsAtDot = false
        },
        Call("a list", "-bp") { $0.mode = .list },
        Call("aliases", "-bi") { $0.mode = .nothing },
        Call("help", "--help") { $0.mode = .help },
        Call("dots", "-O IgnoreDots=True x@example.net") {
            $0.endsAtDot = false; $0.recipients = ["x@example.net"]
        },
    ]

    @Test("is understood as programs write it", arguments: calls)
    func call(_ call: Call) throws {
        let words = call.words.split(separator: " ").map(String.init)
        #expect(try SendmailArguments.parse(name: "sendmail", words) == call.expected)
    }

    @Test("has modes by the name of the program")
    func names() throws {
        #expect(try SendmailArguments.parse(name: "mailq", []).mode == .list)
        #expect(try SendmailArguments.parse(name: "newaliases", ["-v"]).mode == .nothing)
    }

    @Test("can name the null reverse-path")
    func nullSender() throws {
        #expect(try SendmailArguments.parse(name: "sendmail", ["-f", "", "x@example.net"]).sender == "")
        #expect(try SendmailArguments.parse(name: "sendmail", ["-f<>", "x@example.net"]).sender == "<>")
    }

    @Test(
        "is refused with EX_USAGE where nobody could say what is meant",
        arguments: [
            ["-f"], ["-bd", "-q30m"], ["-bv", "root"], ["-Z"], ["--nothing"], ["--config"], ["x@y", "-v"],
            ["-t", "-bt"],
        ])
    func wrong(words: [String]) {
        let error = #expect(throws: SendmailError.self) { try SendmailArguments.parse(name: "sendmail", words) }
        #expect(error?.status == .usage)
    }

    @Test("takes what stands behind -- for recipients only if it is no option")
    func injection() throws {
        #expect(throws: SendmailError.self) {
            try SendmailArguments.parse(name: "sendmail", ["-i", "--", "-X/tmp/x", "a@example.net"])
        }
        #expect(try SendmailArguments.parse(name: "sendmail", ["--", "a@example.net"]).recipients == ["a@example.net"])
    }
}
