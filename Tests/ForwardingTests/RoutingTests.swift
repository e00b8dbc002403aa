// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail
import SMTP
import Spooling
import Synchronization
import Testing

@testable import Forwarding

@Suite struct RoutingTests {
    @Test(
        "a pattern matches its domain, names below it, or everything",
        arguments: [
            ("*", "a@example.net", true), ("*", "a@[192.0.2.1]", true), ("example.net", "a@EXAMPLE.net", true),
            ("example.net", "a@mail.example.net", false), ("*.example.net", "a@mail.example.net", true),
            ("*.example.net", "a@example.net", false), ("*.example.net", "a@badexample.net", false),
            ("example.net", "a@[192.0.2.1]", false),
        ])
    func patterns(pattern: String, recipient: String, matches: Bool) throws {
        let pattern = try #require(DomainPattern(pattern))
        #expect(pattern.matches(try #require(Bench.mailbox(recipient))) == matches)
    }

    @Test("hosts of Amazon get no second signature, however they are written, and whatever the domain is called")
    func amazon() async throws {
        let mail: MXAnswer = .records([MXRecord(preference: 1, host: "inbound-smtp.eu-west-1.amazonaws.com")])
        var smarthost = Route(
            name: "ses", target: .smarthost(host: "Email-SMTP.eu-west-1.AmazonAWS.com", port: 587),
            signing: RouteSigning(ed25519: true))
        smarthost.recipientDomains = ["example.org"].compactMap { DomainPattern($0) }
        let bench = Bench(
            [smarthost, Route(name: "internet", target: .mx(port: 25))],
            resolver: TableResolver(exchangers: ["example.net": .success(mail)]))
        _ = await bench.deliver(bench.message(to: ["a@example.net", "b@example.org"]))
        #expect(
            bench.signer.departures.withLock { Set($0.map(\.nextHop)) } == [
                NextHop(kind: .mx, host: "example.net", signing: RouteSigning(profile: .ses)),
                NextHop(
                    kind: .smarthost, host: "email-smtp.eu-west-1.amazonaws.com", signing: RouteSigning(ed25519: true)),
            ])
    }

    @Test("what is no pattern", arguments: ["", "*.", "a..b", "*example.net", "a@b"])
    func notPatterns(text: String) {
        #expect(DomainPattern(text) == nil)
    }

    @Test("the first route that matches is taken; without a route for it a recipient waits")
    func firstMatch() async throws {
        let first = try await ScriptedPeer.start(on: Bench.group)
        let second = try await ScriptedPeer.start(on: Bench.group)
        var special = Bench.smarthost(first.port)
        special.recipientDomains = ["example.org", "*.example.org"].compactMap { DomainPattern($0) }
        special.signing.isUnsigned = true
        var usual = Bench.smarthost(second.port)
        usual.recipientDomains = ["example.net", "example.org"].compactMap { DomainPattern($0) }
        usual.signing.ed25519 = true
        let bench = Bench([special, usual])
        let record = await bench.deliver(
            bench.message(to: ["a@example.net", "b@example.org", "c@x.example.org", "d@example.com", "e@example.net"]))
        let delivered = "delivered 250 2.0.0 end of data"
        #expect(record?.words == [delivered, delivered, delivered, "deferred - 4.4.4 -", delivered])
        #expect(first.seen.messages.map(\.recipients) == [["b@example.org", "c@x.example.org"]])
        #expect(second.seen.messages.map(\.recipients) == [["a@example.net", "e@example.net"]])
        // Signed for each route by itself.
        #expect(first.seen.messages.first?.content.starts(with: StubSigner.field) == false)
        #expect(second.seen.messages.first?.content.starts(with: StubSigner.field) == true)
        #expect(bench.signer.departures.withLock { Set($0.map(\.nextHop.signing.ed25519)) } == [nil, true])
        bench.parts.sites.stop()
        await first.stop()
        await second.stop()
    }

    @Test("routes can be replaced while the relay runs")
    func replace() async throws {
        let old = try await ScriptedPeer.start(on: Bench.group)
        let new = try await ScriptedPeer.start(on: Bench.group)
        let bench = Bench([Bench.smarthost(old.port)])
        _ = await bench.deliver(bench.message(to: ["b@example.net"]))
        let routes = RoutingTable([Bench.smarthost(new.port)])
        #expect(bench.parts.dispatcher.replaceRoutes(routes))
        #expect(!bench.parts.dispatcher.replaceRoutes(routes))
        _ = await bench.deliver(bench.message(to: ["b@example.net"]))
        #expect(old.seen.messages.count == 1 && new.seen.messages.count == 1)
        bench.parts.sites.stop()
        await old.stop()
        await new.stop()
    }

    @Test("an MX route tries the next host, groups by domain, and shares a site between domains with one MX set")
    func mx() async throws {
        let peer = try await ScriptedPeer.start(
            [["connect": .reply("554 not me")], [:]], on: Bench.group)
        let records: Result<MXAnswer, DNSError> = .success(
            .records([MXRecord(preference: 1, host: "mx1.test"), MXRecord(preference: 2, host: "mx2.test")]))
        let loopback: Result<[IPAddress], DNSError> = .success(["127.0.0.1"].compactMap { IPAddress($0) })
        let resolver = TableResolver(
            exchangers: [
                "one.test": records, "two.test": records, "none.test": .success(.nullMX),
                "gone.test": .success(.nameError),
            ], hosts: ["mx1.test": loopback, "mx2.test": loopback])
        let bench = Bench(
            [
                Route(
                    name: "internet", target: .mx(port: peer.port), allowsPrivateTargets: true, tls: .off,
                    maximumConnections: 1)
            ], resolver: resolver)
        let record = await bench.deliver(
            bench.message(to: [
                "a@one.test", "b@two.test", "c@one.test", "d@none.test", "e@gone.test", "f@[127.0.0.1]",
                "g@servfail.test",
            ]))
        let delivered = "delivered 250 2.0.0 end of data"
        #expect(
            record?.words == [
                delivered, delivered, delivered, "failed 556 5.1.10 -", "failed - 5.1.2 -", "failed - 5.1.2 -",
                "deferred - 4.4.3 -",
            ])
        #expect(Set(peer.seen.messages.map(\.recipients)) == [["a@one.test", "c@one.test"], ["b@two.test"]])
        // The refused greeting, and one connection for both domains.
        #expect(peer.seen.connections == 2)
        #expect(
            bench.signer.departures.withLock { Set($0.map(\.nextHop)) } == [
                NextHop(kind: .mx, host: "one.test"), NextHop(kind: .mx, host: "two.test"),
            ])
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("an MX host with a private address is not connected to")
    func privateTarget() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let resolver = TableResolver(
            exchangers: ["one.test": .success(.noData)],
            hosts: ["one.test": .success(["127.0.0.1"].compactMap { IPAddress($0) })])
        let bench = Bench([Route(name: "internet", target: .mx(port: peer.port))], resolver: resolver)
        let record = await bench.deliver(bench.message(to: ["a@one.test"]))
        #expect(record?.words == ["failed - 5.4.4 -"])
        #expect(peer.seen.connections == 0)
        await peer.stop()
    }
}
