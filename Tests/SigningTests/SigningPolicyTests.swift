// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Mail
import Testing

@testable import Signing

/// What a message looks like when it leaves, and whether its signatures verify then.
struct Sent {
    let octets: [UInt8]
    let fields: String

    init(_ departure: Departure, by signer: Signer, body: [UInt8] = SignerTests.body) throws {
        let signed = try signer.sign(departure)
        var header = departure.headerSection
        var end = header.count
        for range in signed.removed.reversed() {
            #expect(range.upperBound <= end && !range.isEmpty)
            end = range.lowerBound
            header.removeSubrange(range)
        }
        octets = signed.fields + header + Array("\r\n".utf8) + body
        fields = String(decoding: signed.fields, as: UTF8.self)
    }

    /// By the verifier, with the keys of the fixture published under each of some domains.
    func results(of sdids: [String] = ["example.com"], at time: Timestamp = noon) throws -> [Verification] {
        try Sent.results(of: octets, sdids, at: time)
    }

    static func results(
        of octets: [UInt8], _ sdids: [String] = ["example.com"], at time: Timestamp = noon
    ) throws -> [Verification] {
        var records: [String: String] = [:]
        for sdid in sdids {
            records["r._domainkey.\(sdid)"] = try TestKeys.rsa.get().keyRecord.text
            records["e._domainkey.\(sdid)"] = try TestKeys.ed25519.get().keyRecord.text
        }
        return Verifier(now: time.seconds) { name in records[name].map { .texts([$0]) } ?? .none }.verify(octets)
    }
}

@Suite struct SigningPolicyTests {
    typealias Fixture = SignerTests.Fixture

    private static func departure(
        _ signing: RouteSigning = RouteSigning(), kind: NextHop.Kind = .mx, header: String? = nil, kept: [UInt8]? = nil
    ) throws -> Departure {
        var departure = try SignerTests.departure(kind, kept: kept)
        if let header { departure.headerSection = Array(header.utf8) }
        departure.nextHop.signing = signing
        return departure
    }

    private static func overrides(_ change: (inout SignatureOverrides) -> Void) -> SignatureOverrides {
        var overrides = SignatureOverrides()
        change(&overrides)
        return overrides
    }

    // MARK: Canonicalization and body hash

    @Test(arguments: CanonicalizationPair.allCases)
    func eachCanonicalizationSignsAndTheBodyIsReadWhereNoHashIsKnown(pair: CanonicalizationPair) throws {
        let signing = RouteSigning(overrides: Self.overrides { $0.canonicalization = pair })
        for isKnown in [true, false] {
            var departure = try Self.departure(signing)
            let body = Array("Hello  there. \r\n\r\n".utf8)
            // Octet by octet, as far as a reader may go.
            departure.body = { consume in for index in body.indices { try consume(body[index...index]) } }
            let hasher = try BodyHasher(.relaxed)
            hasher.append(body)
            departure.bodyHashes =
                isKnown ? [BodyHash(canonicalization: .relaxed, digest: try hasher.finish())] : []
            let sent = try Sent(departure, by: Fixture().signer, body: body)
            let results = try sent.results()
            #expect(results.map(\.result) == [.pass, .pass])
            #expect(results.allSatisfy { $0.signature?.canonicalization.description == pair.rawValue })
        }
    }

    @Test func aBodyThatCannotBeReadDefersTheMessage() throws {
        struct Broken: Error {}
        var departure = try Self.departure()
        departure.bodyHashes = []
        departure.body = { _ in throw Broken() }
        let error = #expect(throws: DepartureSigningError.self) { try Fixture().signer.sign(departure) }
        #expect(error?.text.contains("can't be read") == true)
    }

    // MARK: Who has the last word

    @Test func theRouteOverridesTheDomainAndTheDomainWhatHoldsForAllMail() throws {
        var policies = SigningPolicies()
        policies.general.lifetime = 1000
        policies.general.signedFields = .names(["Subject"])
        policies.general.oversignedFields = .set(.from)
        policies.general.canonicalization = .relaxedSimple
        policies.domains[domain] = SigningPolicy()
        policies.domains[domain]?.overrides.lifetime = 2000
        policies.domains[domain]?.overrides.oversignedFields = .names(["Subject"])
        policies.domains[domain]?.auid = "news@mail.example.com"
        let signing = RouteSigning(overrides: Self.overrides { $0.lifetime = 3000 })
        let sent = try Sent(Self.departure(signing), by: Fixture(policies: policies).signer)
        for result in try sent.results() {
            let signature = try #require(result.signature)
            #expect(result.result == .pass)
            #expect(signature.expiresAt == noon.seconds + 3000)
            #expect(signature.signedFieldNames == ["from", "from", "subject", "subject"])
            #expect(signature.auid == "news@mail.example.com")
            #expect(signature.canonicalization.description == "relaxed/simple")
        }
        // Another domain's table has no say here.
        let other = SigningPolicies.of(try Domain("example.net").unwrapped) { $0.overrides.lifetime = 5000 }
        let plain = try Sent(Self.departure(), by: Fixture(policies: other).signer).results()
        #expect(plain.allSatisfy { $0.signature?.expiresAt == noon.seconds + 7 * 86_400 })
    }

    @Test func fromIsSignedAndOversignedWhateverTheListsSay() throws {
        let signing = RouteSigning(
            overrides: Self.overrides {
                $0.signedFields = .names([])
                $0.oversignedFields = .names([])
            })
        let sent = try Sent(Self.departure(signing), by: Fixture().signer)
        #expect(try sent.results().allSatisfy { $0.signature?.signedFieldNames == ["from", "from"] })
        // A second From makes the signature fail, and is not read in its place.
        let forged = Array("From: Mallory <m@example.com>\r\n".utf8)
        let results = try Sent.results(of: forged + sent.octets)
        #expect(results.allSatisfy { $0.result == .fail })
    }

    @Test func algorithmsKeepActiveKeysFromSigning() throws {
        for (algorithms, expected) in [
            ([SigningPolicy.Algorithm.rsa], ["r"]), ([.ed25519], ["e"]), ([.rsa, .ed25519], ["r", "e"]),
        ] {
            let fixture = try Fixture(policies: .of(domain) { $0.algorithms = Set(algorithms) })
            #expect(try SignerTests.selectors(fixture.signer.sign(Self.departure()).fields) == expected)
        }
        let fixture = try Fixture(rsa: false, policies: .of(domain) { $0.algorithms = [.rsa] })
        guard case .notUsable(let step) = fixture.ring.signability(of: domain) else {
            Issue.record("a key signs that the policy leaves out")
            return
        }
        #expect(step.contains("algorithms") && step.contains("waxwing keys generate example.com --algorithm rsa-2048"))
        #expect(throws: DepartureSigningError(text: step, isWantOfKey: true)) {
            try fixture.signer.sign(Self.departure())
        }
        #expect(fixture.ring.signableDomains == 0)
    }

    @Test func intakeLearnsWhichBodyHashTheDomainWillNeed() throws {
        let fixture = try Fixture()
        #expect(fixture.ring.bodyCanonicalization(of: domain) == .relaxed)
        var policies = SigningPolicies.of(domain) {
            $0.signsBelow = true
            $0.overrides.canonicalization = .relaxedSimple
        }
        fixture.ring.reload(policies: policies)
        let below = try Domain("mail.example.com").unwrapped
        let other = try Domain("example.net").unwrapped
        #expect(fixture.ring.bodyCanonicalization(of: domain) == .simple)
        #expect(fixture.ring.bodyCanonicalization(of: below) == .simple)
        #expect(fixture.ring.bodyCanonicalization(of: other) == .relaxed)
        policies.general.canonicalization = .simple
        policies.domains[domain]?.overrides.canonicalization = .simpleRelaxed
        fixture.ring.reload(policies: policies)
        #expect(fixture.ring.bodyCanonicalization(of: domain) == .relaxed)
        #expect(fixture.ring.bodyCanonicalization(of: other) == .simple)
    }

    // MARK: Kept signatures

    @Test func keptSignaturesServeOnlyTheWholeSamePolicyAndMessage() throws {
        let fixture = try Fixture()
        let signing = RouteSigning()
        let first = try fixture.signer.sign(Self.departure(signing)).fields
        fixture.noonClock.value = noon.advanced(bySeconds: 60)
        func isKept(_ departure: Departure) throws -> Bool { try fixture.signer.sign(departure).fields == first }
        #expect(try isKept(Self.departure(signing, kept: first)))
        let changes: [(inout SignatureOverrides) -> Void] = [
            { $0.canonicalization = .relaxedSimple }, { $0.canonicalization = .simpleRelaxed },
            { $0.lifetime = 90_000 },
            { $0.signedFields = .names(["Subject"]) }, { $0.oversignedFields = .set(.from) },
            { $0.oversignedFields = .set(.strict) },
        ]
        for (number, change) in changes.enumerated() {
            let signing = RouteSigning(overrides: Self.overrides(change))
            #expect(try !isKept(Self.departure(signing, kept: first)), "change \(number)")
        }
        #expect(try !isKept(Self.departure(RouteSigning(profile: .ses), kept: first)))
        #expect(try !isKept(Self.departure(RouteSigning(profile: .mailgun), kept: first)))
        var policies = SigningPolicies.of(domain) { $0.auid = "@example.com" }
        fixture.ring.reload(policies: policies)
        #expect(try !isKept(Self.departure(signing, kept: first)))
        policies = SigningPolicies()
        fixture.ring.reload(policies: policies)
        #expect(try isKept(Self.departure(signing, kept: first)))
        // Another rendition: the body may hash the same, and the header section is another.
        let header = String(decoding: SignerTests.header, as: UTF8.self)
        #expect(
            try !isKept(
                Self.departure(signing, header: header + "Content-Transfer-Encoding: 7bit\r\n", kept: first)))
        #expect(
            try !isKept(
                Self.departure(signing, header: header.replacing("Hello", with: "Hallo"), kept: first)))
        // A field that nobody signs may come and go.
        #expect(try isKept(Self.departure(signing, header: "Received: x\r\n" + header, kept: first)))
        // The clock was set back.
        fixture.noonClock.value = noon.advanced(bySeconds: -1)
        #expect(try !isKept(Self.departure(signing, kept: first)))
    }

    @Test func aSignatureOfAShortLifeServesForHalfOfIt() throws {
        let fixture = try Fixture()
        let signing = RouteSigning(overrides: Self.overrides { $0.lifetime = 3600 })
        let first = try fixture.signer.sign(Self.departure(signing)).fields
        for (age, isKept) in [(0, true), (1799, true), (1800, false)] {
            fixture.noonClock.value = noon.advanced(bySeconds: Int64(age))
            let next = try fixture.signer.sign(Self.departure(signing, kept: first)).fields
            #expect((next == first) == isKept, "after \(age) s")
        }
    }

    // MARK: Signatures that a message came with

    private static func header(with sdids: [String]) -> String {
        sdids.enumerated().map { "X-Order: \($0)\r\nDKIM-Signature: v=1; a=rsa-sha256;\r\n d=\($1); b=x\r\n" }.joined()
            + String(decoding: SignerTests.header, as: UTF8.self)
    }

    struct ExistingCase: Sendable {
        let setting: ExistingSignatures
        var profile: RouteProfile?
        var isUnsigned = false
        let present: [String]
        let remaining: [String]
    }

    @Test(arguments: [
        ExistingCase(setting: .keep, present: ["a.example", "example.com"], remaining: ["a.example", "example.com"]),
        ExistingCase(setting: .stripOwn, present: ["a.example", "Example.com"], remaining: ["a.example"]),
        ExistingCase(setting: .stripOwn, present: ["sub.example.com", ""], remaining: ["sub.example.com", ""]),
        ExistingCase(setting: .strip, present: ["a.example", "example.com", ""], remaining: []),
        ExistingCase(setting: .strip, isUnsigned: true, present: ["a.example"], remaining: []),
        ExistingCase(
            setting: .stripOwn, isUnsigned: true, present: ["example.com", "b.example"], remaining: ["b.example"]),
        ExistingCase(setting: .keep, isUnsigned: true, present: ["a.example"], remaining: ["a.example"]),
        ExistingCase(setting: .keep, profile: .ses, present: ["a.example"], remaining: []),
        ExistingCase(setting: .stripOwn, profile: .ses, present: ["a.example"], remaining: []),
        ExistingCase(setting: .keep, profile: .ses, isUnsigned: true, present: ["a.example"], remaining: ["a.example"]),
        ExistingCase(
            setting: .keep, profile: .ses, isUnsigned: true, present: ["a.example", "b.example"], remaining: []),
        ExistingCase(
            setting: .stripOwn, profile: .ses, isUnsigned: true, present: ["a.example", "example.com"],
            remaining: ["a.example"]),
        ExistingCase(setting: .keep, profile: .sendgrid, present: ["a.example"], remaining: ["a.example"]),
        ExistingCase(setting: .strip, present: [], remaining: []),
    ])
    func existingSignaturesStayOrGo(_ example: ExistingCase) throws {
        let signing = RouteSigning(
            profile: example.profile, isUnsigned: example.isUnsigned,
            overrides: Self.overrides { $0.existingSignatures = example.setting })
        let departure = try Self.departure(signing, kind: .capture, header: Self.header(with: example.present))
        let fixture = try Fixture()
        let sent = try Sent(departure, by: fixture.signer)
        let results = try sent.results()
        let own = example.isUnsigned ? 0 : example.profile == .ses ? 1 : 2
        #expect(results.prefix(own).allSatisfy { $0.result == .pass } && results.count >= own)
        let text = String(decoding: sent.octets, as: UTF8.self)
        let remaining = text.split(separator: "\r\n").filter { $0.hasPrefix(" d=") && $0.hasSuffix("b=x") }
            .map { String($0.dropFirst(3).dropLast(5)) }
        #expect(remaining == example.remaining.map { $0 })
        #expect(text.components(separatedBy: "X-Order: ").count - 1 == example.present.count)
        #expect(text.components(separatedBy: "DKIM-Signature:").count - 1 == own + example.remaining.count)
    }

    // MARK: Unsigned

    @Test func aRouteThatSaysUnsignedNeedsNoKeys() throws {
        let fixture = try Fixture(rsa: false, ed25519: false)
        let sent = try fixture.signer.sign(Self.departure(RouteSigning(isUnsigned: true)))
        #expect(sent == SignedDeparture(fields: []))
        #expect(throws: DepartureSigningError.self) { try fixture.signer.sign(Self.departure()) }
    }
}
