// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import TestSupport
import Testing

@testable import Signing

@Suite("Formats of key records, read back")
struct RecordFormatTests {
    /// A record with a public key of `characters` in base64.
    static func key(_ kind: String, _ characters: Int, _ generator: inout SeededGenerator) -> String {
        let bytes = (0..<(characters / 4 * 3)).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return "v=DKIM1; k=\(kind); p=\(Data(bytes).base64EncodedString())"
    }

    /// Of the lengths that RSA keys of 1024, 2048 and 4096 bits and Ed25519 keys have, and revoked ones.
    static var keys: [TextRecord] {
        var generator = SeededGenerator(seed: 6376)
        let texts = [
            key("rsa", 216, &generator), key("rsa", 392, &generator), key("rsa", 736, &generator),
            key("ed25519", 44, &generator), "v=DKIM1; k=rsa; p=", "v=DKIM1; k=ed25519; p=",
        ]
        return texts.enumerated().map { index, text in
            TextRecord(name: "ww2026112\(index)a._domainkey.example.com", text: text, zone: "example.com")
        }
    }

    static func check(_ records: [TextRecord], as format: RecordFormat) throws {
        let document = format.text(of: records)
        let read = try RecordFormatReader.read(document, as: format)
        #expect(read.count == records.count)
        for record in records {
            let same = read.filter { $0.name == record.name }
            #expect(same.map(\.text) == [record.text], "\(format) of \(record.name)")
            #expect(same.map(\.ttl) == [record.ttl], "\(format) of \(record.name)")
        }
        guard !RecordFormatReader.unsplit.contains(format) else { return }
        #expect(read.allSatisfy { $0.strings.allSatisfy { $0.utf8.count <= 255 } }, "\(format)")
    }

    @Test("every key reads back from every format", arguments: RecordFormat.allCases)
    func keys(format: RecordFormat) throws {
        for record in Self.keys { try Self.check([record], as: format) }
        let real = try TestKeys.rsa.get().keyRecord.text
        try Self.check([TextRecord(name: "r._domainkey.example.com", text: real)], as: format)
    }

    @Test("all keys of several domains make one document", arguments: RecordFormat.allCases)
    func documents(format: RecordFormat) throws {
        var records = Self.keys
        records.insert(
            TextRecord(name: "a.b._domainkey.news.example.com", text: records[1].text, zone: "example.com"), at: 2)
        records.append(TextRecord(name: "s1._domainkey.example.net", text: records[0].text))
        records.append(TextRecord(name: "s1.example.org.keys.example.net", text: records[3].text, zone: "example.net"))
        try Self.check(records, as: format)
        #expect(RecordFormat.json.text(of: []) == "{\n  \"records\": []\n}\n")
    }

    /// Pieces that mean something to one format or another.
    static let pieces = [
        "\"", "\\", ";", "`", "$", "%", "${", "%{", "$${", "}", "'", "''", "[", "]", ":", ",", "#", " ", "  ", "(", ")",
        "\\\"", "\\;", "\" \"", "\\072", "//", "/*", "@", "=", "|", "&", "<", ">", "!", "{{", "~", "^", "abc", "0",
        "09",
    ]

    @Test("texts full of special characters read back from every format", arguments: RecordFormat.allCases)
    func hostileTexts(format: RecordFormat) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        for round in 0..<300 {
            var text = ""
            for _ in 0..<Int.random(in: 0...(round % 3 == 0 ? 400 : 12), using: &generator) {
                text += Self.pieces.randomElement(using: &generator) ?? ""
            }
            if round % 5 == 0 { text = "[" + text + "]" }
            // Blanks at an end are no part of a key record, and some tools cut them off.
            text = text.trimmingCharacters(in: .whitespaces)
            do {
                try Self.check([TextRecord(name: "s._domainkey.example.com", text: text)], as: format)
            } catch {
                Issue.record(
                    "seed \(seed), round \(round): \(error) in \(format.text(of: [TextRecord(name: "s", text: text)]))")
                return
            }
        }
    }

    @Test("what a zone file or Route 53 has codes for goes by its code")
    func codes() throws {
        let record = TextRecord(name: "s._domainkey.example.com", text: "n=\u{e9}\u{7f}; p=")
        #expect(try RecordFormatReader.zoneFile(RecordFormat.bind.text(of: [record]))[0].text == record.text)
        #expect(try RecordFormatReader.route53(RecordFormat.route53.text(of: [record]))[0].text == record.text)
        #expect(RecordFormat.bind.text(of: [record]).utf8.allSatisfy { $0 < 127 })
    }

    @Test("no character is cut in two", arguments: [253, 254, 255, 256])
    func characters(length: Int) {
        let text = String(repeating: "a", count: length) + "\u{1f426}" + String(repeating: "b", count: 300)
        let strings = TextRecord.strings(text)
        #expect(strings.joined() == text && strings.allSatisfy { $0.utf8.count <= 255 })
    }

    @Test("nsupdate is told the zone as far as it is known")
    func updateScript() throws {
        let known = TextRecord(name: "s._domainkey.example.com", text: "v=DKIM1; p=", zone: "example.com")
        #expect(
            RecordFormat.nsupdate.text(of: [known]) == """
                zone example.com.
                update delete s._domainkey.example.com. TXT
                update add s._domainkey.example.com. 3600 IN TXT "v=DKIM1; p="
                send

                """)
        let unknown = TextRecord(name: "s._domainkey.example.com", text: "v=DKIM1; p=")
        let script = RecordFormat.nsupdate.text(of: [unknown])
        #expect(!script.contains("zone ") && script.hasSuffix("send\n"))
    }

    @Test("Cloudflare gets a lifetime that it takes", arguments: [(1, 60), (60, 60), (3600, 3600), (604_800, 86_400)])
    func lifetimes(wanted: Int64, written: Int64) throws {
        let record = TextRecord(name: "s._domainkey.example.com", text: "v=DKIM1; p=", ttl: wanted)
        #expect(try RecordFormatReader.cloudflare(RecordFormat.cloudflare.text(of: [record]))[0].ttl == written)
    }
}
