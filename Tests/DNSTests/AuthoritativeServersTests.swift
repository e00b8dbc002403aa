// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import DNS

/// Real zones at real servers on several loopback addresses, all with the same port.
@Suite(.enabled(if: NameServer.isWanted, NameServer.advice), .serialized)
struct AuthoritativeServersTests {
    static let name = "s1._domainkey.example.test"

    /// SOA, and an NS record for each host of 127.0.0.0/8 by its last octet.
    static func zone(_ hosts: [Int], _ entries: String...) -> String {
        let servers = hosts.map { "@ IN NS ns\($0)\nns\($0) IN A 127.0.0.\($0)\n" }.joined()
        return "$TTL 60\n@ IN SOA ns1 hostmaster 7 60 60 60 45\n" + servers + entries.joined(separator: "\n") + "\n"
    }

    /// A server that stands for the whole DNS: the resolver asks it for everything.
    static func world(_ zones: [String: String]) async throws -> NameServer {
        try await NameServer(zones, on: "127.0.0.9")
    }

    static func report(_ world: NameServer, _ name: String = name, in domain: String = "example.test") async throws
        -> TextReport
    {
        await AuthoritativeServers(resolver: try world.resolver(), port: world.address.port)
            .report(onTXT: name, in: domain)
    }

    @Test func everyServerIsAskedOverUDPAndTCP() async throws {
        let text = Self.zone([1, 2], "s1._domainkey 300 IN TXT \"v=DKIM1; \" \"p=\"")
        let world = try await Self.world(["example.test": text])
        defer { world.stop() }
        let port = world.address.port
        let first = try await NameServer(["example.test": text], port: port)
        defer { first.stop() }
        let second = try await NameServer(["example.test": text], on: "127.0.0.2", port: port)
        defer { second.stop() }
        let report = try await Self.report(world)
        #expect(report.end == .answered && report.steps.count == 1)
        #expect(report.zone == "example.test")
        #expect(report.recordTTL == 300 && report.negativeTTL == 45)
        let answers = report.steps[0].answers
        #expect(
            answers.map(\.server) == ["ns1.example.test (127.0.0.1@\(port))", "ns2.example.test (127.0.0.2@\(port))"])
        for answer in answers {
            #expect(answer.udp == .records([Array("v=DKIM1; p=".utf8)], ttl: 300))
            #expect(answer.tcp == answer.udp)
            #expect(answer.sibling == .nameError)
            #expect(
                answer.authority
                    == StartOfAuthority(
                        zone: "example.test", primary: "ns1.example.test", serial: 7, minimum: 45, ttl: 45))
            #expect(!answer.isWildcard)
        }
    }

    @Test func anAliasIsFollowedZoneByZoneToTheServersOfEach() async throws {
        let home = Self.zone([1], "s1._domainkey IN CNAME s1.between.org-test.")
        let between = Self.zone([2], "s1 IN CNAME s1.example.test.keys.net-test.")
        let keys = Self.zone([3], "s1.example.test IN TXT \"the key\"")
        let stale = Self.zone([3], "s1.example.test IN TXT \"stale\"")
        // The resolver's world knows the zones, and neither alias nor record.
        let world = try await Self.world([
            "example.test": Self.zone([1]), "between.org-test": Self.zone([2]), "keys.net-test": Self.zone([3]),
        ])
        defer { world.stop() }
        let port = world.address.port
        // The first server holds a copy of the last zone that nobody asked for: what it says of that does not count.
        let first = try await NameServer(["example.test": home, "keys.net-test": stale], port: port)
        defer { first.stop() }
        let second = try await NameServer(["between.org-test": between], on: "127.0.0.2", port: port)
        defer { second.stop() }
        let third = try await NameServer(["keys.net-test": keys], on: "127.0.0.3", port: port)
        defer { third.stop() }
        let report = try await Self.report(world)
        #expect(report.end == .answered)
        #expect(report.steps.map(\.zone) == ["example.test", "between.org-test", "keys.net-test"])
        #expect(report.aliases == ["s1.between.org-test", "s1.example.test.keys.net-test"])
        #expect(report.steps.last?.answers.map(\.tcp) == [.records([Array("the key".utf8)], ttl: 60)])
        #expect(report.steps.last?.answers.first?.server == "ns3.keys.net-test (127.0.0.3@\(port))")
    }

    @Test func aliasesInACircleAreNoticed() async throws {
        let world = try await Self.world([
            "example.test": Self.zone([9], "s1._domainkey IN CNAME a", "a IN CNAME b", "b IN CNAME s1._domainkey")
        ])
        defer { world.stop() }
        let report = try await Self.report(world)
        #expect(report.end == .circle(Self.name))
        #expect(report.aliases == ["a.example.test", "b.example.test"])
    }

    @Test func noMoreAliasesAreFollowedThanTheLimit() async throws {
        let chain = (1...12).map { "a\($0) IN CNAME a\($0 + 1)" }.joined(separator: "\n")
        let world = try await Self.world([
            "example.test": Self.zone([9], "s1._domainkey IN CNAME a1", chain, "a13 IN TXT \"far\"")
        ])
        defer { world.stop() }
        let report = try await Self.report(world)
        #expect(report.end == .tooManySteps)
        #expect(report.steps.count == AuthoritativeServers.maximumSteps)
    }

    @Test func aZoneBelowIsAskedOfItsOwnServers() async throws {
        let parent = Self.zone([9], "_domainkey IN NS ns3", "ns3 IN A 127.0.0.3")
        let world = try await Self.world(["example.test": parent])
        defer { world.stop() }
        let child = "$TTL 60\n@ IN SOA ns3.example.test. h 1 60 60 60 30\n@ IN NS ns3.example.test.\n"
        let server = try await NameServer(
            ["_domainkey.example.test": child + "s1 IN TXT \"below\"\n"], on: "127.0.0.3", port: world.address.port)
        defer { server.stop() }
        let report = try await Self.report(world)
        #expect(report.steps.count == 2 && report.aliases.isEmpty)
        #expect(report.zone == "_domainkey.example.test" && report.negativeTTL == 30)
        #expect(report.steps.last?.answers.map(\.udp) == [.records([Array("below".utf8)], ttl: 60)])
    }

    @Test func aWildcardIsToldFromTheNamesOwnRecord() async throws {
        let world = try await Self.world([
            "example.test": Self.zone([9], "*._domainkey IN TXT \"all\"", "s2._domainkey IN TXT \"own\""),
            "alias.test": Self.zone([9], "*._domainkey IN CNAME nowhere"),
        ])
        defer { world.stop() }
        let wild = try await Self.report(world)
        #expect(wild.steps.last?.answers.map(\.isWildcard) == [true])
        let own = try await Self.report(world, "s2._domainkey.example.test")
        #expect(own.steps.last?.answers.map(\.isWildcard) == [false])
        #expect(own.steps.last?.answers.first?.sibling == .records([Array("all".utf8)], ttl: 60))
        let alias = try await Self.report(world, "s1._domainkey.alias.test", in: "alias.test")
        #expect(alias.steps.first?.answers.map(\.isWildcard) == [true])
    }

    @Test func aServerWithoutTCPIsNoticed() async throws {
        let world = try await Self.world(["example.test": Self.zone([1])])
        defer { world.stop() }
        let server = try ScriptedServer(port: world.address.port) { message, transport in
            transport == .tcp ? [] : [Reply.to(message, answers: [Reply.text("half")])]
        }
        defer { server.stop() }
        let answer = try #require(try await Self.report(world).steps.first?.answers.first)
        #expect(answer.udp == .records([Array("half".utf8)], ttl: 60))
        guard case .unreachable = answer.tcp else {
            Issue.record("\(answer.tcp)")
            return
        }
        #expect(answer.statements == [answer.udp])
    }

    @Test func aRecordBelowADoubledZoneIsFound() async throws {
        let world = try await Self.world([
            "example.test": Self.zone([9], "s1._domainkey.example.test IN TXT \"misplaced\"")
        ])
        defer { world.stop() }
        let report = try await Self.report(world)
        #expect(report.steps.first?.answers.map(\.udp) == [.nameError])
        #expect(report.doubled == [Array("misplaced".utf8)])
    }

    @Test func theDoubledNameIsNotAskedOfServersThatSayNothing() async throws {
        let world = try await Self.world(["example.test": Self.zone([1])])
        defer { world.stop() }
        let server = try ScriptedServer(port: world.address.port) { message, _ in [Reply.to(message, code: 5)] }
        defer { server.stop() }
        let report = try await Self.report(world)
        #expect(report.steps.first?.answers.map(\.tcp) == [.failure(.refused)])
        #expect(!server.questions.contains { $0.name.hasSuffix("example.test.example.test") })
    }

    /// Between resolver and world: who asks for what.
    static func recorder(before world: NameServer) throws -> ScriptedServer {
        try ScriptedServer { message, transport in
            let exchange = Exchange(server: world.address, transport: transport, message: message)
            guard case .reply(let reply)? = Exchange.performBlocking([exchange]).first else { return [] }
            return [reply]
        }
    }

    @Test func theResolverIsNeverAskedForTheNameOrAnythingBesideIt() async throws {
        let world = try await Self.world([
            "example.test": Self.zone([9], "s1._domainkey IN CNAME s1.example.test.keys.net-test."),
            "keys.net-test": Self.zone([9]),
        ])
        defer { world.stop() }
        let recorder = try Self.recorder(before: world)
        defer { recorder.stop() }
        let resolver = try UnboundResolver(.asking([recorder.address]), logger: .none)
        let report = await AuthoritativeServers(resolver: resolver, port: world.address.port)
            .report(onTXT: Self.name, in: "example.test")
        #expect(report.aliases == ["s1.example.test.keys.net-test"])
        #expect(report.steps.last?.answers.map(\.tcp) == [.nameError])
        let asked = Set(recorder.questions.map(\.name))
        #expect(asked.contains("example.test") && asked.contains("keys.net-test"))
        #expect(asked.allSatisfy { !$0.contains("_domainkey") && !$0.hasSuffix(".test.keys.net-test") }, "\(asked)")
    }

    @Test func withoutNameServersTheReasonIsTold() async throws {
        let world = try await Self.world(["example.test": ""])
        defer { world.stop() }
        let report = try await Self.report(world)
        guard case .serversNotFound("example.test", let reason) = report.end, report.steps.isEmpty else {
            Issue.record("\(report)")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test func aServerWhoseNameHasNoAddressIsNotForgotten() async throws {
        let world = try await Self.world(["example.test": Self.zone([9], "@ IN NS gone")])
        defer { world.stop() }
        let report = try await Self.report(world)
        let gone = try #require(report.steps.first?.answers.first { $0.server == "gone.example.test" })
        #expect(
            gone.statements.isEmpty
                && gone.udp == .unreachable("the server's address can't be found: the name does not exist"))
        #expect(report.steps.first?.answers.count == 2)
    }

    @Test func addressesBeyondTheLimitAreNotForgotten() async throws {
        let many = (1...40).map { "many IN A 127.0.1.\($0)" }.joined(separator: "\n")
        let world = try await Self.world(["example.test": Self.zone([9], "@ IN NS many", many)])
        defer { world.stop() }
        let answers = try #require(try await Self.report(world).steps.first?.answers)
        #expect(answers.count == AuthoritativeServers.maximumAddresses + 1)
        #expect(answers.last?.server == "9 more addresses" && answers.last?.statements.isEmpty == true)
    }

    /// NS records of 40 hosts that nobody knows, behind `ns9` in order.
    static func strangers(at owner: String) -> String {
        (10..<50).map { "\(owner) IN NS stranger\($0).example.test." }.joined(separator: "\n")
    }

    @Test(arguments: ["s1._domainkey.example.test", "s1.below.example.test"])
    func serversBeyondTheLimitAreNotForgotten(name: String) async throws {
        let world = try await Self.world([
            "example.test": Self.zone([9], Self.strangers(at: "@"), Self.strangers(at: "below"))
        ])
        defer { world.stop() }
        let answers = try #require(try await Self.report(world, name).steps.last?.answers)
        #expect(answers.count == ZoneSearch.Zone.maximumServers + 1)
        // One more server where the zone has one that answers.
        let left = name == Self.name ? 9 : 8
        #expect(answers.last?.server == "\(left) more servers" && answers.last?.statements.isEmpty == true)
    }

    @Test func noMoreServersAreLookedForThanTheLimit() async throws {
        let world = try await Self.world([
            "example.test": Self.zone([9], "s1._domainkey IN CNAME s1.below.net-test."),
            "net-test": Self.zone([9], Self.strangers(at: "@"), Self.strangers(at: "below")),
        ])
        defer { world.stop() }
        let recorder = try Self.recorder(before: world)
        defer { recorder.stop() }
        let resolver = try UnboundResolver(.asking([recorder.address]), logger: .none)
        let report = await AuthoritativeServers(resolver: resolver, port: world.address.port)
            .report(onTXT: Self.name, in: "example.test")
        #expect(report.steps.last?.answers.last?.server == "8 more servers")
        let asked = Set(recorder.questions.map(\.name)).filter { $0.hasPrefix("stranger") }
        #expect(asked.count == ZoneSearch.Zone.maximumServers)
    }

    @Test func namesOfAnAddressAreFound() async throws {
        let entries = Self.zone([9], "1.2 IN PTR mail.example.test.", "1.2 IN PTR Alias.example.test.")
        let sixteen = Self.zone([9], "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 IN PTR six.example.test.")
        let world = try await Self.world(["0.192.in-addr.arpa": entries, "8.b.d.0.1.0.0.2.ip6.arpa": sixteen])
        defer { world.stop() }
        let resolver = try world.resolver()
        let four = try #require(IPAddress("192.0.2.1"))
        #expect(try await resolver.names(of: four) == ["alias.example.test", "mail.example.test"])
        #expect(try await resolver.names(of: #require(IPAddress("2001:db8::1"))) == ["six.example.test"])
        let nobody = try #require(IPAddress("192.0.2.9"))
        await #expect(throws: DNSError.nameError) { try await resolver.names(of: nobody) }
    }
}
