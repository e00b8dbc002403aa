// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc
import Testing

@testable import DNS

@Suite struct ExchangeTests {
    static func ask(
        _ server: ServerAddress, _ transport: Exchange.Transport, within limit: Duration = .seconds(5)
    ) async throws -> Exchange.Outcome {
        let message = try #require(QueryMessage.octets(name: "s1._domainkey.example.test", type: .txt))
        return try #require(
            await Exchange.perform(
                [Exchange(server: server, transport: transport, message: message)], within: limit
            ).first)
    }

    static func texts(_ outcome: Exchange.Outcome) -> [String] {
        guard
            case .records(let texts, _) = AnswerReading.kind(outcome, name: "s1._domainkey.example.test", zone: nil)
        else { return [] }
        return texts.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [Exchange.Transport.udp, .tcp])
    func aReplyComesBack(transport: Exchange.Transport) async throws {
        let server = try ScriptedServer { message, _ in [Reply.to(message, answers: [Reply.text("hello")])] }
        defer { server.stop() }
        #expect(Self.texts(try await Self.ask(server.address, transport)) == ["hello"])
    }

    @Test func aDatagramWithAnotherIDOrQuestionIsNotTheReply() async throws {
        let server = try ScriptedServer { message, _ in
            var otherID = Reply.to(message, answers: [Reply.text("forged")])
            otherID[0] ^= 0xFF
            let otherName = QueryMessage.octets(name: "s2._domainkey.example.test", type: .txt) ?? []
            let otherQuestion = message[..<2] + Reply.to(otherName, answers: [Reply.text("forged")]).dropFirst(2)
            var noReply = Reply.to(message, answers: [Reply.text("forged")])
            noReply[2] &= 0x7F
            return [otherID, Array(otherQuestion), noReply, Reply.to(message, answers: [Reply.text("genuine")])]
        }
        defer { server.stop() }
        #expect(Self.texts(try await Self.ask(server.address, .udp)) == ["genuine"])
    }

    @Test func overTCPAnotherIDEndsTheExchange() async throws {
        let server = try ScriptedServer { message, _ in
            var reply = Reply.to(message)
            reply[1] ^= 1
            return [reply]
        }
        defer { server.stop() }
        #expect(try await Self.ask(server.address, .tcp) == .unreachable("the reply is to another question"))
    }

    @Test func aLostDatagramIsSentAgain() async throws {
        let count = Counter()
        let server = try ScriptedServer { message, _ in
            count.next() == 1 ? [] : [Reply.to(message, answers: [Reply.text("second")])]
        }
        defer { server.stop() }
        #expect(Self.texts(try await Self.ask(server.address, .udp)) == ["second"])
    }

    @Test(arguments: [Exchange.Transport.udp, .tcp])
    func nobodyThereIsToldAtOnce(transport: Exchange.Transport) async throws {
        let address = ServerAddress(address: try #require(IPAddress("127.0.0.1")), port: try NameServer.freePort())
        #expect(try await Self.ask(address, transport, within: .seconds(3600)) == .unreachable("Connection refused"))
    }

    @Test func silenceEndsAtTheDeadline() async throws {
        let silent = try SilentServer()
        defer { silent.stop() }
        #expect(
            try await Self.ask(silent.address, .udp, within: .milliseconds(100)) == .unreachable("no reply in time"))
        // Takes the question, and closes only long after the deadline.
        let slow = try ScriptedServer { _, _ in
            usleep(2_000_000)
            return []
        }
        defer { slow.stop() }
        #expect(
            try await Self.ask(slow.address, .tcp, within: .milliseconds(500))
                == .unreachable("no whole reply in time"))
    }

    @Test func aReplyThatTricklesInEndsAtTheDeadline() async throws {
        // Each octet comes in time, and the last long after the deadline.
        let server = try ScriptedServer(pause: .milliseconds(50)) { message, _ in
            [Reply.to(message, answers: [Reply.text("late")])]
        }
        defer { server.stop() }
        #expect(
            try await Self.ask(server.address, .tcp, within: .milliseconds(500))
                == .unreachable("no whole reply in time"))
        #expect(Self.texts(try await Self.ask(server.address, .tcp, within: .seconds(60))) == ["late"])
    }

    @Test func halfAReplyIsNone() async throws {
        let server = try ScriptedServer { message, _ in [Array(Reply.to(message).prefix(7))] }
        defer { server.stop() }
        guard case .unreachable = try await Self.ask(server.address, .tcp) else {
            Issue.record("half a reply was taken")
            return
        }
    }

    @Test func manyServersAreAskedAtOnce() async throws {
        let silent = try SilentServer()
        defer { silent.stop() }
        let server = try ScriptedServer { message, _ in [Reply.to(message, answers: [Reply.text("here")])] }
        defer { server.stop() }
        let message = try #require(QueryMessage.octets(name: "s1._domainkey.example.test", type: .txt))
        // The silent ones use up the time, and the last is answered all the same.
        let exchanges =
            (0..<100).map { _ in Exchange(server: silent.address, transport: .udp, message: message) }
            + [Exchange(server: server.address, transport: .udp, message: message)]
        let outcomes = await Exchange.perform(exchanges, within: .milliseconds(500))
        #expect(outcomes.count == 101)
        #expect(outcomes.dropLast().allSatisfy { $0 == .unreachable("no reply in time") })
        #expect(Self.texts(try #require(outcomes.last)) == ["here"])
    }
}

/// No reply can do harm.
@Suite struct AnswerReadingTests {
    static let name = "s1._domainkey.example.test"

    static func kind(
        _ reply: (_ message: [UInt8]) -> [UInt8], zone: String? = "example.test"
    ) throws -> ServerAnswer.Kind {
        let message = try #require(QueryMessage.octets(name: name, type: .txt))
        return AnswerReading.kind(.reply(reply(message)), name: name, zone: zone)
    }

    @Test func codesAreToldApart() throws {
        let cases: [(UInt8, ServerAnswer.Kind)] = [
            (0, .noData), (3, .nameError), (2, .failure(.serverFailure)), (5, .failure(.refused)),
            (9, .failure(.notAuthoritative)), (1, .failure(.code("FORMERR"))), (15, .failure(.code("rcode 15"))),
        ]
        for (code, expected) in cases {
            #expect(try Self.kind { Reply.to($0, code: code) } == expected)
        }
    }

    @Test func whatIsNotAuthoritativeDoesNotCount() throws {
        let found = try Self.kind { Reply.to($0, flags: 0, answers: [Reply.text("cached")]) }
        #expect(found == .failure(.notAuthoritative))
        #expect(try Self.kind { Reply.to($0, flags: 0, code: 3) } == .failure(.notAuthoritative))
    }

    @Test(arguments: [
        ("_domainkey.example.test", true), (name, true), ("example.test", false), ("test", false), ("", false),
        ("other.test", false), ("xdomainkey.example.test", false),
    ])
    func onlyAReferralBelowTheZoneIsOne(zone: String, isReferral: Bool) throws {
        let record = Reply.record(.ns, owner: Reply.name(zone), Reply.name("ns9.example.test"))
        let kind = try Self.kind { Reply.to($0, flags: 0, authority: [record]) }
        #expect(kind == (isReferral ? .referral(zone, servers: ["ns9.example.test"]) : .failure(.notAuthoritative)))
    }

    @Test func onlyTheFirstAliasCounts() throws {
        let chain = { (message: [UInt8]) in
            Reply.to(
                message,
                answers: [
                    Reply.record(.cname, Reply.name("a.other.test")),
                    Reply.record(.txt, owner: Reply.name("a.other.test"), [1, 120]),
                ])
        }
        #expect(try Self.kind(chain) == .alias("a.other.test", ttl: 60))
    }

    @Test func theSOARecordGivesTheNegativeTTL() throws {
        let data =
            Reply.name("ns1.example.test") + Reply.name("h.example.test") + [0, 0, 0, 9] + [0, 0, 0, 1, 0, 0, 0, 1]
            + [0, 0, 0, 1, 0, 0, 0, 30]
        let record = Reply.record(.soa, owner: Reply.name("example.test"), ttl: 50, data)
        let message = try #require(QueryMessage.octets(name: Self.name, type: .soa))
        let found = AnswerReading.authority(.reply(Reply.to(message, authority: [record])), of: Self.name)
        #expect(
            found
                == StartOfAuthority(
                    zone: "example.test", primary: "ns1.example.test", serial: 9, minimum: 30, ttl: 50))
        #expect(found?.negativeTTL == 30)
        // A zone that does not hold the name says nothing of it.
        let stranger = Reply.record(.soa, owner: Reply.name("example.org"), ttl: 50, data)
        #expect(AnswerReading.authority(.reply(Reply.to(message, authority: [stranger])), of: Self.name) == nil)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func noOctetsFromTheNetworkCanDoHarm(seed: UInt64) throws {
        var state = seed
        func next() -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33)
        }
        let message = try #require(QueryMessage.octets(name: Self.name, type: .txt))
        let signature = try #require(TransactionSignature(BindServer.keys[0]))
        let time: UInt64 = 1_800_000_000
        let code = signature.sign(message, at: time).code
        let reply = Reply.to(message, answers: [Reply.text("v=DKIM1; p=")])
        let whole = signature.sign(reply, after: code, at: time).message
        func isGenuine(_ octets: [UInt8], _ code: [UInt8], _ time: UInt64) -> Bool {
            signature.check(octets, requestCode: code, at: time)?.isGenuine == true
        }
        #expect(isGenuine(whole, code, time) && isGenuine(whole, code, time + 300))
        #expect(!isGenuine(whole, code, time + 301))
        #expect(!isGenuine(whole, signature.sign(message, at: time + 1).code, time))
        // What no code covers: the ID (the record has the one that counts), class and lifetime of the record itself,
        // and the case of names.
        let header = reply.count + Reply.name(BindServer.keys[0].name).count + 2
        func covered(_ octets: [UInt8]) -> [UInt8] {
            octets.enumerated().filter { $0.offset >= 2 && !(header..<(header + 6)).contains($0.offset) }
                .map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0.element) ? $0.element | 0x20 : $0.element }
        }
        for _ in 0..<3000 {
            var octets = whole
            for _ in 0...(next() % 4) { octets[next() % octets.count] = UInt8(truncatingIfNeeded: next()) }
            if next() % 3 == 0 { octets.removeLast(next() % octets.count) }
            let kind = AnswerReading.kind(.reply(octets), name: Self.name, zone: "example.test")
            if case .records(let texts, _) = kind { #expect(texts.count < 20, "seed \(seed)") }
            if isGenuine(octets, code, time) { #expect(covered(octets) == covered(whole), "seed \(seed)") }
        }
    }
}
