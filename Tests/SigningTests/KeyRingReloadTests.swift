// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Mail
import Synchronization
import Testing

@testable import Signing

/// What a reload reads again, and what it leaves alone.
@Suite struct KeyRingReloadTests {
    private static let other = unsafe Domain("example.net").unsafelyUnwrapped

    @Test func aReloadKeepsTheKeysWhoseFilesAreTheSame() throws {
        let fixture = try SignerTests.Fixture()
        let before = try #require(fixture.ring.keys(for: domain))
        fixture.ring.reload()
        fixture.ring.reload(domain)
        // A description that says something else of the same key is no other key.
        try fixture.store.describe("r", of: domain) { $0.history[0].evidence = "looked at again" }
        fixture.ring.reload()
        let after = try #require(fixture.ring.keys(for: domain))
        #expect(after.rsa === before.rsa && after.ed25519 === before.ed25519)
    }

    @Test func aDomainWhoseDirectoryCannotBeReadSignsOn() throws {
        let fixture = try SignerTests.Fixture()
        let before = try #require(fixture.ring.keys(for: domain))
        let directory = fixture.scratch.keys + "/\(domain)"
        try FileManager.default.moveItem(atPath: directory, toPath: fixture.scratch.path + "/away")
        // What is no directory can't be read as one, not even by root.
        try Data().write(to: URL(fileURLWithPath: directory))
        fixture.ring.reload(domain)
        fixture.ring.reload()
        let after = try #require(fixture.ring.keys(for: domain))
        #expect(after.rsa === before.rsa && after.ed25519 === before.ed25519)
    }

    @Test func aPrivateKeyFileThatIsNotTheSameIsReadAgain() throws {
        let fixture = try SignerTests.Fixture(ed25519: false)
        let first = try #require(fixture.ring.keys(for: domain)?.rsa)
        let path = fixture.scratch.keys + "/example.com/r/private.pem"
        let content = try Data(contentsOf: URL(fileURLWithPath: path))
        try content.write(to: URL(fileURLWithPath: path), options: .atomic)
        try fixture.scratch.setMode(0o600, "example.com/r/private.pem")
        fixture.ring.reload()
        let second = try #require(fixture.ring.keys(for: domain)?.rsa)
        #expect(second !== first)

        // A mode that lets others read it is noticed, though the content is the same.
        try fixture.scratch.setMode(0o644, "example.com/r/private.pem")
        fixture.ring.reload()
        #expect(fixture.ring.keys(for: domain) == nil)
        try fixture.scratch.setMode(0o600, "example.com/r/private.pem")
        fixture.ring.reload()
        #expect(fixture.ring.signability(of: domain) == .signable)

        try FileManager.default.removeItem(atPath: path)
        fixture.ring.reload(domain)
        guard case .notUsable(let step) = fixture.ring.signability(of: domain) else {
            Issue.record("\(fixture.ring.signability(of: domain))")
            return
        }
        #expect(step.contains(path))
    }

    @Test func aReloadOfOneDomainReadsNoOther() throws {
        let fixture = try SignerTests.Fixture(rsa: false, ed25519: false)
        try fixture.store.addActive(try TestKeys.rsa.get(), to: domain, selector: "r")
        try fixture.store.addActive(try TestKeys.rsa.get(), to: Self.other, selector: "r")
        fixture.ring.reload(domain)
        #expect(fixture.ring.usableSelectors(of: domain).map(\.text) == ["r"])
        #expect(fixture.ring.usableSelectors(of: Self.other) == [])
        #expect(fixture.ring.signableDomains == 1)
        fixture.ring.reload(Self.other)
        #expect(fixture.ring.signableDomains == 2)
        // What is gone signs no more.
        try FileManager.default.removeItem(atPath: fixture.scratch.keys + "/example.com")
        fixture.ring.reload(domain)
        #expect(fixture.ring.usableSelectors(of: domain) == [])
        guard case .noKeys = fixture.ring.signability(of: domain) else {
            Issue.record("\(fixture.ring.signability(of: domain))")
            return
        }
    }

    @Test func aReloadTakesThePoliciesThatItIsGivenAndKeepsTheOthers() throws {
        let fixture = try SignerTests.Fixture()
        fixture.ring.reload(policies: .of(domain) { $0.algorithms = [.ed25519] })
        #expect(fixture.ring.usableSelectors(of: domain).map(\.text) == ["e"])
        var rotation = RotationPolicies()
        rotation.general.drift = .continue
        fixture.ring.reload(rotation: rotation)
        #expect(fixture.ring.usableSelectors(of: domain).map(\.text) == ["e"])
        try fixture.store.suspend("e", of: domain)
        fixture.ring.reload(policies: SigningPolicies())
        #expect(fixture.ring.usableSelectors(of: domain).map(\.text) == ["r"])
        fixture.ring.reload(policies: .of(domain) { $0.algorithms = [.ed25519] })
        // The rotation settings are those given before: it goes on signing.
        #expect(fixture.ring.usableSelectors(of: domain).map(\.text) == ["e"])
    }

    /// While one thread swaps the active key to and fro, others sign: no signature has the selector of one key and is
    /// made by the other.
    @Test func noSignatureIsMadeByANewKeyUnderAnOldSelector() async throws {
        let fixture = try SignerTests.Fixture(rsa: false, ed25519: false)
        let keys = ["a": try TestKeys.ed25519.get(), "b": try SigningKey.generate(.ed25519)]
        for (selector, key) in keys { try fixture.store.addActive(key, to: domain, selector: selector) }
        fixture.ring.reload()
        let records = keys.map { ("\($0)._domainkey.example.com", $1.keyRecord.text) }
        let published = Dictionary(uniqueKeysWithValues: records)
        let (signer, departure) = (fixture.signer, try SignerTests.departure(.mx))
        let end = End()
        let (ring, store) = (fixture.ring, fixture.store)
        try await withThrowingTaskGroup(of: Set<String>.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    var seen: Set<String> = []
                    for round in 0..<20_000 {
                        if round >= 50, end.isReached.load(ordering: .relaxed) { break }
                        let sent = try Sent(departure, by: signer)
                        let results = Verifier(now: noon.seconds) { name in
                            published[name].map { .texts([$0]) } ?? .none
                        }.verify(sent.octets)
                        #expect(results.map(\.result) == [.pass])
                        seen.formUnion(results.compactMap { $0.signature?.selector })
                        await Task.yield()
                    }
                    return seen
                }
            }
            for round in 0..<60 {
                let selector = try Selector(round.isMultiple(of: 2) ? "a" : "b").unwrapped
                let time = KeyStore.Change(time: noon.advanced(bySeconds: Int64(round)), user: "tester")
                _ = try store.activate(selector, of: domain, evidence: "tested", isUnproven: false, time)
                if round.isMultiple(of: 3) { ring.reload() } else { ring.reload(domain) }
                #expect(ring.usableSelectors(of: domain) == [selector])
                await Task.yield()
            }
            end.isReached.store(true, ordering: .relaxed)
            var seen: Set<String> = []
            for try await some in group { seen.formUnion(some) }
            #expect(seen == ["a", "b"])
        }
    }

    private final class End: Sendable {
        let isReached = Atomic(false)
    }

    @Test func reloadsAtTheSameTimeLeaveTheRingAsTheDirectoryIs() async throws {
        let fixture = try SignerTests.Fixture(rsa: false, ed25519: false)
        let names = try (0..<24).map { try Domain("d\($0).example").unwrapped }
        let (ring, store) = (fixture.ring, fixture.store)
        await withTaskGroup(of: Void.self) { group in
            for name in names {
                group.addTask {
                    _ = try? store.addActive(TestKeys.ed25519.get(), to: name, selector: "e")
                    ring.reload(name)
                    ring.reload()
                }
            }
        }
        #expect(ring.signableDomains == names.count)
        #expect(names.allSatisfy { ring.usableSelectors(of: $0).map(\.text) == ["e"] })
    }
}
