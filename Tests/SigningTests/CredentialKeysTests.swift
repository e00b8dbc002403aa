// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Mail
import Testing

@testable import Signing

/// Keys that the service manager hands over.
@Suite struct CredentialKeysTests {
    /// A directory as systemd makes it.
    private final class Fixture {
        let scratch: Scratch
        let store: KeyStore
        let log = LogLines()

        init() throws {
            scratch = try Scratch()
            store = KeyStore(directory: scratch.keys)
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }

        deinit { scratch.remove() }

        var directory: String { scratch.path + "/credentials" }
        var credentials: CredentialKeys { CredentialKeys(directory: directory) }

        func give(_ name: String, _ content: [UInt8]) throws {
            let path = directory + "/" + name
            try? FileManager.default.removeItem(atPath: path)
            try Data(content).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: path)
        }

        func ring(_ policies: SigningPolicies = SigningPolicies()) -> KeyRing {
            KeyRing(store: store, credentials: credentials, policies: policies, logger: log.logger)
        }
    }

    // MARK: Names

    @Test(arguments: [
        ("mail._domainkey.example.com.pem", "mail", "example.com"),
        ("a.b._domainkey.c.d.example.pem", "a.b", "c.d.example"),
        ("dkim_mail._domainkey.example.com.pem", "mail", "example.com"),
        ("dkim_keys_2026.a._domainkey.example.com.pem", "2026.a", "example.com"),
        ("MAIL._domainkey.Example.COM.pem", "mail", "example.com"),
        ("m._domainkey.example.pem.pem", "m", "example.pem"),
    ])
    func theNameOfACredentialIsThatOfItsRecord(name: String, selector: String, domain: String) throws {
        let fixture = try Fixture()
        try fixture.give(name, [])
        let (found, problems) = try fixture.credentials.files()
        #expect(found.map(\.selector.text) == [selector] && found.map(\.domain.name) == [domain])
        #expect(problems == [])
    }

    @Test func otherCredentialsArePassedOverAndWrongNamesAreTold() throws {
        let fixture = try Fixture()
        for name in ["tls.pem", "smarthost.password", "mail._domainkey.example.com", "_domainkey.pem", "x.passphrase"] {
            try fixture.give(name, [])
        }
        let passed = try fixture.credentials.files()
        #expect(passed.found == [] && passed.problems == [])
        for name in ["._domainkey.example.com.pem", "a b._domainkey.example.com.pem", "m._domainkey..pem"] {
            try fixture.give(name, [])
            let (found, problems) = try fixture.credentials.files()
            #expect(found == [] && problems.count == (name.hasPrefix(".") ? 0 : 1), "\(name)")
            let advice = "SELECTOR._domainkey.DOMAIN.pem"
            #expect(problems.allSatisfy { $0.text.contains(name) && $0.text.contains(advice) })
            try FileManager.default.removeItem(atPath: fixture.directory + "/" + name)
        }
    }

    @Test func withoutADirectoryThereAreNoneAndOneThatCannotBeReadIsAnError() throws {
        #expect(try CredentialKeys(directory: nil).files().found.isEmpty)
        #expect(throws: KeyError.self) { try CredentialKeys(directory: "/nonexistent/credentials").files() }
    }

    // MARK: Content

    @Test func keysAreReadWithTheirPassphrasesAndWhatIsWrongIsSaid() throws {
        let fixture = try Fixture()
        let key = try TestKeys.rsa.get()
        let encrypted = try key.pem(passphrase: Array("open sesame".utf8))
        try fixture.give("a._domainkey.example.com.pem", key.pem())
        for (selector, passphrase) in [("b", "open sesame"), ("c", "open sesame\n"), ("d", "open sesame\r\nnot this")] {
            try fixture.give("\(selector)._domainkey.example.com.pem", encrypted)
            try fixture.give("\(selector)._domainkey.example.com.passphrase", Array(passphrase.utf8))
        }
        for (selector, passphrase) in [("e", "\nopen sesame"), ("f", ""), ("g", " open sesame")] {
            try fixture.give("\(selector)._domainkey.example.com.pem", encrypted)
            try fixture.give("\(selector)._domainkey.example.com.passphrase", Array(passphrase.utf8))
        }
        try fixture.give("h._domainkey.example.com.pem", encrypted)
        try fixture.give("i._domainkey.example.com.pem", Array("no key".utf8))
        try fixture.give("j._domainkey.example.com.pem", key.pem())
        try fixture.give("j._domainkey.example.com.passphrase", Array("not needed".utf8))
        var texts: [String: String] = [:]
        var good: [String] = []
        for file in try fixture.credentials.files().found {
            do throws(KeyError) {
                #expect(try CredentialKeys.key(of: file).publicKey == key.publicKey)
                good.append(file.selector.text)
            } catch {
                texts[file.selector.text] = error.text
            }
        }
        #expect(good == ["a", "b", "c", "d", "j"])
        #expect(texts.keys.sorted() == ["e", "f", "g", "h", "i"])
        for selector in ["e", "f", "g"] {
            #expect(texts[selector]?.contains("can't be decrypted with") == true)
            #expect(texts[selector]?.contains("/\(selector)._domainkey.example.com.passphrase") == true)
        }
        #expect(texts["h"]?.contains("give the service the credential h._domainkey.example.com.passphrase") == true)
        #expect(texts["i"]?.contains("no private key found") == true)
    }

    // MARK: In the ring

    @Test func aDomainWithoutAStoreSignsWithItsCredential() throws {
        let fixture = try Fixture()
        try fixture.give("r._domainkey.example.com.pem", try TestKeys.rsa.get().pem())
        let ring = fixture.ring()
        #expect(ring.signability(of: domain) == .signable)
        #expect(ring.usableSelectors(of: domain).map(\.text) == ["r"])
        let signer = Signer(ring: ring, clock: WallClock { noon }, events: { _ in })
        #expect(try SignerTests.selectors(signer.sign(SignerTests.departure(.mx)).fields) == ["r"])
        let told = try #require(ring.readOnlyKeys.first)
        #expect(told.isUsed && told.algorithm == "rsa-2048" && told.recordName == "r._domainkey.example.com")
        #expect(told.record == (try TestKeys.rsa.get().keyRecord.text))
        #expect(told.remark.contains("read-only and can't rotate by itself"))
        #expect(
            fixture.log.lines.contains {
                $0.hasPrefix("notice keys: r._domainkey.example.com ") && $0.contains("can't rotate by itself")
            })
        // A reload reads it again only if it has changed, and one of the domain alone keeps it.
        let before = try #require(ring.keys(for: domain)?.rsa)
        ring.reload()
        ring.reload(domain)
        #expect(ring.keys(for: domain)?.rsa === before)
        try fixture.give("r._domainkey.example.com.pem", try TestKeys.otherRSA.get().pem())
        ring.reload()
        #expect(ring.keys(for: domain)?.rsa !== before && ring.keys(for: domain)?.rsa != nil)
        try FileManager.default.removeItem(atPath: fixture.directory + "/r._domainkey.example.com.pem")
        ring.reload()
        #expect(ring.keys(for: domain) == nil && ring.readOnlyKeys == [])
    }

    @Test func theStoresOwnActiveKeyOfTheSameKindGoesFirst() throws {
        let fixture = try Fixture()
        try fixture.store.addActive(try TestKeys.otherRSA.get(), to: domain, selector: "own")
        try fixture.give("r._domainkey.example.com.pem", try TestKeys.rsa.get().pem())
        try fixture.give("e._domainkey.example.com.pem", try TestKeys.ed25519.get().pem())
        let ring = fixture.ring()
        #expect(ring.usableSelectors(of: domain).map(\.text) == ["own", "e"])
        let told = Dictionary(uniqueKeysWithValues: ring.readOnlyKeys.map { ($0.selector.text, $0) })
        #expect(told["e"]?.isUsed == true && told["r"]?.isUsed == false)
        #expect(told["r"]?.remark.contains("own is of the same kind and goes first") == true)
        #expect(
            fixture.log.lines.contains {
                $0.hasPrefix("warning keys: r._domainkey.example.com ") && $0.contains("take one of the two away")
            })
        // When the store's key can't sign any more, the credential does.
        try fixture.store.describe("own", of: domain) {
            $0.move(to: .retiring, at: noon, by: "tester", evidence: nil)
        }
        ring.reload(domain)
        #expect(ring.usableSelectors(of: domain).map(\.text) == ["r", "e"])
    }

    @Test(arguments: [KeyState.compromised, .revoked, .removed, .retiring, .generated])
    func whatTheStoreSaysOfAKeyHoldsForItsCopyAmongTheCredentials(state: KeyState) throws {
        let fixture = try Fixture()
        try fixture.store.addActive(try TestKeys.rsa.get(), to: domain, selector: "r")
        try fixture.store.describe("r", of: domain) { $0.move(to: state, at: noon, by: "tester", evidence: nil) }
        // Under its own selector and, the same key, under another.
        try fixture.give("r._domainkey.example.com.pem", try TestKeys.rsa.get().pem())
        try fixture.give("s._domainkey.example.com.pem", try TestKeys.rsa.get().pem())
        let ring = fixture.ring()
        #expect(ring.usableSelectors(of: domain) == [])
        #expect(ring.readOnlyKeys.map(\.isUsed) == [false, false])
        #expect(ring.readOnlyKeys.allSatisfy { $0.remark.contains("as r, which is \(state.rawValue)") })
        #expect((ring.holds[domain] != nil) == (state == .compromised))
        // Another key is another matter.
        try fixture.give("t._domainkey.example.com.pem", try TestKeys.otherRSA.get().pem())
        ring.reload()
        #expect(ring.usableSelectors(of: domain).map(\.text) == ["t"])
    }

    @Test func aKeyThatTheStoreCannotJudgeDoesNotSign() throws {
        let fixture = try Fixture()
        try fixture.store.addActive(try TestKeys.rsa.get(), to: domain, selector: "r")
        try Data("{".utf8).write(to: URL(fileURLWithPath: fixture.scratch.keys + "/example.com/r/key.json"))
        try fixture.give("r._domainkey.example.com.pem", try TestKeys.rsa.get().pem())
        let ring = fixture.ring()
        #expect(ring.usableSelectors(of: domain) == [])
        #expect(ring.readOnlyKeys.first?.remark.contains("can't say whether it may") == true)
    }

    @Test func ofTwoCredentialsOfAKindTheLastByNameSigns() throws {
        let fixture = try Fixture()
        try fixture.give("ww20260101._domainkey.example.com.pem", try TestKeys.rsa.get().pem())
        try fixture.give("x_ww20261101._domainkey.example.com.pem", try TestKeys.otherRSA.get().pem())
        let ring = fixture.ring()
        #expect(ring.usableSelectors(of: domain).map(\.text) == ["ww20261101"])
        #expect(ring.readOnlyKeys.map(\.isUsed) == [false, true])
        #expect(ring.readOnlyKeys.map { KeyDocument($0).isUnused } == [true, nil])
    }

    @Test func aCredentialThatCannotBeReadIsTheNextStepOfItsDomainAndOfNoOther() throws {
        let fixture = try Fixture()
        let other = try Domain("example.net").unwrapped
        try fixture.give("r._domainkey.example.com.pem", try TestKeys.rsa.get().pem(passphrase: [1]))
        try fixture.give("r._domainkey.example.net.pem", try TestKeys.rsa.get().pem())
        let ring = fixture.ring()
        guard case .notUsable(let step) = ring.signability(of: domain) else {
            Issue.record("\(ring.signability(of: domain))")
            return
        }
        #expect(step.contains("r._domainkey.example.com.passphrase"))
        #expect(ring.signability(of: other) == .signable)
        #expect(fixture.log.lines.contains { $0.hasPrefix("error keys: ") && $0.contains("is encrypted") })
        let told = try #require(ring.readOnlyKeys.first { $0.domain == domain })
        #expect(!told.isUsed && told.record == nil && told.remark == step)
    }
}
