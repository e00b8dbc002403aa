// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Testing

@testable import Relay

@Suite("A file in the drop directory") struct DropFileTests {
    private func file(_ reversePath: ReversePath = .null) throws -> DropFile {
        let recipients = try AddressParser.mailboxes(in: Array("\"a b\"@c.example, d@[192.0.2.1]".utf8)[...])
        return DropFile(envelope: Envelope(reversePath: reversePath, recipients: recipients), contentOctets: 42)
    }

    @Test("reads as it was written, and not before it is whole")
    func roundTrip() throws {
        let sender = try AddressParser.mailboxes(in: Array("ada@example.com".utf8)[...])[0]
        for reversePath in [ReversePath.null, .mailbox(sender)] {
            let file = try file(reversePath)
            let bytes = file.head
            #expect(try DropFile.parse(bytes + [1, 2]) == DropFile.Parsed(file: file, octets: bytes.count))
            for count in bytes.indices { #expect(try DropFile.parse(Array(bytes[..<count])) == nil) }
        }
    }

    @Test("has the form that is documented")
    func form() throws {
        let text = String(decoding: try file().head, as: UTF8.self)
        #expect(
            text == """
                waxwing-drop 1
                mail-from <>
                rcpt-to <"a b"@c.example>
                rcpt-to <d@[192.0.2.1]>
                octets 42


                """)
    }

    @Test(
        "is refused in any other form",
        arguments: [
            "waxwing-drop 2\n", "From: a\n", "waxwing-drop 1\nrcpt-to <a@b>\n",
            "waxwing-drop 1\nmail-from <a@b>\nocts 1\n", "waxwing-drop 1\nmail-from <a@b>\noctets 1\n",
            "waxwing-drop 1\nmail-from a@b\n", "waxwing-drop 1\nmail-from <a@b>\nrcpt-to <>\n",
            "waxwing-drop 1\nmail-from <a@b>\nrcpt-to <c@d> NOTIFY=NEVER\n",
            "waxwing-drop 1\nmail-from <a@b>\nrcpt-to <c@d>\r\n",
            "waxwing-drop 1\nmail-from <a@b>\nrcpt-to <c@d>\noctets -1\n",
            "waxwing-drop 1\nmail-from <a@b>\nrcpt-to <c@d>\noctets 99999999999999999999\n",
            "waxwing-drop 1\nmail-from <a@b>\nrcpt-to <c@d>\noctets 1\nx\n",
            "waxwing-drop 1\nmail-from <postmaster>\n",
            String(repeating: "x", count: 5000),
        ])
    func malformed(text: String) {
        #expect(throws: DropFault.self) { try DropFile.parse(Array(text.utf8)) }
    }
}

@Suite("A dropped message that waits") struct DropRetriesTests {
    @Test("is looked at after a time that doubles, and forgotten when it is gone")
    func doubles() {
        var retries = DropRetries()
        #expect(retries.isDue("a", now: 100))
        #expect(retries.putOff("a", now: 100) == 2)
        #expect(!retries.isDue("a", now: 101) && retries.isDue("a", now: 102) && retries.isDue("b", now: 100))
        var longest: Int64 = 0
        for _ in 0..<20 { longest = retries.putOff("a", now: 200) }
        #expect(longest == 300)
        #expect(!retries.isDue("a", now: 499) && retries.isDue("a", now: 500))
        #expect(retries.isDue("a", now: 0), "a clock that was set back")
        retries.keep(["b"])
        #expect(retries.isDue("a", now: 201))
    }
}
