// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Foundation
import Mail
import Testing

@testable import Signing

@Suite("Publishing by hand, and behind aliases")
struct PublishByHandTests {
    static let text = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    static let revoked = "v=DKIM1; k=ed25519; p="

    static func change(
        _ purpose: RecordChange.Purpose, wanted: String?, replaceable: [String] = [], zone: String? = nil
    ) throws -> RecordChange {
        RecordChange(
            purpose, domain: domain, selector: try #require(Selector("s1")), wanted: wanted, replaceable: replaceable,
            ttl: 1800, zone: zone)
    }

    static func byHand(_ change: RecordChange) async throws -> String {
        guard case .byHand(let text) = await Publisher(nil, keyDirectory: "/nonexistent").carryOut(change) else {
            throw KeyError("not by hand")
        }
        return text
    }

    @Test("a new record: its fields and its entry of a zone file")
    func publishing() async throws {
        let text = try await Self.byHand(Self.change(.publish, wanted: Self.text, zone: "example.com"))
        #expect(text.hasPrefix("Create this TXT record:\n\nName:   s1._domainkey\n"))
        #expect(text.contains("Value:  \(Self.text)\n") && text.contains("TTL:    1800\n"))
        #expect(text.hasSuffix("In a zone file:\ns1._domainkey.example.com. 1800 IN TXT \"\(Self.text)\"\n"))
    }

    @Test("a revocation replaces the record and says why")
    func revoking() async throws {
        let text = try await Self.byHand(
            Self.change(.revoke, wanted: Self.revoked, replaceable: [Self.text, Self.revoked]))
        #expect(text.hasPrefix("The key is revoked"))
        #expect(text.contains("replace it") && text.contains("Now:    \(Self.text.prefix(60))...\n"))
        #expect(text.components(separatedBy: "Now:").count == 2)
        #expect(text.contains("Value:  \(Self.revoked)\n"))
    }

    @Test("a removal names the record and nothing else")
    func removing() async throws {
        let text = try await Self.byHand(Self.change(.remove, wanted: nil, replaceable: [Self.revoked]))
        #expect(text.hasPrefix("Delete this TXT record"))
        #expect(text.contains("s1._domainkey.example.com\n") && text.contains("Now:    \(Self.revoked)\n"))
        #expect(!text.contains("Value:") && !text.contains("zone file"))
    }

    static func delegated(zone: String = "keys.example.net") throws -> Publisher {
        func selectors(_ texts: String...) throws -> [Selector] { try texts.map { try #require(Selector($0)) } }
        let settings = PublisherSettings(
            name: "own", method: .command(HookSettings(command: ["/nonexistent"])),
            delegation: .init(
                zone: zone, rsaSelectors: try selectors("ww1", "ww2"), ed25519Selectors: try selectors("ww1e", "ww2e")))
        return Publisher(settings, keyDirectory: "/nonexistent")
    }

    @Test("behind aliases, records stand at names of the delegated zone and selectors are fixed")
    func delegation() throws {
        let publisher = try Self.delegated()
        var change = try Self.change(.publish, wanted: Self.text)
        #expect(publisher.recordName(of: change) == "s1._domainkey.example.com", "a key from before the delegation")
        change.selector = try #require(Selector("ww2"))
        #expect(publisher.recordName(of: change) == "ww2.example.com.keys.example.net")
        change.selector = try #require(Selector("s1"))
        #expect(Publisher(nil, keyDirectory: "").recordName(of: change) == "s1._domainkey.example.com")
        #expect(publisher.fixedSelectors(isEd25519: false)?.map(\.text) == ["ww1", "ww2"])
        #expect(publisher.fixedSelectors(isEd25519: true)?.map(\.text) == ["ww1e", "ww2e"])
        #expect(Publisher(nil, keyDirectory: "").fixedSelectors(isEd25519: true) == nil)
        #expect(Publisher(nil, keyDirectory: "").delegationRecords(for: domain).isEmpty)
        #expect(Publisher(nil, keyDirectory: "").delegationHint(for: domain) == nil)
    }

    @Test("the operator is told which aliases to make")
    func aliases() throws {
        let publisher = try Self.delegated()
        let names = publisher.delegationRecords(for: domain).map(\.name)
        #expect(names == ["ww1", "ww2", "ww1e", "ww2e"].map { "\($0)._domainkey.example.com" })
        let entries = publisher.delegationEntries(for: domain).split(separator: "\n")
        #expect(entries.count == 4)
        #expect(entries[0] == "ww1._domainkey.example.com. 3600 IN CNAME ww1.example.com.keys.example.net.")
        let hint = try #require(publisher.delegationHint(for: domain))
        #expect(hint.contains("Name:   ww1e._domainkey\n"))
        #expect(hint.contains("Type:   CNAME\nTarget: ww1e.example.com.keys.example.net\n"))
        #expect(hint.hasSuffix(publisher.delegationEntries(for: domain)))
    }

    @Test("a name too long for DNS is refused with the remedy")
    func longNames() async throws {
        let label = String(repeating: "z", count: 63)
        let publisher = try Self.delegated(zone: "\(label).\(label).\(label).\(label.prefix(50))")
        var change = try Self.change(.publish, wanted: Self.text)
        change.selector = try #require(Selector("ww1"))
        let result = await publisher.carryOut(change)
        guard case .failed(let text) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(text.contains("too long") && text.contains("shorter delegation zone"))
    }

    @Test("what strangers sent is printable and bounded in messages")
    func printable() {
        #expect(PrintableText.line("a\u{1b}[31m\u{e9}\tb\r\n\u{0}") == "a?[31m?? b  ?")
        #expect(PrintableText.line(String(repeating: "x", count: 1000), limit: 10) == "xxxxxxxxxx...")
        let numbers = (1...100).map { "\($0)" }
        let last = PrintableText.lines(numbers.joined(separator: "\n\n"))
        #expect(last == numbers.suffix(20).joined(separator: "\n"))
    }
}
