// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import SMTP
import TestSupport
import Testing

@Suite struct CommandTests {
    private func command(_ line: String) -> Result<Command, CommandError> {
        command(Array(line.utf8))
    }

    private func command(_ line: [UInt8]) -> Result<Command, CommandError> {
        Result { () throws(CommandError) in try Command(line[...]) }
    }

    private func mailbox(_ localPart: String, _ domain: String) throws -> Mailbox {
        Mailbox(localPart: localPart, host: .domain(try #require(Domain(domain))))
    }

    @Test func verbsHaveNoCase() throws {
        #expect(command("dAtA") == .success(.data))
        #expect(command("rset  ") == .success(.reset))
        #expect(command("ehlo\tclient ") == .success(.extendedHello(name: "client")))
        #expect(command("DATAX") == .failure(.unknown))
        #expect(command("DAT") == .failure(.unknown))
    }

    @Test func pathsAreKeptAsTheyAreWritten() throws {
        let parameters = MailParameters()
        #expect(
            command("MAIL FROM:<\"Ada \\\" L\"@Example.COM>")
                == .success(.mail(.mailbox(try mailbox("\"Ada \\\" L\"", "example.com")), parameters)))
        #expect(
            command("RCPT TO:<@a.example,@b.example:Bob+tag@example.org>")
                == .success(.recipient(.mailbox(try mailbox("Bob+tag", "example.org")))))
        #expect(
            command("RCPT TO:<bob@[IPv6:2001:db8::1]>")
                == .success(
                    .recipient(.mailbox(Mailbox(localPart: "bob", host: .literal("[IPv6:2001:db8::1]"))))))
        #expect(command("RCPT TO:<pOSTmaster>") == .success(.recipient(.postmaster("pOSTmaster"))))
        #expect(command("MAIL FROM:<>") == .success(.mail(.null, parameters)))
    }

    @Test(
        "what is no path",
        arguments: [
            "", "<", ">", "<ada", "ada@example.com", "<ada@>", "<@example.com>", "<ada@example.com",
            "<ada@example..com>",
            "<ada@-@example.com>", "<.ada@example.com>", "<ada.@example.com>", "<a da@example.com>",
            "<\"ada@example.com>",
            "<\"ada\"b@example.com>", "<ada@[192.0.2.1>", "<ada@[]>", "<@a.example ada@example.com>",
            "<<ada@example.com>>",
            "<ada@example.com>x", "<@a.example:>", "<ada@exam_ple,com>", "  <ada@example.com>",
        ])
    func noPath(_ path: String) {
        for line in ["MAIL FROM:\(path)", "RCPT TO:\(path)"] {
            if case .success(let command) = command(line) { Issue.record("\(line) gave \(command)") }
        }
    }

    @Test func lengthsAreCountedInOctets() throws {
        let label = String(repeating: "d", count: 60)
        let long = "\(label).\(label).\(label)"
        #expect(try command("RCPT TO:<\(String(repeating: "x", count: 64))@example.org>").get() != .noop)
        #expect(
            command("RCPT TO:<\(String(repeating: "x", count: 65))@example.org>") == .failure(.forwardPath(.tooLong)))
        // 256 octets with the brackets, and one more.
        let fits =
            String(repeating: "x", count: 256 - 3 - long.utf8.count - 18)
            + "@\(long).\(String(repeating: "e", count: 17))"
        #expect("<\(fits)>".utf8.count == 256)
        #expect(try command("RCPT TO:<\(fits)>").get() != .noop)
        #expect(command("RCPT TO:<x\(fits)>") == .failure(.forwardPath(.tooLong)))
        #expect(command("EHLO " + String(repeating: "x", count: 256)) == .failure(.helloSyntax("EHLO hostname")))
    }

    @Test(
        "a size of up to 20 digits never overflows",
        arguments: [
            ("0", 0), ("1", 1), ("00000000000000000012", 12), ("9223372036854775807", .max),
            ("9223372036854775808", .max), ("18446744073709551616", .max), ("99999999999999999999", .max),
        ])
    func sizes(_ text: String, _ size: Int) {
        #expect(
            command("MAIL FROM:<> SIZE=\(text)")
                == .success(.mail(.null, MailParameters(size: size, isEightBit: false, isEmpty: false))))
    }

    @Test("no octets at all make the parser trap", arguments: [UInt64.random(in: 0...UInt64.max)])
    func randomOctets(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let starts = ["MAIL FROM:", "RCPT TO:", "EHLO", "MAIL FROM:<a@b> ", "", "VRFY", "RCPT TO:<@a:"]
        let alphabet = Array("<>@:,.\"\\[]= \tSIZEBODYab19\u{7f}\u{e9}\0".utf8)
        var commands = 0
        for _ in 0..<20_000 {
            let start = Array((starts.randomElement(using: &generator) ?? "").utf8)
            let length = Int.random(in: 0..<24, using: &generator)
            let rest = (0..<length).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            if case .success = command(start + rest) { commands += 1 }
        }
        #expect(commands > 0 && commands < 20_000, "seed \(seed)")
    }
}
