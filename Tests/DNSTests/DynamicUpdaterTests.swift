// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Testing

@testable import DNS

/// Updates of a real BIND.
@Suite(.enabled(if: BindServer.isWanted, BindServer.advice), .serialized)
struct DynamicUpdaterTests {
    static let name = "s1._domainkey.example.test"

    static func server(_ entries: String = "") async throws -> BindServer {
        try await BindServer(["example.test": entries])
    }

    static func updater(
        _ server: BindServer, zone: String? = nil, key: TSIGKey? = BindServer.keys[0]
    ) -> DynamicUpdater {
        DynamicUpdater(server: server.address, zone: zone, key: key)
    }

    static func update(_ wanted: String?, _ replaceable: [String] = [], name: String = name) -> TextUpdate {
        TextUpdate(name: name, wanted: wanted, replaceable: replaceable, ttl: 321)
    }

    /// Long enough for a key of so many bits.
    static func record(_ characters: Int, _ filling: Character = "A") -> String {
        "v=DKIM1; k=rsa; p=" + String(repeating: filling, count: characters - 18)
    }

    static func failure(_ body: () async throws(UpdateError) -> String) async -> UpdateError? {
        do throws(UpdateError) {
            Issue.record("done where it must fail: \(try await body())")
            return nil
        } catch {
            #expect(error.text.utf8.allSatisfy { (32...126).contains($0) } && error.text.contains("127.0.0.1@"))
            return error
        }
    }

    @Test(arguments: BindServer.keys, [410, 754])
    func aRecordIsAddedByEachAlgorithm(key: TSIGKey, characters: Int) async throws {
        let server = try await Self.server()
        defer { server.stop() }
        let updater = Self.updater(server, key: key)
        let wanted = Self.record(characters)
        let text = try await updater.perform(Self.update(wanted))
        #expect(
            text
                == "\(server.address): added the text record of \(Self.name) in the zone example.test, by the key \(key.name)"
        )
        let found = try await server.texts(Self.name)
        #expect(found.map(\.text) == [wanted])
        #expect(found.first?.strings == (characters + 254) / 255 && found.first?.ttl == 321)
        // Once more: nothing to do, and nothing changed.
        #expect(try await updater.perform(Self.update(wanted)).contains("is there already"))
        #expect(try await server.texts(Self.name).map(\.text) == [wanted])
    }

    @Test func aRecordIsReplacedAndRemoved() async throws {
        let server = try await Self.server()
        defer { server.stop() }
        let updater = Self.updater(server, zone: "Example.TEST.")
        let (first, second) = (Self.record(754), "v=DKIM1; k=rsa; p=")
        _ = try await updater.perform(Self.update(first))
        let replaced = try await updater.perform(Self.update(second, [first]))
        #expect(replaced.contains("replaced the text record"))
        #expect(try await server.texts(Self.name).map(\.text) == [second])
        let removed = try await updater.perform(Self.update(nil, [first, second]))
        #expect(removed.contains("removed the text record"))
        #expect(try await server.texts(Self.name).isEmpty)
        #expect(try await updater.perform(Self.update(nil, [first, second])).contains("no text record stands"))
    }

    @Test func otherTypesAtTheNameStay() async throws {
        let server = try await Self.server("s1._domainkey IN A 192.0.2.1")
        defer { server.stop() }
        let updater = Self.updater(server)
        _ = try await updater.perform(Self.update("v=DKIM1; p="))
        _ = try await updater.perform(Self.update(nil, ["v=DKIM1; p="]))
        let message = try #require(QueryMessage.octets(name: Self.name, type: .a))
        let outcome = await Exchange.perform([Exchange(server: server.address, transport: .tcp, message: message)])
            .first
        guard case .reply(let octets) = outcome else {
            Issue.record("no reply")
            return
        }
        #expect(ReplyMessage(octets)?.answers(.a, of: Self.name).count == 1)
    }

    @Test func oursIsReplacedHoweverItsStringsAreCut() async throws {
        let server = try await Self.server("s1._domainkey IN TXT \"v=DKIM1; \" \"k=rsa; p\" \"=\"")
        defer { server.stop() }
        _ = try await Self.updater(server).perform(Self.update("new", ["v=DKIM1; k=rsa; p="]))
        #expect(try await server.texts(Self.name).map(\.text) == ["new"])
    }

    @Test func aRecordOfSomebodyElseStays() async throws {
        let server = try await Self.server("s1._domainkey IN TXT \"theirs\"\ns1._domainkey IN TXT \"ours\"")
        defer { server.stop() }
        let updater = Self.updater(server)
        for wanted in ["new", "ours", nil] {
            let error = await Self.failure { () async throws(UpdateError) in
                try await updater.perform(Self.update(wanted, ["ours"]))
            }
            #expect(error?.kind == .foreignRecord && error?.text.contains("\"theirs\"") == true)
        }
        #expect(Set(try await server.texts(Self.name).map(\.text)) == ["theirs", "ours"])
    }

    @Test func besideAnAliasNothingIsAdded() async throws {
        let server = try await Self.server("s1._domainkey IN CNAME elsewhere.example.test.")
        defer { server.stop() }
        let error = await Self.failure { () async throws(UpdateError) in
            try await Self.updater(server).perform(Self.update("new"))
        }
        #expect(error?.kind == .alias && error?.text.contains("elsewhere.example.test") == true)
    }

    @Test(arguments: ["* IN TXT \"everywhere\"", "* IN CNAME ns1", "*._domainkey IN TXT \"new\""])
    func whatAWildcardGivesIsNotTakenForTheNamesOwn(wildcard: String) async throws {
        let server = try await Self.server(wildcard)
        defer { server.stop() }
        let updater = Self.updater(server)
        #expect(try await updater.perform(Self.update("new")).contains("added"))
        #expect(try await server.texts(Self.name).map(\.text) == ["new"])
        #expect(try await updater.perform(Self.update("new")).contains("is there already"))
        #expect(try await updater.perform(Self.update(nil, ["new"])).contains("removed"))
        // The lifetime tells the name's own record from that of a wildcard that reads the same.
        #expect(try await !server.texts(Self.name).contains { $0.ttl == 321 })
        #expect(try await updater.perform(Self.update(nil, ["new"])).contains("no text record stands"))
    }

    @Test func aRecordOfSomebodyElseStaysThoughAWildcardReadsTheSame() async throws {
        let server = try await Self.server("* IN TXT \"theirs\"\ns1._domainkey IN TXT \"theirs\"")
        defer { server.stop() }
        let error = await Self.failure { () async throws(UpdateError) in
            try await Self.updater(server).perform(Self.update("new"))
        }
        #expect(error?.kind == .foreignRecord)
    }

    @Test func whoeverComesFirstWins() async throws {
        let server = try await Self.server()
        defer { server.stop() }
        let results = await withTaskGroup(of: Result<String, UpdateError>.self) { group in
            for number in 0..<8 {
                group.addTask {
                    do throws(UpdateError) {
                        return .success(try await Self.updater(server).perform(Self.update("text \(number)")))
                    } catch {
                        return .failure(error)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.count { if case .success = $0 { true } else { false } } == 1)
        for case .failure(let error) in results { #expect(error.kind == .foreignRecord, "\(error)") }
        #expect(try await server.texts(Self.name).count == 1)
    }

    @Test func theServersReasonsAreToldApart() async throws {
        let server = try await Self.server()
        defer { server.stop() }
        let key = BindServer.keys[0]
        var (stranger, wrongSecret, otherAlgorithm) = (key, key, key)
        stranger.name = "stranger.test"
        wrongSecret.secret = BindServer.keys[1].secret
        otherAlgorithm.algorithm = .hmacSHA512
        let cases: [(TSIGKey?, UpdateError.Kind, String)] = [
            (stranger, .unknownKey, "BADKEY"), (otherAlgorithm, .unknownKey, "BADKEY"),
            (wrongSecret, .wrongSecret, "BADSIG"), (BindServer.powerless, .refused, "REFUSED"),
            (nil, .refused, "REFUSED"),
        ]
        for (key, kind, word) in cases {
            let error = await Self.failure { () async throws(UpdateError) in
                try await Self.updater(server, key: key).perform(Self.update("new"))
            }
            #expect(error?.kind == kind && error?.text.contains(word) == true, "\(error as Any)")
        }
        #expect(try await server.texts(Self.name).isEmpty)
    }

    @Test func clocksThatDifferAreToldWithTheDifference() async throws {
        let server = try await Self.server()
        defer { server.stop() }
        for (shift, word) in [(-3600, "slow"), (3600, "fast")] {
            let updater = DynamicUpdater(server: server.address, zone: nil, key: BindServer.keys[0]) {
                UInt64(Int(Date().timeIntervalSince1970) + shift)
            }
            let error = await Self.failure { () async throws(UpdateError) in
                try await updater.perform(Self.update("new"))
            }
            #expect(error?.kind == .clocksDiffer && error?.text.contains(word) == true, "\(error as Any)")
        }
    }

    @Test func anotherZoneIsToldApart() async throws {
        let server = try await Self.server("deep.below IN NS ns.elsewhere.test.")
        defer { server.stop() }
        let cases: [(String?, String, UpdateError.Kind)] = [
            (nil, "s1._domainkey.example.org", .notAuthoritative),
            ("example.org", "s1._domainkey.example.org", .refused),
            // Handed on to others: there, not here.
            (nil, "s1._domainkey.deep.below.example.test", .notAuthoritative),
            // No zone of its own.
            ("_domainkey.example.test", Self.name, .notAuthoritative),
        ]
        for (zone, name, kind) in cases {
            let error = await Self.failure { () async throws(UpdateError) in
                try await Self.updater(server, zone: zone).perform(Self.update("new", name: name))
            }
            #expect(error?.kind == kind, "\(name): \(error as Any)")
        }
    }
}

/// Servers that answer what no sane one does.
@Suite struct DynamicUpdaterFaultTests {
    static func perform(
        _ key: TSIGKey? = nil, zone: String? = "example.test", script: @escaping ScriptedServer.Script
    ) async throws -> Result<String, UpdateError> {
        let server = try ScriptedServer(script)
        defer { server.stop() }
        do throws(UpdateError) {
            return .success(
                try await DynamicUpdater(server: server.address, zone: zone, key: key)
                    .perform(DynamicUpdaterTests.update("new")))
        } catch {
            return .failure(error)
        }
    }

    static func isUpdate(_ message: [UInt8]) -> Bool { message[2] & 0x78 == 5 << 3 }

    static func kind(_ result: Result<String, UpdateError>) -> UpdateError.Kind? {
        guard case .failure(let error) = result else { return nil }
        return error.kind
    }

    @Test func codesOfUpdatesAreToldApart() async throws {
        let cases: [(UInt8, UpdateError.Kind?)] = [
            (0, nil), (1, .serverFailure), (2, .serverFailure), (3, .changedMeanwhile), (4, .serverFailure),
            (5, .refused), (6, .changedMeanwhile), (7, .changedMeanwhile), (8, .changedMeanwhile),
            (9, .notAuthoritative), (10, .notZone), (12, .serverFailure),
        ]
        for (code, expected) in cases {
            let result = try await Self.perform { message, _ in
                [Self.isUpdate(message) ? Reply.to(message, flags: 0, code: code) : Reply.to(message, code: 3)]
            }
            #expect(Self.kind(result) == expected, "\(code): \(result)")
        }
    }

    @Test func aChangeThatCameBetweenIsReadAndTriedOnceMore() async throws {
        let seen = Counter()
        let result = try await Self.perform { message, _ in
            if Self.isUpdate(message) { return [Reply.to(message, flags: 0, code: seen.next() == 1 ? 7 : 0)] }
            return [Reply.to(message, code: 3)]
        }
        #expect(Self.kind(result) == nil)
        #expect(seen.count == 2)
    }

    @Test func anUnsignedAnswerIsNotTrusted() async throws {
        let result = try await Self.perform(BindServer.keys[0]) { message, _ in
            [Self.isUpdate(message) ? Reply.to(message, flags: 0) : Reply.to(message, code: 3)]
        }
        #expect(Self.kind(result) == .untrustedReply)
    }

    @Test func anAnswerSignedWithoutOurRequestIsNotTrusted() async throws {
        let key = BindServer.keys[0]
        let signature = try #require(TransactionSignature(key))
        let result = try await Self.perform(key) { message, _ in
            let reply = Self.isUpdate(message) ? Reply.to(message, flags: 0) : Reply.to(message, code: 3)
            return [signature.sign(reply, at: UInt64(Date().timeIntervalSince1970)).message]
        }
        #expect(Self.kind(result) == .untrustedReply)
    }

    @Test func aServerThatIsNotInChargeIsNotChanged() async throws {
        for zone in [nil, "example.test"] {
            let result = try await Self.perform(zone: zone) { message, _ in
                #expect(!Self.isUpdate(message))
                return [Reply.to(message, flags: 0, answers: [Reply.text("cached")])]
            }
            #expect(Self.kind(result) == .notAuthoritative)
        }
    }

    @Test func nobodyThereIsTold() async throws {
        let address = ServerAddress(address: try #require(IPAddress("127.0.0.1")), port: try NameServer.freePort())
        await #expect {
            try await DynamicUpdater(server: address).perform(DynamicUpdaterTests.update("new"))
        } throws: { ($0 as? UpdateError)?.kind == .unreachable }
    }

    @Test func whatCannotBeWrittenIsRefusedBeforeAnythingIsSent() async throws {
        let server = try ScriptedServer { message, _ in [Reply.to(message, code: 3)] }
        defer { server.stop() }
        let cases: [(String, String?, TSIGKey?, UpdateError.Kind)] = [
            ("a..b", nil, nil, .invalid), ("s1.example.org", "example.test", nil, .notZone),
            ("s1.example.test", nil, TSIGKey(name: "k", algorithm: .hmacSHA256, secret: "?"), .invalid),
        ]
        for (name, zone, key, kind) in cases {
            await #expect {
                try await DynamicUpdater(server: server.address, zone: zone, key: key)
                    .perform(DynamicUpdaterTests.update("new", name: name))
            } throws: { ($0 as? UpdateError)?.kind == kind }
        }
        #expect(server.questions.isEmpty)
    }
}
