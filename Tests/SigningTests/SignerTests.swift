// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import Synchronization
import Testing

@testable import DKIM
@testable import Signing

@Suite struct SignerTests {
    static let header = Array(
        """
        From: A <a@example.com>\r
        To: b@example.net\r
        Subject: Hello\r
        Date: Mon, 23 Nov 2026 12:00:00 +0000\r
        Message-ID: <1@example.com>\r

        """.utf8)
    static let body = Array("Hello.\r\n".utf8)

    /// A ring with the keys that a test names, and a signer over it.
    final class Fixture {
        let scratch: Scratch
        let store: KeyStore
        let ring: KeyRing
        let events = Events()

        init(
            rsa: Bool = true, ed25519: Bool = true, policies: SigningPolicies = SigningPolicies()
        ) throws {
            scratch = try Scratch()
            store = KeyStore(directory: scratch.keys)
            if rsa { try store.addActive(try TestKeys.rsa.get(), to: domain, selector: "r") }
            if ed25519 { try store.addActive(try TestKeys.ed25519.get(), to: domain, selector: "e") }
            ring = KeyRing(store: store, policies: policies, logger: .none)
        }

        deinit { scratch.remove() }

        var signer: Signer {
            let time = noonClock
            return Signer(ring: ring, clock: WallClock { time.value }, events: events.sink)
        }

        let noonClock = Clock()
    }

    final class Clock: Sendable {
        private let time = Mutex(noon)

        var value: Timestamp {
            get { time.withLock { $0 } }
            set { time.withLock { $0 = newValue } }
        }
    }

    static func departure(
        _ kind: NextHop.Kind, _ host: String = "mx.example.net", ed25519: Bool? = nil, isUnsigned: Bool = false,
        kept: [UInt8]? = nil
    ) throws -> Departure {
        let hasher = try BodyHasher(.relaxed)
        hasher.append(body)
        return Departure(
            queueID: QueueID(arrival: noon, distinguisher: 1),
            envelope: Envelope(reversePath: .null, recipients: []), authorDomain: domain, headerSection: header,
            bodyHashes: [BodyHash(canonicalization: .relaxed, digest: try hasher.finish())],
            body: { consume in try consume(body[...]) },
            nextHop: NextHop(
                kind: kind, host: host, signing: RouteSigning(ed25519: ed25519, isUnsigned: isUnsigned)),
            keptFields: kept)
    }

    /// The selectors of what was signed, each verified.
    static func selectors(_ fields: [UInt8], at time: Timestamp = noon) throws -> [String] {
        let records = [
            "r._domainkey.example.com": try TestKeys.rsa.get().keyRecord.text,
            "e._domainkey.example.com": try TestKeys.ed25519.get().keyRecord.text,
        ]
        let verifier = Verifier(now: time.seconds) { name in records[name].map { .texts([$0]) } ?? .none }
        let results = verifier.verify(fields + header + Array("\r\n".utf8) + body)
        for result in results { #expect(result.result == .pass, "\(result.reason)") }
        return results.map { $0.signature?.selector ?? "" }
    }

    @Test func itTellsTheBodyHashThatItHadToCompute() throws {
        let signer = try Fixture().signer
        var departure = try SignerTests.departure(.smarthost)
        #expect(try signer.sign(departure).bodyHashes == [])
        let hashes = departure.bodyHashes
        departure.bodyHashes = []
        #expect(try signer.sign(departure).bodyHashes == hashes)
    }

    @Test func rsaAlwaysSignsAndEd25519BesideItWhereTheRouteCanBearTwo() throws {
        let fixture = try Fixture()
        let cases: [(NextHop.Kind, String, Bool?, [String])] = [
            (.mx, "example.net", nil, ["r", "e"]),
            (.mx, "example.net", true, ["r", "e"]),
            (.mx, "example.net", false, ["r"]),
            (.capture, "capture", nil, ["r", "e"]),
            (.capture, "capture", false, ["r"]),
            (.smarthost, "smtp.example.org", nil, ["r"]),
            (.smarthost, "smtp.example.org", false, ["r"]),
            (.smarthost, "smtp.example.org", true, ["r", "e"]),
            (.smarthost, "email-smtp.eu-west-1.amazonaws.com", nil, ["r"]),
            (.smarthost, "email-smtp.eu-west-1.amazonaws.com", true, ["r"]),
            (.smarthost, "email-smtp.eu-west-1.amazonaws.com.", true, ["r"]),
            (.mx, "eu-west-1.amazonaws.com", true, ["r"]),
            (.smarthost, "notamazonaws.com", true, ["r", "e"]),
            (.smarthost, "amazonaws.com.example.org", true, ["r", "e"]),
        ]
        for (kind, host, ed25519, expected) in cases {
            let fields = try fixture.signer.sign(Self.departure(kind, host, ed25519: ed25519)).fields
            #expect(try Self.selectors(fields) == expected, "\(kind) \(host) \(String(describing: ed25519))")
        }
    }

    @Test func aDomainWithoutAnRSAKeySignsWithEd25519AloneEverywhere() throws {
        let fixture = try Fixture(rsa: false)
        for kind in [NextHop.Kind.mx, .capture, .smarthost] {
            #expect(try Self.selectors(fixture.signer.sign(Self.departure(kind)).fields) == ["e"])
        }
    }

    @Test func amazonGetsNoSignatureOverWhatItRewrites() throws {
        let fixture = try Fixture()
        func signed(_ host: String) throws -> [Substring] {
            let text = String(decoding: try fixture.signer.sign(Self.departure(.smarthost, host)).fields, as: UTF8.self)
            let plain = text.filter { !$0.isWhitespace }.lowercased()
            let names = plain.split(separator: ";").first { $0.hasPrefix("h=") } ?? "h="
            return names.dropFirst(2).split(separator: ":")
        }
        let amazon = try signed("email-smtp.us-east-1.amazonaws.com")
        #expect(!amazon.contains("date") && !amazon.contains("message-id") && amazon.contains("from"))
        let other = try signed("smtp.example.org")
        #expect(other.contains("date") && other.contains("message-id") && other.count { $0 == "from" } == 2)
    }

    @Test func aSignatureExpiresSevenDaysAfterItWasMade() throws {
        let text = String(decoding: try Fixture().signer.sign(Self.departure(.mx)).fields, as: UTF8.self)
        #expect(text.contains("t=\(noon.seconds);") && text.contains("x=\(noon.seconds + 604_800);"))
        #expect(text.hasSuffix("\r\n") && !text.contains("l="))
    }

    @Test func onlyTheConfigurationLetsMailGoUnsigned() throws {
        #expect(try Fixture().signer.sign(Self.departure(.mx, isUnsigned: true)).fields == [])
        #expect(try Fixture(policies: .unsigned(domain)).signer.sign(Self.departure(.mx)).fields == [])
        let without = try Fixture(rsa: false, ed25519: false)
        let error = #expect(throws: DepartureSigningError.self) { try without.signer.sign(Self.departure(.mx)).fields }
        #expect(error?.text.contains("waxwing keys generate example.com") == true)
        var departure = try Self.departure(.mx)
        departure.headerSection = Array("no header field\r\n".utf8)
        #expect(throws: DepartureSigningError.self) { try Fixture().signer.sign(departure).fields }
    }

    @Test func keptSignaturesServeUntilADayBeforeTheyExpire() throws {
        let fixture = try Fixture()
        let first = try fixture.signer.sign(Self.departure(.mx)).fields
        let week = SignatureSettings().lifetime
        for (age, isKept) in [
            (0, true), (3600, true), (week - 86_401, true), (week - 86_400, false), (week + 1, false),
        ] {
            fixture.noonClock.value = noon.advanced(bySeconds: age)
            let next = try fixture.signer.sign(Self.departure(.mx, kept: first)).fields
            #expect((next == first) == isKept, "after \(age) s")
            #expect(try Self.selectors(next, at: fixture.noonClock.value) == ["r", "e"])
        }
    }

    @Test func keptSignaturesDoNotServeAnotherPolicyContentOrKey() throws {
        let fixture = try Fixture()
        let two = try fixture.signer.sign(Self.departure(.mx)).fields
        let one = try fixture.signer.sign(Self.departure(.smarthost)).fields
        fixture.noonClock.value = noon.advanced(bySeconds: 60)
        func isKept(_ departure: Departure) throws -> Bool {
            try fixture.signer.sign(departure).fields == departure.keptFields
        }
        #expect(try isKept(Self.departure(.mx, kept: two)))
        #expect(try isKept(Self.departure(.smarthost, kept: one)))
        #expect(try !isKept(Self.departure(.mx, kept: one)))
        #expect(try !isKept(Self.departure(.smarthost, kept: two)))
        #expect(try !isKept(Self.departure(.smarthost, "x.amazonaws.com", kept: one)))
        var changed = try Self.departure(.mx, kept: two)
        changed.bodyHashes[0].digest[0] ^= 1
        #expect(try !isKept(changed))
        for damaged in [[], Array("X: y\r\n".utf8), Array(two.dropLast(2)), Array(two.dropFirst()), two + two] {
            #expect(try !isKept(Self.departure(.mx, kept: damaged)))
        }
        // A key that no longer signs takes its kept signatures with it.
        try fixture.store.addActive(try TestKeys.otherRSA.get(), to: domain, selector: "r2")
        fixture.ring.reload()
        #expect(try !isKept(Self.departure(.mx, kept: two)))
    }

    @Test func itTellsTheKeysOfWhatLeavesWithTheTimeOfEachDeparture() throws {
        let fixture = try Fixture()
        func uses(_ departure: Departure) throws -> [String] {
            try fixture.signer.sign(departure).keyUses.map { use in
                "\(use.selector).\(use.sdid) \(use.time.milliseconds - noon.milliseconds)"
            }
        }
        #expect(try uses(Self.departure(.mx)) == ["r.example.com 0", "e.example.com 0"])
        #expect(try uses(Self.departure(.smarthost)) == ["r.example.com 0"])
        #expect(try uses(Self.departure(.mx, isUnsigned: true)) == [])
        let kept = try fixture.signer.sign(Self.departure(.mx)).fields
        fixture.noonClock.value = noon.advanced(byMilliseconds: 3_600_001)
        let later = try fixture.signer.sign(Self.departure(.mx, kept: kept))
        #expect(later.fields == kept)
        #expect(try uses(Self.departure(.mx, kept: kept)) == ["r.example.com 3600001", "e.example.com 3600001"])
        // Once a key does not sign any more, nothing of it leaves, and nobody is told that it was used.
        try fixture.store.addActive(try TestKeys.otherRSA.get(), to: domain, selector: "r2")
        fixture.ring.reload()
        #expect(try uses(Self.departure(.mx, kept: kept)) == ["r2.example.com 3600001", "e.example.com 3600001"])
    }

    @Test func whoAsksBeforeSigningHearsTheSame() throws {
        let ready = try Fixture()
        #expect(ready.signer.hindrance(of: domain) == nil)
        #expect(try Fixture(policies: .unsigned(domain)).signer.hindrance(of: domain) == nil)
        let without = try Fixture(rsa: false, ed25519: false)
        let error = #expect(throws: DepartureSigningError.self) { try without.signer.sign(Self.departure(.mx)) }
        #expect(error?.isWantOfKey == true)
        #expect(without.signer.hindrance(of: domain) == error)
        try without.store.addActive(try TestKeys.ed25519.get(), to: domain, selector: "e")
        without.ring.reload()
        #expect(without.signer.hindrance(of: domain) == nil)
        // What no key mends is no want of one.
        var departure = try Self.departure(.mx)
        departure.headerSection = Array("no header field\r\n".utf8)
        let fault = #expect(throws: DepartureSigningError.self) { try without.signer.sign(departure) }
        #expect(fault?.isWantOfKey == false)
    }

    @Test(arguments: [true, false])
    func aSignatureThatDoesNotVerifyIsNotHandedOut(isRSA: Bool) throws {
        let fixture = try Fixture(rsa: isRSA, ed25519: !isRSA)
        let keys = try #require(fixture.ring.keys(for: domain))
        let description = try #require(try fixture.store.keys(of: domain).first).description.get()
        let kind = isRSA ? KeyKind.rsa(bits: 2048) : .ed25519
        let faulty = SigningKey(
            privateHalfOf: try .generate(kind), publicKey: try SigningKey.generate(kind).publicKey)
        let active = try ActiveKey(description, privateKey: faulty)
        fixture.ring.replaceKeys(of: domain, with: isRSA ? DomainKeys(rsa: active) : DomainKeys(ed25519: active))
        let error = #expect(throws: DepartureSigningError.self) {
            _ = try fixture.signer.sign(SignerTests.departure(.mx)).fields
        }
        #expect(error?.text.contains("does not verify") == true)
        #expect(fixture.events.mismatches == ["example.com \(isRSA ? "r" : "e")"])
        // The right key back: the next attempt of the message leaves.
        fixture.ring.replaceKeys(of: domain, with: keys)
        #expect(try !fixture.signer.sign(SignerTests.departure(.mx)).fields.isEmpty)
        #expect(fixture.events.count == 1)
    }

    @Test func everyRSASignatureIsCheckedAndOfEd25519TheFirstAndOneIn64() throws {
        let fixture = try Fixture()
        let keys = try #require(fixture.ring.keys(for: domain))
        let rsa = try #require(keys.rsa)
        let ed25519 = try #require(keys.ed25519)
        #expect((0..<200).allSatisfy { _ in rsa.nextIsChecked() })
        let checked = (0..<200).filter { _ in ed25519.nextIsChecked() }
        #expect(checked == [0, 64, 128, 192])
        fixture.ring.reload()
        #expect(fixture.ring.keys(for: domain)?.ed25519?.nextIsChecked() == true)
    }
}

@Suite struct KeyRingTests {
    @Test func eachStateOfADomainHasItsNextStep() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let store = KeyStore(directory: scratch.keys)
        let ring = KeyRing(store: store, policies: .unsigned(try Domain("plain.example").unwrapped), logger: .none)
        guard case .noKeys(let first) = ring.signability(of: domain) else {
            Issue.record("\(ring.signability(of: domain))")
            return
        }
        #expect(first.contains("waxwing keys generate example.com"))
        #expect(ring.signability(of: try Domain("plain.example").unwrapped) == .unsigned)

        _ = try store.add(try TestKeys.rsa.get(), to: domain, selector: Selector("r"), evidence: "generated", .test)
        ring.reload()
        guard case .notUsable(let second) = ring.signability(of: domain) else {
            Issue.record("\(ring.signability(of: domain))")
            return
        }
        #expect(second.contains("waxwing keys activate example.com --selector r"))

        try store.addActive(try TestKeys.otherRSA.get(), to: domain, selector: "s")
        ring.reload()
        #expect(ring.signability(of: domain) == .signable)
        // A key is for its domain, not for those below.
        guard case .noKeys = ring.signability(of: try Domain("sub.example.com").unwrapped) else {
            Issue.record("a subdomain signs")
            return
        }
        #expect([first, second].allSatisfy { $0.utf8.allSatisfy { (32...126).contains($0) } && $0.utf8.count < 400 })
    }

    @Test func oneBadKeyHarmsNoOtherDomain() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let store = KeyStore(directory: scratch.keys)
        let other = try Domain("example.net").unwrapped
        try store.addActive(try TestKeys.rsa.get(), to: domain, selector: "r")
        try store.addActive(try TestKeys.rsa.get(), to: other, selector: "r")
        try scratch.setMode(0o644, "example.com/r/private.pem")
        let ring = KeyRing(store: store, logger: .none)
        guard case .notUsable(let step) = ring.signability(of: domain) else {
            Issue.record("\(ring.signability(of: domain))")
            return
        }
        #expect(step.contains("chmod 600"))
        #expect(ring.signability(of: other) == .signable)
        #expect(ring.signableDomains == 1)
        // Mended, it signs after a reload.
        try scratch.setMode(0o600, "example.com/r/private.pem")
        ring.reload()
        #expect(ring.signability(of: domain) == .signable)
    }

    @Test(arguments: ["", "{", "{}", "[]", "null", #"{"version": 2}"#])
    func aDamagedDescriptionIsToldAndNothingElseBreaks(json: String) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let store = KeyStore(directory: scratch.keys)
        try store.addActive(try TestKeys.ed25519.get(), to: domain, selector: "e")
        try Data(json.utf8).write(to: URL(fileURLWithPath: scratch.keys + "/example.com/e/key.json"))
        let ring = KeyRing(store: store, logger: .none)
        guard case .notUsable(let step) = ring.signability(of: domain) else {
            Issue.record("\(ring.signability(of: domain))")
            return
        }
        #expect(step.contains("key.json"))
    }

    @Test func aKeyDirectoryThatCannotBeReadIsNotTakenForAnEmptyOne() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let store = KeyStore(directory: scratch.keys)
        try store.addActive(try TestKeys.ed25519.get(), to: domain, selector: "e")
        let ring = KeyRing(store: store, logger: .none)
        // In the place of the directory stands a file.
        try FileManager.default.moveItem(atPath: scratch.keys, toPath: scratch.keys + ".old")
        try Data().write(to: URL(fileURLWithPath: scratch.keys))
        ring.reload()
        #expect(ring.signability(of: domain) == .signable)
        guard case .notUsable = ring.signability(of: try Domain("example.net").unwrapped) else {
            Issue.record("refused for good because of a directory")
            return
        }
    }
}
