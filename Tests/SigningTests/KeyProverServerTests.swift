// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Testing

@testable import DNS
@testable import Signing

/// Looks at real name servers.
@Suite(.enabled(if: NameServer.isWanted, NameServer.advice), .serialized)
struct KeyProverServerTests {
    static func key(_ key: SigningKey? = nil) throws -> KeyDescription {
        KeyDescription(
            domain: try ActivationTests.domain.unwrapped, selector: try Selector("s1").unwrapped,
            key: try key ?? TestKeys.rsa.get(), at: noon, by: "tester", evidence: nil)
    }

    static func look(_ entries: String..., key: KeyDescription? = nil) async throws -> KeyEvidence {
        let zone = ActivationTests.zone(entries.joined(separator: "\n"))
        let server = try await NameServer(zone)
        defer { server.stop() }
        return await KeyProver(resolver: try server.resolver(), servers: [server.address])
            .look(at: try key ?? Self.key())
    }

    @Test func theEvidenceHoldsTimesAndZone() async throws {
        let record = ActivationTests.record(try TestKeys.rsa.get(), "s1._domainkey 7200")
        let evidence = try await Self.look(record)
        #expect(evidence.verdict == .published && evidence.findings.isEmpty && evidence.warnings.isEmpty)
        #expect(evidence.recordTTL == 7200 && evidence.negativeTTL == 60 && evidence.zone == "example.test")
        let missing = try await Self.look("")
        #expect(missing.verdict == .absent && missing.negativeTTL == 60 && missing.recordTTL == nil)
    }

    @Test func aKeyOf4096BitsIsProven() async throws {
        let key = try SigningKey.generate(.rsa(bits: 4096))
        let evidence = try await Self.look(ActivationTests.record(key), key: try Self.key(key))
        #expect(evidence.verdict == .published, "\(evidence)")
    }

    @Test func aRecordUnderADoubledNameIsPointedAt() async throws {
        let record = ActivationTests.record(try TestKeys.rsa.get(), "s1._domainkey.example.test")
        let evidence = try await Self.look(record)
        #expect(evidence.verdict == .absent)
        #expect(
            evidence.findings.contains {
                $0.contains("stands at s1._domainkey.example.test.example.test")
                    && $0.contains("enter only s1._domainkey as its name")
            }, "\(evidence.findings)")
    }

    @Test func faultsOfZonesAreTold() async throws {
        let record = try TestKeys.rsa.get().keyRecord.text
        let cases: [(String, KeyEvidence.Verdict, String)] = [
            ("s1._domainkey IN CNAME nowhere.example.test.", .absent, "which does not exist"),
            ("s1._domainkey IN CNAME ns1.example.test.", .absent, "which has no TXT record"),
            ("s1._domainkey IN CNAME s1._domainkey", .wrong, "lead in a circle"),
            ("s1._domainkey IN TXT \"\(record.prefix(255))\"", .wrong, "cut off"),
            ("s1._domainkey IN TXT \"\\\"v=DKIM1\\\"\"", .wrong, "quotation marks"),
            ("*._domainkey IN TXT \"v=spf1 -all\"", .absent, "a wildcard record"),
            ("s1._domainkey IN TXT \"v=DKIM1; p=\"", .revoked, "revoked"),
            ("s1._domainkey IN TXT \"a\" \ns1._domainkey IN TXT \"b\"", .wrong, "2 TXT records"),
        ]
        for (entry, verdict, expected) in cases {
            let evidence = try await Self.look(entry)
            #expect(
                evidence.verdict == verdict && evidence.findings.contains { $0.contains(expected) },
                "\(entry): \(evidence)")
        }
    }

    @Test func aSecondaryThatIsBehindIsNamed() async throws {
        let key = try TestKeys.rsa.get()
        let primary = try await NameServer(ActivationTests.zone(ActivationTests.record(key)))
        defer { primary.stop() }
        let port = primary.address.port
        let prover = KeyProver(AuthoritativeServers(resolver: try primary.resolver(), port: port))
        let alone = await prover.look(at: try Self.key())
        #expect(
            alone.verdict == .unknown && alone.summary.hasPrefix("ns2.example.test (127.0.0.2@\(port)): not reachable"))
        let old = try await NameServer(ActivationTests.zone(), on: "127.0.0.2", port: port)
        let behind = await prover.look(at: try Self.key())
        old.stop()
        #expect(behind.verdict == .wrong && behind.findings.count == 1)
        #expect(behind.summary.hasPrefix("ns2.example.test (127.0.0.2@\(port)): the name s1._domainkey"))
        let fresh = try await NameServer(
            ActivationTests.zone(ActivationTests.record(key)), on: "127.0.0.2", port: port)
        defer { fresh.stop() }
        #expect(await prover.look(at: try Self.key()).verdict == .published)
    }

    @Test func aServerThatAnswersOnlyOverUDPIsNamed() async throws {
        let key = try Self.key()
        let server = try ScriptedServer { message, transport in
            transport == .tcp ? [] : [Reply.to(message, answers: [Reply.text(key.record)])]
        }
        defer { server.stop() }
        let resolver = try UnboundResolver(logger: .none)
        let evidence = await KeyProver(resolver: resolver, servers: [server.address]).look(at: key)
        #expect(evidence.verdict == .unknown)
        #expect(evidence.findings.count == 1 && evidence.summary.contains("no answer over TCP"), "\(evidence)")
    }
}
