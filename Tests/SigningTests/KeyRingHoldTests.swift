// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Mail
import Testing

@testable import Signing

/// Keys that stand back, and mail that waits for a key.
@Suite struct KeyRingHoldTests {
    private static func drift(_ policy: RotationSettings.DriftPolicy, of domain: Domain? = nil) -> RotationPolicies {
        var rotation = RotationPolicies()
        if let domain {
            rotation.domains[domain] = RotationSettings()
            rotation.domains[domain]?.drift = policy
        } else {
            rotation.general.drift = policy
        }
        return rotation
    }

    private func selectors(_ fixture: SignerTests.Fixture, _ kind: NextHop.Kind = .mx) throws -> [String] {
        try SignerTests.selectors(fixture.signer.sign(SignerTests.departure(kind)).fields)
    }

    /// The next step of a held domain, checked as text that goes into replies and logs.
    private func heldStep(_ ring: KeyRing, of author: Domain = domain) throws -> String {
        guard case .held(let step) = ring.signability(of: author) else {
            throw KeyError("\(author) is not held: \(ring.signability(of: author))")
        }
        #expect(step.utf8.allSatisfy { (32...126).contains($0) } && step.utf8.count < 500, "\(step)")
        #expect(step.contains("waxwing keys "))
        return step
    }

    // MARK: Suspension

    @Test(arguments: [("r", "e"), ("e", "r")])
    func aSuspendedKeyDoesNotSignWhileTheDomainHasAnother(suspended: String, other: String) throws {
        let fixture = try SignerTests.Fixture()
        try fixture.store.suspend(suspended, of: domain)
        for policy in [RotationSettings.DriftPolicy.defer, .continue] {
            fixture.ring.reload(rotation: Self.drift(policy))
            #expect(fixture.ring.usableSelectors(of: domain).map(\.text) == [other])
            #expect(fixture.ring.signability(of: domain) == .signable)
            #expect(try selectors(fixture) == [other])
            #expect(try selectors(fixture, .smarthost) == [other])
            #expect(fixture.ring.holds == [:])
        }
        // Lifted, both sign again.
        try fixture.store.describe(suspended, of: domain) { $0.suspension = nil }
        fixture.ring.reload(domain)
        #expect(try selectors(fixture) == ["r", "e"])
    }

    @Test func whenAllAreSuspendedTheDriftPolicyDecides() throws {
        let fixture = try SignerTests.Fixture()
        for selector in ["r", "e"] { try fixture.store.suspend(selector, of: domain, reason: "ns1: NXDOMAIN\n\u{e9}") }
        fixture.ring.reload()
        let step = try heldStep(fixture.ring)
        #expect(step.contains("r: ns1: NXDOMAIN???; e: ns1: NXDOMAIN???"))
        #expect(step.contains("`waxwing keys show example.com`"))
        #expect(fixture.ring.holds == [domain: step])
        #expect(fixture.ring.usableSelectors(of: domain) == [])
        #expect(fixture.ring.signableDomains == 0)
        let error = #expect(throws: DepartureSigningError.self) { try selectors(fixture) }
        #expect(error?.text == step)

        fixture.ring.reload(rotation: Self.drift(.continue))
        #expect(try selectors(fixture) == ["r", "e"])
        #expect(fixture.ring.holds == [:] && fixture.ring.signableDomains == 1)
        // What the domain's own settings say counts more.
        var rotation = Self.drift(.defer, of: domain)
        rotation.general.drift = .continue
        fixture.ring.reload(rotation: rotation)
        _ = try heldStep(fixture.ring)
    }

    @Test func aKeyThatThePolicyForbidsIsNotAnotherKey() throws {
        let fixture = try SignerTests.Fixture(policies: .of(domain) { $0.algorithms = [.rsa] })
        try fixture.store.suspend("r", of: domain)
        fixture.ring.reload()
        _ = try heldStep(fixture.ring)
        fixture.ring.reload(rotation: Self.drift(.continue))
        #expect(try selectors(fixture) == ["r"])
        fixture.ring.reload(policies: SigningPolicies())
        #expect(try selectors(fixture) == ["e"])
    }

    @Test func ofTwoActiveKeysOfAKindTheOneThatTheDNSShowsSigns() throws {
        let fixture = try SignerTests.Fixture(ed25519: false)
        _ = try fixture.store.add(
            try TestKeys.otherRSA.get(), to: domain, selector: Selector("later"), evidence: "made", .test)
        try fixture.store.describe("later", of: domain) {
            $0.move(to: .active, at: noon.advanced(bySeconds: -60), by: "tester", evidence: nil)
            // Which one is later does not depend on a clock.
            $0.activationNumber = 2
        }
        fixture.ring.reload()
        #expect(fixture.ring.usableSelectors(of: domain).map(\.text) == ["later"])
        try fixture.store.suspend("later", of: domain)
        fixture.ring.reload()
        #expect(fixture.ring.usableSelectors(of: domain).map(\.text) == ["r"])
    }

    @Test func aSuspensionSurvivesBeingWrittenAndIsAbsentFromOtherDescriptions() throws {
        let fixture = try SignerTests.Fixture()
        try fixture.store.suspend("r", of: domain, reason: "gone")
        let description = try fixture.store.description(of: Selector("r").unwrapped, in: domain)
        #expect(description.suspension?.reason == "gone")
        #expect(description.suspension.map { Int64($0.since.timeIntervalSince1970) } == noon.seconds)
        let other = try fixture.store.description(of: Selector("e").unwrapped, in: domain)
        #expect(other.suspension == nil)
        #expect(try !String(decoding: other.json(), as: UTF8.self).contains("suspension"))
    }

    // MARK: Compromise

    @Test func aDomainWhoseOnlyKeyWasCompromisedIsHeldUntilAnotherSigns() throws {
        let fixture = try SignerTests.Fixture(ed25519: false)
        try fixture.store.compromise("r", of: domain)
        fixture.ring.reload(domain)
        #expect(try heldStep(fixture.ring).contains("`waxwing keys rotate example.com`"))
        let error = #expect(throws: DepartureSigningError.self) { try selectors(fixture) }
        #expect(error?.text == fixture.ring.holds[domain])

        _ = try fixture.store.add(
            try TestKeys.ed25519.get(), to: domain, selector: Selector("e"), evidence: "made", .test)
        fixture.ring.reload(domain)
        let step = try heldStep(fixture.ring)
        #expect(step.contains("waits for the key e,") && step.contains("`waxwing keys show example.com`"))

        _ = try fixture.store.activate(
            try Selector("e").unwrapped, of: domain, evidence: "tested", isUnproven: false, .test)
        fixture.ring.reload(domain)
        #expect(fixture.ring.holds == [:])
        #expect(try selectors(fixture) == ["e"])
    }

    @Test func aCompromisedKeyHoldsNothingWhileAnotherSigns() throws {
        let fixture = try SignerTests.Fixture()
        try fixture.store.compromise("r", of: domain)
        fixture.ring.reload()
        #expect(fixture.ring.signability(of: domain) == .signable)
        #expect(try selectors(fixture) == ["e"])
        // Unless the policy does not let that one sign.
        fixture.ring.reload(policies: .of(domain) { $0.algorithms = [.rsa] })
        #expect(try heldStep(fixture.ring).contains("algorithms"))
    }

    @Test(arguments: [KeyState.retiring, .revoked, .removed, .generated, .published])
    func withoutACompromiseMailIsRefusedForNowAndNotHeld(state: KeyState) throws {
        let fixture = try SignerTests.Fixture(ed25519: false)
        try fixture.store.describe("r", of: domain) { $0.move(to: state, at: noon, by: "tester", evidence: nil) }
        fixture.ring.reload()
        guard case .notUsable = fixture.ring.signability(of: domain) else {
            Issue.record("\(fixture.ring.signability(of: domain))")
            return
        }
        #expect(fixture.ring.holds == [:])
    }

    @Test func mailThatLeavesUnsignedOrUnderTheDomainAboveWaitsForNothing() throws {
        let fixture = try SignerTests.Fixture()
        let below = try Domain("news.example.com").unwrapped
        try fixture.store.addActive(try TestKeys.ed25519.get(), to: below, selector: "n")
        try fixture.store.compromise("n", of: below)
        fixture.ring.reload()
        _ = try heldStep(fixture.ring, of: below)
        fixture.ring.reload(policies: .of(domain) { $0.signsBelow = true })
        #expect(fixture.ring.signability(of: below) == .signable)
        #expect(fixture.ring.holds == [:])
        fixture.ring.reload(policies: .unsigned(below))
        #expect(fixture.ring.signability(of: below) == .unsigned)
        #expect(fixture.ring.holds == [:])
    }

    @Test func anAuthorDomainBelowAHeldOneIsHeldWithIt() throws {
        let fixture = try SignerTests.Fixture(ed25519: false, policies: .of(domain) { $0.signsBelow = true })
        try fixture.store.suspend("r", of: domain)
        fixture.ring.reload()
        let below = try Domain("news.example.com").unwrapped
        #expect(try heldStep(fixture.ring, of: below).contains("mail of example.com waits"))
        #expect(fixture.ring.holds.keys.sorted() == [domain])
    }
}
