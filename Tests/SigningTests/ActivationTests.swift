// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Mail
import Testing

@testable import DNS
@testable import Signing

/// Activation against real name servers.
@Suite(.enabled(if: NameServer.isWanted, NameServer.advice), .serialized)
struct ActivationTests {
    static let domain = Domain("example.test")

    /// A store with one generated key `s1`, and the commands over it.
    struct Fixture {
        let scratch: Scratch
        let store: KeyStore
        let key: SigningKey

        init(_ key: SigningKey? = nil) throws {
            scratch = try Scratch()
            store = KeyStore(directory: scratch.keys)
            self.key = try key ?? TestKeys.rsa.get()
            let domain = try ActivationTests.domain.unwrapped
            _ = try store.add(self.key, to: domain, selector: Selector("s1"), evidence: "generated", .test)
        }

        func activate(_ prover: KeyProver, isUnproven: Bool = false, selector: String? = nil) async -> KeyResponse {
            let commands = KeyCommands.over(store, look: { await prover.look(at: $0) })
            return await commands.perform(
                KeyRequest(
                    .activate, domain: "example.test", selector: selector, isForced: isUnproven, user: "tester"))
        }

        func state() throws -> KeyState {
            try store.description(of: Selector("s1").unwrapped, in: ActivationTests.domain.unwrapped).state
        }
    }

    static func zone(_ entries: String...) -> [String: String] {
        let text = """
            $TTL 60
            @ IN SOA ns1 hostmaster 1 60 60 60 60
            @ IN NS ns1
            @ IN NS ns2
            ns1 IN A 127.0.0.1
            ns2 IN A 127.0.0.2

            """
        return ["example.test": text + entries.joined(separator: "\n") + "\n"]
    }

    static func record(_ key: SigningKey, _ name: String = "s1._domainkey") -> String {
        "\(name) IN TXT " + TextRecord.strings(key.keyRecord.text).map { "\"\($0)\"" }.joined(separator: " ")
    }

    @Test func aKeyThatItsServersReturnBecomesActiveWithTheEvidence() async throws {
        let fixture = try Fixture()
        defer { fixture.scratch.remove() }
        let server = try await NameServer(Self.zone(Self.record(fixture.key)))
        defer { server.stop() }
        let response = await fixture.activate(KeyProver(resolver: try server.resolver(), servers: [server.address]))
        #expect(!response.isError, "\(response.text)")
        #expect(response.hasChanged)
        let description = try fixture.store.description(
            of: Selector("s1").unwrapped, in: Self.domain.unwrapped)
        #expect(description.history.filter { $0.isNote != true }.map(\.to) == [.generated, .published, .active])
        #expect(description.history.last?.evidence?.hasPrefix("published at \(server.address)") == true)
        #expect(description.history.last?.by == "tester")
        #expect(!description.isUnproven)
    }

    @Test func theServersOfTheZoneAreFoundAndEachMustHaveTheKey() async throws {
        let fixture = try Fixture()
        defer { fixture.scratch.remove() }
        let first = try await NameServer(Self.zone(Self.record(fixture.key)))
        defer { first.stop() }
        let port = first.address.port
        let servers = AuthoritativeServers(resolver: try first.resolver(), port: port)
        let old = try await NameServer(Self.zone(), on: "127.0.0.2", port: port)
        var response = await fixture.activate(KeyProver(servers))
        old.stop()
        #expect(response.isError)
        #expect(
            response.text.contains(
                "ns2.example.test (127.0.0.2@\(port)): the name s1._domainkey.example.test does not exist"))
        #expect(response.text.contains(fixture.key.keyRecord.text))
        #expect(!response.text.contains("ns1.example.test ("))
        #expect(try fixture.state() == .generated)

        // With nobody at the second address, it is still no proof.
        response = await fixture.activate(KeyProver(servers))
        #expect(response.isError)
        #expect(response.text.contains("ns2.example.test (127.0.0.2@\(port)): not reachable"))

        let fresh = try await NameServer(Self.zone(Self.record(fixture.key)), on: "127.0.0.2", port: port)
        defer { fresh.stop() }
        response = await fixture.activate(KeyProver(servers))
        #expect(!response.isError, "\(response.text)")
        #expect(try fixture.state() == .active)
    }

    @Test func whatIsNotExactlyTheKeyIsRefused() async throws {
        let fixture = try Fixture()
        defer { fixture.scratch.remove() }
        let key = fixture.key
        let other = try TestKeys.otherRSA.get()
        let cases: [(String, String)] = [
            ("", "does not exist"),
            ("s1._domainkey IN A 192.0.2.1", "has no TXT record"),
            (Self.record(other), "another public key"),
            (Self.record(key) + "\n" + Self.record(other), "2 TXT records"),
            ("s1._domainkey IN TXT \"v=DKIM1; k=rsa; p=\"", "revoked"),
            ("s1._domainkey IN TXT \"hello\"", "found: hello"),
            ("s1._domainkey IN CNAME nowhere", "does not exist"),
        ]
        for (entry, expected) in cases {
            let server = try await NameServer(Self.zone(entry))
            let response = await fixture.activate(KeyProver(resolver: try server.resolver(), servers: [server.address]))
            server.stop()
            #expect(response.isError && response.text.contains(expected), "\(entry): \(response.text)")
            #expect(try fixture.state() == .generated)
        }
    }

    @Test func aServerThatFailsIsNoProof() async throws {
        let fixture = try Fixture()
        defer { fixture.scratch.remove() }
        let server = try await NameServer(["example.test": ""])
        defer { server.stop() }
        let response = await fixture.activate(KeyProver(resolver: try server.resolver(), servers: [server.address]))
        #expect(response.isError && response.text.contains("SERVFAIL"), "\(response.text)")
        let lame = try await NameServer([
            "example.net": "$TTL 60\n@ IN SOA a b 1 60 60 60 60\n@ IN NS a\na IN A 127.0.0.1\n"
        ])
        defer { lame.stop() }
        let refused = await fixture.activate(KeyProver(resolver: try lame.resolver(), servers: [lame.address]))
        #expect(refused.isError && refused.text.contains("REFUSED"), "\(refused.text)")
        #expect(try fixture.state() == .generated)
    }

    @Test func anAliasIsFollowedToTheKey() async throws {
        let fixture = try Fixture()
        defer { fixture.scratch.remove() }
        let server = try await NameServer(
            Self.zone("s1._domainkey IN CNAME s1.keys", Self.record(fixture.key, "s1.keys")))
        defer { server.stop() }
        let response = await fixture.activate(KeyProver(resolver: try server.resolver(), servers: [server.address]))
        #expect(!response.isError, "\(response.text)")
    }

    @Test func anAnswerTooLongForUDPIsFetchedOverTCP() async throws {
        let fixture = try Fixture()
        defer { fixture.scratch.remove() }
        // One record that no datagram of 1232 octets holds; white space in p= does not count.
        let strings = TextRecord.strings(fixture.key.keyRecord.text).map { "\"\($0)\"" }
        let blank = "\"" + String(repeating: " ", count: 255) + "\""
        let entry =
            "s1._domainkey IN TXT ( " + (strings + Array(repeating: blank, count: 5)).joined(separator: " ") + " )"
        let server = try await NameServer(Self.zone(entry))
        defer { server.stop() }
        let response = await fixture.activate(KeyProver(resolver: try server.resolver(), servers: [server.address]))
        #expect(!response.isError, "\(response.text)")
    }

    @Test func aSubzoneIsFollowedToItsOwnServers() async throws {
        let fixture = try Fixture()
        defer { fixture.scratch.remove() }
        var entries = "_domainkey IN NS ns3\nns3 IN A 127.0.0.3\n"
        let parent = try await NameServer(Self.zone(entries))
        defer { parent.stop() }
        let port = parent.address.port
        let second = try await NameServer(Self.zone(entries), on: "127.0.0.2", port: port)
        defer { second.stop() }
        entries = "$TTL 60\n@ IN SOA ns3.example.test. h 1 60 60 60 60\n@ IN NS ns3.example.test.\n"
        let child = try await NameServer(
            ["_domainkey.example.test": entries + Self.record(fixture.key, "s1") + "\n"], on: "127.0.0.3", port: port)
        defer { child.stop() }
        let servers = AuthoritativeServers(resolver: try parent.resolver(), port: port)
        let response = await fixture.activate(KeyProver(servers))
        #expect(!response.isError, "\(response.text)")
        #expect(response.text.contains("ns3.example.test (127.0.0.3@\(port))"))
    }

    @Test func aForcedKeyIsRecordedAndShownUntilItIsProven() async throws {
        let fixture = try Fixture()
        defer { fixture.scratch.remove() }
        let server = try await NameServer(Self.zone(Self.record(fixture.key)))
        defer { server.stop() }
        let prover = KeyProver(resolver: try server.resolver(), servers: [server.address])
        let commands = KeyCommands.over(fixture.store)
        let forced = await commands.perform(
            KeyRequest(.activate, domain: "example.test", isForced: true, user: "tester"))
        #expect(!forced.isError && !forced.warnings.isEmpty)
        let list = await commands.perform(KeyRequest(.list))
        #expect(list.text.contains("active (unproven, forced)"))
        let log = await commands.perform(KeyRequest(.log))
        #expect(log.text.contains("by tester (forced)"))
        let proven = await fixture.activate(prover, selector: "s1")
        #expect(!proven.isError, "\(proven.text)")
        #expect(await commands.perform(KeyRequest(.list)).text.contains("unproven") == false)
    }

    @Test func withoutASelectorEachWaitingKeyIsActivatedThatIsPublished() async throws {
        let fixture = try Fixture()
        defer { fixture.scratch.remove() }
        let ed25519 = try TestKeys.ed25519.get()
        let domain = try Self.domain.unwrapped
        _ = try fixture.store.add(ed25519, to: domain, selector: Selector("e1"), evidence: "generated", .test)
        let half = try await NameServer(Self.zone(Self.record(fixture.key)))
        let refused = await fixture.activate(KeyProver(resolver: try half.resolver(), servers: [half.address]))
        half.stop()
        #expect(refused.isError && refused.text.contains("e1._domainkey"))
        #expect(try fixture.state() == .active)
        let whole = try await NameServer(Self.zone(Self.record(fixture.key), Self.record(ed25519, "e1._domainkey")))
        defer { whole.stop() }
        let response = await fixture.activate(KeyProver(resolver: try whole.resolver(), servers: [whole.address]))
        #expect(!response.isError, "\(response.text)")
        let ring = KeyRing(store: fixture.store, logger: .none)
        #expect(ring.keys(for: domain)?.rsa != nil && ring.keys(for: domain)?.ed25519 != nil)
    }
}
