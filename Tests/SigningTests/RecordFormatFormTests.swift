// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import Signing

@Suite("Hints for people who type records into forms")
struct RecordFormatFormTests {
    static let text = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

    @Test(
        "the host field is the name without the zone",
        arguments: [
            ("s._domainkey.example.com", "example.com", "s._domainkey"),
            ("s._domainkey.news.example.com", "example.com", "s._domainkey.news"),
            ("s._domainkey.news.example.com", "news.example.com", "s._domainkey"),
            ("s1.example.com.keys.example.net", "keys.example.net", "s1.example.com"),
            ("s._domainkey.example.co.uk", "example.co.uk", "s._domainkey"),
        ])
    func hosts(name: String, zone: String, host: String) {
        let record = TextRecord(name: name, text: Self.text, zone: zone)
        let hint = record.webFormHint
        #expect(hint.hasPrefix("Name:   \(host)\n"))
        #expect(hint.contains("for the zone \(zone),") && hint.contains("        \(name)\n"))
        #expect(!hint.contains("If the zone"))
    }

    @Test("an unknown zone is taken to be the domain, and the hint says what if not")
    func unknownZone() {
        let hint = TextRecord(name: "s._domainkey.news.example.com", text: Self.text).webFormHint
        #expect(hint.hasPrefix("Name:   s._domainkey\n"))
        #expect(
            hint.contains(
                "If the zone is not news.example.com but example.com, the first of them is s._domainkey.news)"))
        // Above example.com is nobody's own zone.
        #expect(!TextRecord(name: "s._domainkey.example.com", text: Self.text).webFormHint.contains("If the zone"))
        // A zone that does not hold the name is as good as none.
        let stray = TextRecord(name: "s._domainkey.example.com", text: Self.text, zone: "example.net")
        #expect(stray.webFormHint.hasPrefix("Name:   s._domainkey\n") && stray.apex == "example.com")
        #expect(TextRecord(name: "s._domainkey.example.com", text: "", zone: "ample.com").apex == "example.com")
        #expect(TextRecord(name: "s._domainkey.example.com", text: "", zone: "Example.COM.").isZoneKnown)
    }

    @Test("the value is one line, with a warning of quotes and a look at a server of the zone")
    func values() {
        let short = TextRecord(name: "s._domainkey.example.com", text: Self.text, zone: "example.com").webFormHint
        #expect(short.contains("\nType:   TXT\nTTL:    3600\nValue:  \(Self.text)\n\n"))
        #expect(short.contains("no quotation marks or parentheses"))
        #expect(short.contains("dig +short TXT s._domainkey.example.com @SERVER"))
        #expect(!short.contains("more than 255 characters"))
        let long = "v=DKIM1; k=rsa; p=" + String(repeating: "A", count: 392)
        let hint = TextRecord(name: "s._domainkey.example.com", text: long, zone: "example.com").webFormHint
        #expect(hint.contains("Value:  \(long)\n"))
        #expect(hint.contains("more than 255 characters"))
        #expect(hint.contains("\"\(long.prefix(255))\" \"\(long.dropFirst(255))\"\n"))
    }
}
