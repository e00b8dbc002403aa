// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import DNS
import Foundation
import Mail
import Signing
import Testing

@testable import Relay

/// What the tests of domain records have in common.
enum DomainFixture {
    static func configuration(_ change: (inout Configuration) -> Void = { _ in }) -> Configuration {
        var configuration = Configuration(directory: "/")
        configuration.general.hostname = "relay.example.com"
        change(&configuration)
        return configuration
    }

    static func smarthost(_ host: String) -> RouteSettings {
        var route = RouteSettings()
        route.smarthost = host
        return route
    }

    private static let rsa = Result { try SigningKey.generate(.rsa(bits: 2048)) }

    /// A key of the store, in a state of one's choosing.
    static func key(
        _ selector: String, of domain: String = "example.com", _ state: KeyState = .active, ed25519: Bool = true
    ) throws -> KeyDescription {
        let directory = FileManager.default.temporaryDirectory.appending(path: "waxwing-records-\(UUID())")
        defer { try? FileManager.default.removeItem(at: directory) }
        let store = KeyStore(directory: directory.path)
        var key = try store.add(
            ed25519 ? try SigningKey.generate(.ed25519) : try rsa.get(), to: try #require(Domain(domain)),
            selector: Selector(selector), evidence: "generated",
            KeyStore.Change(time: Timestamp(milliseconds: 1_000_000), user: "test"))
        key.state = state
        return key
    }

    static func records(
        _ configuration: Configuration = configuration(), keys: [KeyDescription] = [], sdid: String = "example.com",
        addresses: [String] = ["192.0.2.25"], domain: String = "example.com"
    ) throws -> DomainRecords {
        let keys = KnownKeys(sdid: try #require(Domain(sdid)), all: keys)
        return DomainRecords(
            try #require(Domain(domain)), configuration, keys, addresses: addresses.compactMap { IPAddress($0) })
    }
}

@Suite("The records that a domain needs") struct DomainRecordsTests {
    private static func spf(_ routes: [RouteSettings], addresses: [String] = ["192.0.2.25"]) throws -> WantedRecord? {
        try DomainFixture.records(DomainFixture.configuration { $0.routes = routes }, addresses: addresses).spf
    }

    @Test("Mail to MX hosts needs the name and the address of this host, both ways, and its place in SPF")
    func mx() throws {
        let key = try DomainFixture.key("s1")
        let records = try DomainFixture.records(keys: [key], addresses: ["192.0.2.25", "2001:db8::25"])
        let lines = records.wanted.map { "\($0.kind.rawValue) \($0.name) \($0.type) \($0.value)" }
        #expect(
            lines == [
                "host relay.example.com A 192.0.2.25", "host relay.example.com AAAA 2001:db8::25",
                "ptr 25.2.0.192.in-addr.arpa PTR relay.example.com",
                "ptr 5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR relay.example.com",
                "spf example.com TXT v=spf1 a:relay.example.com ~all", "spf relay.example.com TXT v=spf1 a -all",
                "dkim s1._domainkey.example.com TXT \(key.record)",
                "dmarc _dmarc.example.com TXT v=DMARC1; p=none; rua=mailto:dmarc-reports@example.com",
                "mta-sts _mta-sts.example.com TXT v=STSv1; id=1",
                "tlsrpt _smtp._tls.example.com TXT v=TLSRPTv1; rua=mailto:tls-reports@example.com",
            ])
        #expect(records.wanted.filter { !$0.isRequired }.map(\.kind) == [.spf, .mtaSTS, .tlsrpt])
        #expect(
            records.summary == "mail of example.com leaves to the recipients' MX hosts from 192.0.2.25 and "
                + "2001:db8::25 as relay.example.com")
    }

    @Test("What the records say is what the checks take for sound")
    func consistent() async throws {
        let records = try DomainFixture.records(addresses: ["192.0.2.25"])
        for record in records.wanted {
            switch record.kind {
            case .spf: _ = try SPFRecord(Array(record.value.utf8))
            case .dmarc:
                let dmarc = try #require(DMARCRecord(record.value))
                #expect(dmarc.faults.isEmpty && dmarc.notes.isEmpty)
            case .mtaSTS: #expect(ReceivingCheck.fault(policy: [Array(record.value.utf8)]) == nil)
            case .tlsrpt: #expect(ReceivingCheck.fault(reports: [Array(record.value.utf8)]) == nil)
            case .host, .ptr, .dkim, .mx: break
            }
        }
    }

    @Test(
        "A smarthost brings what its provider asks for",
        arguments: [
            ("email-smtp.eu-west-1.amazonaws.com:587", "include:amazonses.com", false),
            ("smtp.sendgrid.net:587", "include:sendgrid.net", false),
            ("smtp.mailgun.org", "include:mailgun.org", false),
            ("smtp.postmarkapp.com", "include:spf.mtasv.net", false), ("send.smtp.com", "include:_spf.smtp.com", true),
            ("smtp-relay.gmail.com", "include:_spf.google.com", true),
            ("smtp.office365.com:587", "include:spf.protection.outlook.com", true),
            ("mail.provider.example:25", "a:mail.provider.example", true),
            ("198.51.100.7:25", "ip4:198.51.100.7", true),
        ])
    func smarthosts(_ host: String, _ term: String, _ isRequired: Bool) throws {
        let spf = try #require(try Self.spf([DomainFixture.smarthost(host)]))
        #expect(spf.value == "v=spf1 \(term) ~all")
        #expect(spf.isRequired == isRequired)
        let records = try DomainFixture.records(
            DomainFixture.configuration { $0.routes = [DomainFixture.smarthost(host)] })
        #expect(
            records.wanted.allSatisfy { $0.kind != .host && $0.kind != .ptr }, "the smarthost is what receivers see")
    }

    @Test("Each way has its term once, and one that needs the domain's record makes it required")
    func ways() throws {
        var mx = RouteSettings()
        mx.mx = true
        let ses = DomainFixture.smarthost("email-smtp.eu-west-1.amazonaws.com:587")
        let other = DomainFixture.smarthost("email-smtp.us-east-1.amazonaws.com:587")
        let spf = try #require(try Self.spf([ses, mx, other, mx]))
        #expect(spf.value == "v=spf1 include:amazonses.com a:relay.example.com ~all")
        #expect(spf.isRequired)
    }

    @Test("Where nothing can be known there is no record, and mail that is captured needs none")
    func unknown() throws {
        #expect(try Self.spf([DomainFixture.smarthost("127.0.0.1:2525")]) == nil)
        #expect(try Self.spf([DomainFixture.smarthost("localhost:2525")]) == nil)
        #expect(try Self.spf([DomainFixture.smarthost("10.1.2.3")]) == nil)
        var capture = RouteSettings()
        capture.capture = "Captured"
        let records = try DomainFixture.records(DomainFixture.configuration { $0.routes = [capture] })
        #expect(records.ways.isEmpty && records.spf == nil)
        #expect(records.summary == "mail of example.com does not leave this host")
    }

    @Test("Without a name that others know, the addresses stand in")
    func nameless() throws {
        let configuration = DomainFixture.configuration { $0.general.hostname = "localhost" }
        let records = try DomainFixture.records(configuration, addresses: ["192.0.2.25", "2001:db8::25"])
        #expect(records.spf?.value == "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 ~all")
        #expect(records.wanted.allSatisfy { $0.kind != .host && $0.kind != .ptr })
    }

    @Test(
        "A host's name has a domain that is not only its own network's",
        arguments: [
            ("relay.example.com", true), ("localhost", false), ("relay", false), ("relay.local", false),
            ("relay.internal", false), ("host.localdomain", false), ("192.0.2.1", false), ("a_b.example.com", false),
        ])
    func hostNames(_ name: String, _ isHostName: Bool) {
        #expect(DomainRecords.isHostName(name) == isHostName)
    }

    @Test(
        "What becomes of a key's record depends on its state",
        arguments: [
            (KeyState.generated, false, false), (.published, true, false), (.active, true, false),
            (.retiring, true, false), (.revoked, false, true), (.compromised, true, true),
        ])
    func keys(_ state: KeyState, _ isRequired: Bool, _ isEmpty: Bool) throws {
        let key = try DomainFixture.key("s1", state)
        let record = try #require(try DomainFixture.records().record(of: key))
        #expect(record.isRequired == isRequired)
        #expect(record.value == (isEmpty ? "v=DKIM1; k=ed25519; p=" : key.record))
    }

    @Test("A key that is gone has no record, and the others live as long as the configuration says")
    func lifetimes() throws {
        let configuration = DomainFixture.configuration { $0.rotation.common.recordTTL = 300 }
        let removed = try DomainFixture.key("s1", .removed)
        let active = try DomainFixture.key("s2")
        let records = try DomainFixture.records(configuration, keys: [removed, active])
        #expect(records.record(of: removed) == nil)
        let lines = records.wanted.filter { $0.kind == .dkim }.map(\.zoneLine)
        #expect(lines == ["s2._domainkey.example.com. 300 IN TXT \"\(active.record)\""])
    }

    @Test("Of a domain whose names are delegated the operator makes the aliases, and no record of a key")
    func delegation() throws {
        let configuration = DomainFixture.configuration { configuration in
            var publisher = PublisherTable()
            publisher.name = "keys"
            publisher.kind = .cname
            publisher.zone = "keys.example.net"
            publisher.command = ["/bin/true"]
            configuration.publishers = [publisher]
            configuration.rotation.rotation.publisher = "keys"
        }
        let records = try DomainFixture.records(configuration, keys: [DomainFixture.key("ww1", .active)])
        let lines = records.wanted.filter { $0.kind == .dkim }.map(\.zoneLine)
        #expect(lines.count == 4)
        #expect(lines.first == "ww1._domainkey.example.com. 3600 IN CNAME ww1.example.com.keys.example.net.")
    }

    @Test("The keys of a domain above stand in where they sign for it")
    func keysAbove() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "waxwing-records-\(UUID())")
        defer { try? FileManager.default.removeItem(at: directory) }
        let store = KeyStore(directory: directory.path)
        let change = KeyStore.Change(time: Timestamp(milliseconds: 1_000_000), user: "test")
        let above = try #require(Domain("example.com"))
        let selector = try #require(Selector("s1"))
        _ = try store.add(
            try SigningKey.generate(.ed25519), to: above, selector: selector, evidence: "generated", change)
        _ = try store.activate(selector, of: above, evidence: "test", isUnproven: true, change)
        var policies = SigningPolicies()
        let below = try #require(Domain("news.example.com"))
        #expect(try KnownKeys(of: below, store, policies).all.isEmpty)
        policies.domains[above, default: SigningPolicy()].signsBelow = true
        let keys = try KnownKeys(of: below, store, policies)
        #expect(keys.sdid == above)
        #expect(keys.all.map(\.recordName) == ["s1._domainkey.example.com"])
        #expect(try KnownKeys(of: above, store, policies).all.count == 1)
        // The table of the author domain says which kinds sign, as it does for its mail.
        policies.domains[below, default: SigningPolicy()].algorithms = [.rsa]
        let limited = try KnownKeys(of: below, store, policies)
        #expect(limited.sdid == below && limited.all.isEmpty)
        policies.domains[above]?.algorithms = [.rsa]
        let own = try KnownKeys(of: above, store, policies)
        #expect(own.all.isEmpty && own.excluded.map(\.selector) == ["s1"])
    }

    @Test("Keys among the credentials count as those of the store, unless they sign nothing")
    func credentials() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "waxwing-records-\(UUID())")
        let store = KeyStore(directory: directory.path)
        let domain = try #require(Domain("example.com"))
        let json = """
            [{"domain": "example.com", "selector": "c1", "algorithm": "rsa-2048", "state": "active",
            "since": "1970-01-01T00:00:00Z", "recordName": "c1._domainkey.example.com", "record": "v=DKIM1; p=AAAA",
            "isUnproven": false, "isReadOnly": true},
            {"domain": "example.com", "selector": "c2", "algorithm": "rsa-2048", "state": "active",
            "since": "1970-01-01T00:00:00Z", "recordName": "c2._domainkey.example.com", "record": "v=DKIM1; p=BBBB",
            "isUnproven": false, "isReadOnly": true, "isUnused": true},
            {"domain": "example.com", "selector": "c3", "algorithm": "unknown", "state": "active",
            "since": "1970-01-01T00:00:00Z", "recordName": "c3._domainkey.example.com", "problem": "c3 is encrypted",
            "isUnproven": false, "isReadOnly": true, "isUnused": true},
            {"domain": "example.com", "selector": "s1", "algorithm": "rsa-2048", "state": "active",
            "since": "1970-01-01T00:00:00Z", "recordName": "s1._domainkey.example.com", "record": "v=DKIM1; p=CCCC",
            "isUnproven": false}]
            """
        let documents = try #require(KeyResponse(text: "", document: json).keys)
        let keys = try KnownKeys(of: domain, store, SigningPolicies(), credentials: documents)
        #expect(keys.sdid == domain && keys.all.map(\.selector) == ["c1"])
        #expect(keys.damage == ["c3 is encrypted"])
        #expect(try DomainFixture.records(keys: keys.all).keyRecords.map(\.value) == ["v=DKIM1; p=AAAA"])
    }

    @Test("What is not known is said")
    func gaps() throws {
        let configuration = DomainFixture.configuration { $0.general.hostname = "localhost" }
        let gaps = try DomainFixture.records(configuration, addresses: []).gaps
        #expect(gaps.count == 3)
        #expect(gaps[0].hasSuffix("run waxwing keys generate example.com"))
        #expect(gaps[1].hasPrefix("localhost is no name") && gaps[2].hasSuffix("--address"))
        #expect(try DomainFixture.records(keys: [try DomainFixture.key("s1")]).gaps.isEmpty)
        let smarthost = DomainFixture.configuration { $0.routes = [DomainFixture.smarthost("smtp.office365.com")] }
        #expect(try DomainFixture.records(smarthost, keys: [try DomainFixture.key("s1")], addresses: []).gaps.isEmpty)
    }

    @Test("A line of a zone file holds any text, in strings of 255 octets")
    func zoneLines() {
        let text = String(repeating: "a", count: 300) + "\"\\;"
        let record = WantedRecord(.dkim, name: "n.example.com", value: text, why: "")
        let first = String(repeating: "a", count: 255)
        let rest = String(repeating: "a", count: 45)
        #expect(record.zoneLine == "n.example.com. 3600 IN TXT \"\(first)\" \"\(rest)\\\"\\\\;\"")
        let name = WantedRecord(.ptr, name: "1.2.0.192.in-addr.arpa", type: "PTR", value: "a.example", why: "")
        #expect(name.zoneLine == "1.2.0.192.in-addr.arpa. 3600 IN PTR a.example.")
    }

    @Test("The kernel says what address leads to a destination")
    func sources() async {
        #expect(await SourceAddresses.find(["127.0.0.1"]) == [IPAddress("127.0.0.1")])
        #expect(await SourceAddresses.find(["not an address"]).isEmpty)
    }
}
