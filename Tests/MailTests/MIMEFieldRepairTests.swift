// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import TestSupport
import Testing

@Suite("Header fields of parts")
struct MIMEFieldRepairTests {
    @Test(
        "octets above 127 in a field",
        arguments: [
            ("Subject: gr\u{fc}n\r\n", "Subject: =?utf-8?B?Z3LDvG4=?=\r\n"),
            ("Subject:\u{fc}\r\n", "Subject: =?utf-8?B?w7w=?=\r\n"),
            ("Subject: a \u{fc} b \u{e4} c\r\n", "Subject: a =?utf-8?B?w7wgYiDDpA==?=\r\n c\r\n"),
            ("Subject: \u{fc}  \r\n", "Subject: =?utf-8?B?w7w=?=\r\n"),
            ("Subject: \u{fc}\r\n b\r\n", "Subject: =?utf-8?B?w7w=?=\r\n b\r\n"),
            ("Subject: =?utf-8?q?=C3=BC?= \u{fc}\r\n", nil),
            ("To: \u{fc} <a@b>\r\n", nil),
            ("List-Id: \u{fc} <a.b>\r\n", nil),
            ("\u{fc}: x\r\n", nil),
            (
                "Content-Type: text/plain; NAME=\"a \\\"\u{20ac}\\\" b\"; charset=utf-8\r\n",
                "Content-Type: text/plain; name*=utf-8''a%20%22%E2%82%AC%22%20b;\r\n charset=utf-8\r\n"
            ),
            (
                "Content-Disposition: attachment (\u{fc});\r\n\tfilename=\"\u{fc}.pdf\" (\u{fc})\r\n",
                "Content-Disposition: attachment; filename*=utf-8''%C3%BC.pdf\r\n"
            ),
            ("Content-Disposition: attachment; filename=\"\u{fc}\" x\r\n", nil),
            ("Content-Disposition: attachment; filename=\"\u{fc}\r\n", nil),
            ("Content-Disposition: attachment; filename*=\u{fc}\r\n", nil),
            ("Content-Disposition: attachment; \u{fc}=x\r\n", nil),
            ("Content-Disposition: attachment; filename=\u{fc}; filename*0=a\r\n", nil),
            ("Content-Disposition: \u{fc}; filename=a\r\n", nil),
        ])
    func sevenBit(field: String, repaired: String?) {
        let output = MIMEFieldRepair.sevenBit(Array(field.utf8))
        #expect(output.map { String(decoding: $0, as: UTF8.self) } == repaired)
    }

    @Test("octets that are not UTF-8 have no clear charset", arguments: ["Subject: ", "Content-Type: a/b; name="])
    func latin1(start: String) {
        #expect(MIMEFieldRepair.sevenBit(Array(start.utf8) + [0xFC, 13, 10]) == nil)
    }

    @Test("long names become pieces, in order, on short lines")
    func pieces() throws {
        let name = String(repeating: "\u{65e5}\u{672c}.", count: 60)
        let field = try #require(MIMEFieldRepair.sevenBit(Array("Content-Type: a/b; name=\"\(name)\"\r\n".utf8)))
        var text = ""
        let lines = String(decoding: field, as: UTF8.self).replacing("\r\n ", with: "\n").replacing("\r\n", with: "")
            .split(separator: "\n")
        for (index, line) in lines.dropFirst().enumerated() {
            #expect(line.utf8.count < 78)
            let start = "name*\(index)*=" + (index == 0 ? "utf-8''" : "")
            #expect(line.hasPrefix(start))
            text += line.dropFirst(start.count).filter { $0 != ";" }
        }
        let expected = name.utf8.map { $0 > 127 ? "%" + String($0, radix: 16, uppercase: true) : "." }.joined()
        #expect(text == expected)
    }

    @Test("long text becomes encoded words of whole characters")
    func encodedWords() throws {
        let text = String(repeating: "\u{65e5}\u{672c}\u{8a9e} ", count: 40) + "\u{fc}"
        let field = try #require(MIMEFieldRepair.sevenBit(Array("Subject: \(text)\r\n".utf8)))
        var decoded: [UInt8] = []
        for word in String(decoding: field, as: UTF8.self).dropFirst(9).split(separator: "\r\n ") {
            let word = word.trimming("\r\n")
            #expect(word.utf8.count <= 75)
            let octets = try #require(MIMEDecoder.base64(Array(word.dropFirst(10).dropLast(2).utf8)))
            #expect(String(validating: octets, as: UTF8.self) != nil)
            decoded += octets
        }
        #expect(String(decoding: decoded, as: UTF8.self) == text)
    }

    @Test("a long line is folded at its white space")
    func folds() throws {
        let words = (0..<500).map { "word\($0)" }.joined(separator: " ")
        let field = try #require(MIMEFieldRepair.shortLines(Array("X: \(words)\r\n".utf8)))
        let text = String(decoding: field, as: UTF8.self)
        #expect(text.replacing("\r\n ", with: " ") == "X: \(words)\r\n")
        let lines = text.split(separator: "\r\n")
        #expect(lines.count == 4)
        #expect(lines.allSatisfy { $0.utf8.count <= 998 })
    }

    @Test("no fold parts a backslash from the white space that it quotes")
    func quotedWhiteSpace() throws {
        let long = String(repeating: "x", count: 900)
        let field = "X: a \(long)\\ " + String(repeating: "y", count: 500) + "\r\n"
        let folded = try #require(MIMEFieldRepair.shortLines(Array("X: \(long) \"b\\ \(long)\"\r\n".utf8)))
        #expect(String(decoding: folded, as: UTF8.self) == "X: \(long)\r\n \"b\\ \(long)\"\r\n")
        #expect(MIMEFieldRepair.shortLines(Array(field.utf8)) == nil)
    }

    @Test("white space that can't be folded at does not help", arguments: ["X: ", "X:\t  "])
    func noFold(start: String) {
        let field = start + String(repeating: "x", count: 1000) + "  \r\n"
        #expect(MIMEFieldRepair.shortLines(Array(field.utf8)) == nil)
    }
}

extension Substring {
    fileprivate func trimming(_ characters: String) -> Substring {
        var text = self
        while let last = text.last, characters.contains(last) { text.removeLast() }
        return text
    }

    @Test("fields of thousands of parameters or addresses take no time that grows with their square")
    func manyOfAll() throws {
        let parameters = (0..<6000).map { "; p\($0)=\u{fc}" }.joined()
        let boundaries = (0..<6000).map { "; boundary*\($0)=x" }.joined()
        let addresses = (0..<6000).map { "a@\u{fc}\($0).example" }.joined(separator: ",\r\n ")
        let took = try ContinuousClock().measure {
            #expect(MIMEFieldRepair.sevenBit(Array("Content-Type: a/b\(parameters)\r\n".utf8)) != nil)
            _ = try FieldEncoder.encode(Array("Content-Type: a/b\(parameters)\r\n".utf8))
            _ = try FieldEncoder.encode(Array("To: \(addresses)\r\n".utf8))
            let header = Array("Content-Type: multipart/mixed\(boundaries)\r\n".utf8)
            _ = try Rendition.plan(headerSection: header, goal: .shortLines, body: { _ in })
        }
        #expect(took < .seconds(20), "\(took)")
    }
}
