// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Receiving
import Testing

@Suite("Trace field")
struct HeaderIntakeTraceTests {
    private func trace(
        _ client: ClientDescription?, hostname: String = "relay.example.com", hidesClientAddress: Bool = false
    ) throws -> String {
        let intake = HeaderIntake(hostname: hostname, hidesClientAddress: hidesClientAddress)
        let admitted = try intake.admit(
            Array(HeaderIntakeTests.complete.replacing("\n", with: "\r\n").utf8),
            envelope: HeaderIntakeTests.envelope, client: client,
            queueID: HeaderIntakeTests.queueID, arrival: HeaderIntakeTests.arrival, random: 7)
        let text = String(decoding: admitted.bytes, as: UTF8.self).replacing("\r\n", with: "\n")
        #expect(text.hasSuffix("\n" + HeaderIntakeTests.complete))
        return String(text.dropLast(HeaderIntakeTests.complete.count))
    }

    private func lines(_ first: String, by second: String = "by relay.example.com with ESMTP") -> String {
        "Received: \(first)\n\t\(second) id \(HeaderIntakeTests.queueID);\n\tMon, 23 Nov 2026 09:05:00 +0000\n"
    }

    @Test("addresses are written as address literals")
    func addresses() throws {
        var client = ClientDescription(heloName: "[127.0.0.1]", address: "127.0.0.1", protocolName: "ESMTP")
        #expect(try trace(client) == lines("from [127.0.0.1] ([127.0.0.1])"))
        client.address = "2001:db8::1"
        #expect(try trace(client) == lines("from [127.0.0.1] ([IPv6:2001:db8::1])"))
        client.address = nil
        #expect(try trace(client) == lines("from [127.0.0.1]"))
    }

    @Test("the client's address is left out by the setting")
    func hidden() throws {
        let client = ClientDescription(heloName: "app", address: "192.0.2.7", protocolName: "SMTP")
        #expect(
            try trace(client, hidesClientAddress: true) == lines("from app", by: "by relay.example.com with SMTP"))
    }

    @Test("a message of Waxwing's own has no client")
    func own() throws {
        #expect(
            try trace(nil)
                == "Received: by relay.example.com id \(HeaderIntakeTests.queueID);\n\tMon, 23 Nov 2026 09:05:00 +0000\n"
        )
    }

    @Test("what a client calls itself can't become syntax of the field")
    func hostileName() throws {
        let client = ClientDescription(
            heloName: "a by evil; (x\r\nBcc: y <\u{fc}>", address: nil, protocolName: "ESMTP")
        #expect(try trace(client) == lines("from a?by?evil???x??Bcc:?y?????"))
        let silent = ClientDescription(heloName: "", address: nil, protocolName: "ESMTP")
        #expect(try trace(silent) == lines("from unknown"))
    }

    @Test("lines have at most 78 octets wherever a space allows it")
    func folding() throws {
        for length in [1, 20, 40, 50, 60, 61, 62, 63, 64, 65, 66, 67, 70, 80, 255, 1000] {
            let client = ClientDescription(
                heloName: String(repeating: "h", count: length), address: "2001:db8:1111:2222:3333:4444:5555:6666",
                protocolName: "ESMTP")
            let field = try trace(client, hostname: String(repeating: "r", count: min(length, 253)))
            for line in field.split(separator: "\n") where line.utf8.count > 78 {
                #expect(line.split(whereSeparator: { $0 == " " || $0 == "\t" }).count == 1, "\(line)")
            }
            #expect(field.split(separator: "\n").allSatisfy { $0.utf8.count <= 300 })
        }
    }
}
