// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import TestSupport
import Testing

@Suite("Messages that have no rendition")
struct MIMERefusalTests {
    static let long = String(repeating: "x", count: 999)
    static let mixed = "Content-Type: multipart/mixed; boundary=b\n\n--b\n"

    static let rows: [(String, RenditionGoal, String, String)] = [
        (
            "Content-Type: multipart/signed; boundary=b\n\n--b\n\n\u{fc}\n--b--\n", .sevenBit, "5.6.2",
            "its body (multipart/signed) has octets above 127"
        ),
        (
            "Content-Type: multipart/signed; boundary=b\n\n--b\n\n\(long)\n--b--\n", .shortLines, "5.6.2",
            "its body (multipart/signed) has a line of more than 998 octets"
        ),
        (
            "\(mixed)\na\n--b\nContent-Type: multipart/encrypted; boundary=e\n\n--e\n\u{fc}\n--e--\n--b--\n", .sevenBit,
            "5.6.2", "its part 2 (multipart/encrypted) has octets above 127"
        ),
        (
            "Content-Type: application/x-pkcs7-mime\n\n\u{fc}\n", .sevenBit, "5.6.2",
            "its body (application/x-pkcs7-mime) has octets above 127"
        ),
        (
            "\(mixed)Content-Type: message/delivery-status\n\nStatus: \u{fc}\n--b--\n", .sevenBit, "5.6.2",
            "its part 1 (message/delivery-status) has octets above 127, and its type admits no transfer encoding"
        ),
        ("Content-Type: multipart/mixed\n\n\u{fc}\n", .sevenBit, "5.6.3", "boundary parameter is missing"),
        ("Content-Type: multipart/mixed; boundary=\"\"\n\n\u{fc}\n", .sevenBit, "5.6.3", "boundary parameter is empty"),
        (
            "Content-Type: multipart/mixed; boundary=\"x\n\n\u{fc}\n", .sevenBit, "5.6.3",
            "boundary parameter is missing or not clear"
        ),
        (
            "Content-Type: multipart/mixed; boundary=x; boundary=y\n\n--x\n\n\u{fc}\n", .sevenBit, "5.6.3",
            "boundary parameter is missing or not clear"
        ),
        (
            "Content-Type: multipart/mixed; boundary=x; boundary*=us-ascii''y\n\n--x\n\n\u{fc}\n", .sevenBit, "5.6.3",
            "boundary parameter is missing or not clear"
        ),
        (
            "Content-Type: multipart/mixed; boundary*0=y; boundary=x\n\n--x\n\n\u{fc}\n", .sevenBit, "5.6.3",
            "boundary parameter is missing or not clear"
        ),
        (
            "Content-Type: multipart/mixed; boundary*0=x\((1..<101).map { ";\n boundary*\($0)=" }.joined())\n\n--x\n\n"
                + "\u{fc}\n", .sevenBit, "5.6.3", "boundary parameter is missing or not clear"
        ),
        ("Content-Type: multipart/mixed; boundary=b\n\n\u{fc}\n", .sevenBit, "5.6.3", "boundary never appears"),
        (
            "Content-Transfer-Encoding: x-uuencode\n\n\u{fc}\n", .sevenBit, "5.6.3",
            "its transfer encoding \"x-uuencode\" is unknown"
        ),
        (
            "\(mixed)Content-Type: text/plain\nContent-Type: text/html\n\n\u{fc}\n--b--\n", .sevenBit, "5.6.3",
            "its part 1 (text/plain) has octets above 127, and it has two Content-Type fields that differ"
        ),
        (
            "\(mixed)Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 8bit\n\n\u{fc}\n--b--\n", .sevenBit,
            "5.6.3", "two Content-Transfer-Encoding fields that differ"
        ),
        ("\(mixed)Content-Type: text/plain\njunk\n\n\u{fc}\n--b--\n", .sevenBit, "5.6.3", "no header field"),
        ("\(mixed)X: \u{fc}\njunk\n\ntext\n--b--\n", .sevenBit, "5.6.3", "no header field"),
        ("\(mixed) \n\u{fc}\n--b--\n", .sevenBit, "5.6.3", "no header field"),
        ("\(mixed)Content-Type : text/html\n\n\u{fc}\n--b--\n", .sevenBit, "5.6.3", "no header field"),
        (
            "Content-Type: multipart/digest; boundary=b\n\n--b\nbare \u{fc}\n--b--\n", .sevenBit, "5.6.3",
            "no empty line tells its header from the message inside"
        ),
        ("From: \u{fc} <a@b>\n\ntext\n", .sevenBit, "5.6.9", "field From of its header section has octets above 127"),
        (
            "\(mixed)Content-ID: <\u{fc}@b>\n\ntext\n--b--\n", .sevenBit, "5.6.9",
            "field Content-ID of its part 1 has octets above 127"
        ),
        (
            "\(mixed)Content-Disposition: attachment; filename=\u{fc}; filename*=utf-8''%C3%BC\n\ntext\n--b--\n",
            .sevenBit, "5.6.9", "field Content-Disposition of its part 1 has octets above 127"
        ),
        (
            "\(mixed)X-Long: \(long)\n\ntext\n--b--\n", .shortLines, "5.6.0",
            "field X-Long of its part 1 has a line of more than 998 octets"
        ),
        (
            "\(mixed)X-Long: \(String(repeating: "x", count: 70_000))\n\ntext\n--b--\n", .shortLines, "5.6.3",
            "its header is larger than 64 KiB"
        ),
        (deep(101, "\u{fc}"), .sevenBit, "5.6.3", "nested deeper than 100 levels"),
    ]

    static func deep(_ depth: Int, _ text: String) -> String {
        (0..<depth).map { "Content-Type: multipart/mixed; boundary=b\($0)\n\n--b\($0)\n" }.joined() + "\n\(text)\n"
    }

    @Test("the error has a status, the place and the reason", arguments: rows)
    func refused(message: String, goal: RenditionGoal, status: String, text: String) throws {
        let sample = SampleMessage(message)
        for cuts in [[], Array(0..<min(sample.body.count, 3000)), [sample.body.count / 2]] {
            let error = #expect(throws: RenditionError.self) { try sample.rendition(goal, planCuts: cuts) }
            let found = try #require(error)
            #expect(found.status.description == status)
            #expect(found.text.contains(text), "\(found.text)")
            #expect(found.text.utf8.allSatisfy { (32...126).contains($0) })
        }
    }

    @Test("octets that may travel are never refused, however odd the message", arguments: rows)
    func oddButFit(message: String, goal: RenditionGoal, status: String, text: String) throws {
        let fit = message.replacing("\u{fc}", with: "u").replacing(MIMERefusalTests.long, with: "short")
        let sample = SampleMessage(fit)
        guard !message.contains(String(repeating: "x", count: 70_000)) else { return }
        #expect(try sample.rendition(goal) == sample)
    }

    @Test("a hundred levels are looked into")
    func hundredLevels() throws {
        let rendition = try SampleMessage(MIMERefusalTests.deep(100, "gr\u{fc}n")).rendition(.sevenBit)
        #expect(rendition.description.hasSuffix("--b99\nContent-Transfer-Encoding: quoted-printable\n\ngr=C3=BCn\n"))
    }

    @Test("a reader's error passes through")
    func readerFails() {
        struct Unreadable: Error {}
        #expect(throws: Unreadable.self) {
            try Rendition.plan(headerSection: [], goal: .sevenBit, body: { _ in throw Unreadable() })
        }
    }

    @Test("more changes than Waxwing keeps in memory are refused")
    func tooManyParts() throws {
        let parts = String(repeating: "--b\n\n\u{fc}\n", count: 10_001)
        let sample = SampleMessage("Content-Type: multipart/mixed; boundary=b\n\n\(parts)--b--\n")
        let error = #expect(throws: RenditionError.self) { try sample.rendition(.sevenBit) }
        #expect(error?.text.contains("more than 10000 of its parts") == true)
    }
}
