// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Mail
import TestSupport
import Testing

@testable import Signing

/// Which domain signs: never one that does not align with From.
@Suite struct AlignmentTests {
    private static func named(_ name: String) throws -> Domain { try Domain(name).unwrapped }

    private static func policies(signingBelow names: String...) throws -> SigningPolicies {
        var policies = SigningPolicies()
        for name in names { policies.domains[try named(name), default: SigningPolicy()].signsBelow = true }
        return policies
    }

    /// A ring whose keys are in no directory.
    private final class Ring {
        let scratch: Scratch
        let ring: KeyRing

        init(keysOf names: [String], _ policies: SigningPolicies = SigningPolicies()) throws {
            scratch = try Scratch()
            ring = KeyRing(store: KeyStore(directory: scratch.keys), policies: policies, logger: .none)
            for name in names {
                let description = KeyDescription(
                    domain: try named(name), selector: try Selector("e").unwrapped, key: try TestKeys.ed25519.get(),
                    at: noon, by: "tester", evidence: nil)
                let active = try ActiveKey(description, privateKey: try TestKeys.ed25519.get())
                ring.replaceKeys(of: try named(name), with: DomainKeys(ed25519: active))
            }
        }

        deinit { scratch.remove() }

        /// The SDID of what is signed for an author domain; nil if nothing is.
        func sdid(for author: String) throws -> String? {
            let author = try named(author)
            let header = "From: a@\(author)\r\nSubject: x\r\n"
            var departure = try SignerTests.departure(.mx)
            departure.authorDomain = author
            departure.headerSection = Array(header.utf8)
            let signer = Signer(ring: ring, clock: WallClock { noon }, events: { _ in })
            let isSignable = ring.signability(of: author) == .signable
            guard let sent = try? Sent(departure, by: signer) else {
                #expect(!isSignable)
                return nil
            }
            #expect(isSignable)
            let sdid = try HeaderFields(Array(sent.fields.utf8)).presentSignatures.compactMap(\.sdid).first.unwrapped
            #expect(try sent.results(of: [sdid]).map(\.result) == [.pass])
            return sdid
        }
    }

    @Test func onlyTheAuthorDomainSignsUnlessOneAboveSaysSo() throws {
        let plain = try Ring(keysOf: ["example.com", "com"])
        #expect(try plain.sdid(for: "example.com") == "example.com")
        for author in ["mail.example.com", "a.mail.example.com", "example.net", "badexample.com"] {
            #expect(try plain.sdid(for: author) == nil)
        }
        let below = try Ring(keysOf: ["example.com"], Self.policies(signingBelow: "example.com"))
        #expect(try below.sdid(for: "a.mail.example.com") == "example.com")
        #expect(try below.sdid(for: "badexample.com") == nil)
        #expect(try below.sdid(for: "com") == nil)
    }

    @Test func theNearestDomainWithAKeySigns() throws {
        let policies = try Self.policies(signingBelow: "example.com", "mail.example.com", "deep.mail.example.com")
        let ring = try Ring(keysOf: ["example.com", "mail.example.com", "own.mail.example.com"], policies)
        for (author, sdid) in [
            ("x.mail.example.com", "mail.example.com"), ("own.mail.example.com", "own.mail.example.com"),
            ("x.own.mail.example.com", "mail.example.com"), ("x.deep.mail.example.com", "mail.example.com"),
            ("mail.example.com", "mail.example.com"), ("other.example.com", "example.com"),
        ] {
            #expect(try ring.sdid(for: author) == sdid, "\(author)")
        }
    }

    @Test func aSubdomainsOwnTableHoldsWhoeverSigns() throws {
        var policies = try Self.policies(signingBelow: "example.com")
        policies.domains[try Self.named("example.com")]?.auid = "@example.com"
        policies.domains[try Self.named("news.example.com")] = SigningPolicy()
        policies.domains[try Self.named("news.example.com")]?.auid = "@news.example.com"
        policies.domains[try Self.named("plain.example.com")] = SigningPolicy()
        policies.domains[try Self.named("plain.example.com")]?.isUnsigned = true
        let ring = try Ring(keysOf: ["example.com"], policies).ring
        func policy(_ author: String) throws -> SigningPolicy? {
            guard case .signed(let signatory) = ring.decision(for: try Self.named(author)) else { return nil }
            return signatory.policy
        }
        #expect(try policy("shop.example.com")?.auid == "@example.com")
        #expect(try policy("news.example.com")?.auid == "@news.example.com")
        #expect(try policy("plain.example.com") == nil)
        #expect(ring.signability(of: try Self.named("plain.example.com")) == .unsigned)
        // Unsigned is for the domain that says it, not for those below.
        #expect(ring.signability(of: try Self.named("x.plain.example.com")) == .signable)
    }

    @Test func aSubdomainsKeyThatDoesNotSignYetLeavesTheSigningToTheOneAbove() throws {
        let fixture = try SignerTests.Fixture(policies: .of(domain) { $0.signsBelow = true })
        let below = try Self.named("mail.example.com")
        _ = try fixture.store.add(
            try TestKeys.otherRSA.get(), to: below, selector: Selector("m"), evidence: "generated", .test)
        fixture.ring.reload()
        #expect(fixture.ring.signability(of: below) == .signable)
        guard case .signed(let signatory) = fixture.ring.decision(for: below) else {
            Issue.record("nobody signs")
            return
        }
        #expect(signatory.sdid == domain)
        // Without permission its own next step counts.
        fixture.ring.reload(policies: SigningPolicies())
        guard case .notUsable(let step) = fixture.ring.signability(of: below) else {
            Issue.record("\(fixture.ring.signability(of: below))")
            return
        }
        #expect(step.contains("waxwing keys activate mail.example.com --selector m"))
    }

    @Test func theNextStepOfASubdomainNamesBothWays() throws {
        let ring = try Ring(keysOf: ["example.com"]).ring
        guard case .noKeys(let step) = ring.signability(of: try Self.named("mail.example.com")) else {
            Issue.record("a subdomain signs")
            return
        }
        #expect(step.contains("waxwing keys generate mail.example.com"))
        #expect(step.contains("subdomains = true") && step.contains("example.com sign for it"))
        guard case .noKeys(let other) = ring.signability(of: try Self.named("example.net")) else {
            Issue.record("another domain signs")
            return
        }
        #expect(!other.contains("subdomains"))
        #expect([step, other].allSatisfy { $0.utf8.allSatisfy { (32...126).contains($0) } && $0.utf8.count < 400 })
    }

    /// Whatever the keys and the tables are: d= is the author domain or one above it that says so.
    @Test func noSignatureIsEverUnaligned() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        func name(_ random: inout SeededGenerator) -> String {
            let labels = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                ["a", "b", "example", "xn--bcher-kva"].randomElement(using: &random) ?? "a"
            }
            return (labels + [["com", "test"].randomElement(using: &random) ?? "com"]).joined(separator: ".")
        }
        var signed = 0
        for round in 0..<150 {
            let keyed = Set((0..<Int.random(in: 1...6, using: &random)).map { _ in name(&random) }).sorted()
            var policies = SigningPolicies()
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let table = try Self.named(
                    Bool.random(using: &random) ? name(&random) : keyed.randomElement(using: &random) ?? "com")
                policies.domains[table, default: SigningPolicy()].signsBelow = Bool.random(using: &random)
                policies.domains[table]?.isUnsigned = Int.random(in: 0...9, using: &random) == 0
            }
            let ring = try Ring(keysOf: keyed, policies)
            for _ in 0..<6 {
                let below = keyed.randomElement(using: &random).map { "x." + $0 } ?? "x.test"
                let author = Bool.random(using: &random) ? name(&random) : below
                if policies.isUnsigned(try Self.named(author)) { continue }
                let words: Comment = "seed \(seed), round \(round): \(author)"
                guard let sdid = try ring.sdid(for: author) else {
                    // Nobody who was allowed to could have signed.
                    #expect(!keyed.contains(author), words)
                    continue
                }
                signed += 1
                let signer = try Self.named(sdid)
                #expect(try Self.named(author).isEqualOrBelow(signer), words)
                #expect(sdid == author || policies.domains[signer]?.signsBelow == true, words)
                #expect(keyed.contains(sdid), words)
            }
        }
        #expect(signed > 50, "seed \(seed)")
    }
}
