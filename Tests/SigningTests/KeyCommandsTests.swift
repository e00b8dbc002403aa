// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import DNS
import Foundation
import Logging
import Mail
import Testing

@testable import Signing

@Suite struct KeyCommandsTests {
    /// Commands that never get as far as the DNS.
    static func commands(_ scratch: Scratch) throws -> KeyCommands {
        KeyCommands.over(KeyStore(directory: scratch.keys))
    }

    @Test func generateSaysWhatToPublishAndWhatToRunNext() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let commands = try Self.commands(scratch)
        let made = await commands.perform(KeyRequest(.generate, domain: "Example.COM", user: "tester"))
        #expect(!made.isError && made.hasChanged)
        #expect(made.text.contains("ww20261123a._domainkey.example.com"))
        #expect(made.text.contains("v=DKIM1; k=rsa; p="))
        #expect(made.text.contains("waxwing keys activate example.com --selector ww20261123a"))
        let ed25519 = await commands.perform(
            KeyRequest(.generate, domain: "example.com", selector: "mail", algorithm: "ed25519", user: "tester"))
        #expect(ed25519.text.contains("v=DKIM1; k=ed25519; p="))

        let list = await commands.perform(KeyRequest(.list))
        let lines = list.text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(
            lines == [
                ["DOMAIN", "SELECTOR", "ALGORITHM", "STATE", "SINCE", "LAST", "USED", "DNS", "NEXT"],
                [
                    "example.com", "mail", "ed25519", "generated", "2026-11-23", "-", "-", "waxwing", "keys",
                    "activate", "example.com", "--selector", "mail",
                ],
                [
                    "example.com", "ww20261123a", "rsa-2048", "generated", "2026-11-23", "-", "-", "waxwing", "keys",
                    "activate", "example.com", "--selector", "ww20261123a",
                ],
            ])
    }

    @Test func longRSAKeysAreMadeWithAWarning() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let made = try await Self.commands(scratch).perform(
            KeyRequest(.generate, domain: "example.com", algorithm: "rsa-3072"))
        #expect(!made.isError && made.warnings.contains { $0.contains("rsa-2048 is what receivers expect") })
    }

    @Test func showPrintsEachFormReadyToPaste() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let commands = try Self.commands(scratch)
        let key = try TestKeys.rsa.get()
        _ = try commands.store.add(key, to: domain, selector: Selector("r"), evidence: "generated", .test)
        let plain = await commands.perform(KeyRequest(.show, domain: "example.com", format: .plain))
        #expect(plain.text == "r._domainkey.example.com \(key.keyRecord.text)\n")
        let bind = await commands.perform(KeyRequest(.show, domain: "example.com", selector: "r", format: .bind))
        #expect(bind.text.hasPrefix("r._domainkey.example.com. 3600 IN TXT (\n"))
        // Read as a zone file is: what stands between quotes, joined.
        let strings = bind.text.split(separator: "\"").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        #expect(strings.joined() == key.keyRecord.text)
        #expect(strings.allSatisfy { $0.utf8.count <= 255 } && strings.count == 2)
        let both = await commands.perform(KeyRequest(.show, domain: "example.com"))
        #expect(both.text.contains(bind.text) && both.text.contains("Value:  \(key.keyRecord.text)\n"))
    }

    @Test(arguments: [0, 1, 254, 255, 256, 510, 511])
    func stringsAreAtMost255OctetsAndLoseNothing(length: Int) {
        let record = String(repeating: "a", count: length)
        let strings = TextRecord.strings(record)
        #expect(strings.joined() == record)
        #expect(strings.allSatisfy { $0.utf8.count <= 255 })
        #expect(strings.count == max(1, (length + 254) / 255))
    }

    @Test func anImportedKeyKeepsItsSelectorAndSigns() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let commands = try Self.commands(scratch)
        let key = try TestKeys.rsa.get()
        let pem = String(decoding: try key.pem(), as: UTF8.self)
        let refused = await commands.perform(KeyRequest(.import, domain: "example.com", pem: pem))
        #expect(refused.isError && refused.text.contains("--selector"))
        let made = await commands.perform(KeyRequest(.import, domain: "example.com", selector: "old", pem: pem))
        #expect(!made.isError, "\(made.text)")
        let description = try commands.store.description(of: Selector("old").unwrapped, in: domain)
        #expect(try commands.store.privateKey(of: description).publicKey == key.publicKey)
        #expect(description.history.first?.evidence == "imported")
        #expect(try scratch.mode("example.com/old/private.pem") == 0o600)
    }

    @Test func whatIsAskedWronglyIsRefusedWithARemedy() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let commands = try Self.commands(scratch)
        let cases: [(KeyRequest, String)] = [
            (KeyRequest(.generate), "no domain name"),
            (KeyRequest(.generate, domain: "../etc"), "no domain name"),
            (KeyRequest(.generate, domain: "example.com", selector: "../x"), "no selector"),
            (KeyRequest(.generate, domain: "example.com", algorithm: "dsa"), "rsa-2048"),
            (KeyRequest(.import, domain: "example.com", selector: "a", pem: "nothing"), "PEM"),
            (KeyRequest(.show, domain: "example.com"), "waxwing keys generate example.com"),
            (KeyRequest(.show, domain: "example.com", selector: "a"), "waxwing keys list"),
            (KeyRequest(.activate, domain: "example.com"), "waxwing keys generate example.com"),
            (KeyRequest(.activate, domain: "example.com", selector: "a"), "waxwing keys generate example.com"),
            (KeyRequest(.rotate, domain: "example.com"), "waxwing keys generate example.com"),
            (KeyRequest(.retire, domain: "../etc", selector: "a"), "no domain name"),
            (KeyRequest(.export, domain: "example.com"), "--selector"),
        ]
        for (request, expected) in cases {
            let response = await commands.perform(request)
            #expect(response.isError && !response.hasChanged && response.text.contains(expected), "\(response.text)")
        }
        #expect(scratch.names() == [])
        let list = await commands.perform(KeyRequest(.list))
        #expect(!list.isError && list.text.contains("waxwing keys generate"))
    }

    @Test func theHintsKnowWhatThePoliciesSay() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let store = KeyStore(directory: scratch.keys)
        try store.addActive(try TestKeys.rsa.get(), to: domain, selector: "r")
        var policies = SigningPolicies.of(domain) {
            $0.signsBelow = true
            $0.algorithms = [.rsa]
        }
        policies.domains[try Domain("plain.example").unwrapped, default: SigningPolicy()].isUnsigned = true
        let commands = KeyCommands.over(store, policies: policies)
        let list = await commands.perform(KeyRequest(.list, domain: "mail.example.com"))
        #expect(list.text.contains("signed with the keys of example.com") && !list.text.contains("keys generate"))
        let show = await commands.perform(KeyRequest(.show, domain: "mail.example.com"))
        #expect(show.isError && show.text.contains("`waxwing keys show example.com`"))
        let left = await commands.perform(KeyRequest(.generate, domain: "example.com", algorithm: "ed25519"))
        #expect(left.warnings.contains { $0.contains("will not sign") && $0.contains("algorithms") })
        let plain = await commands.perform(KeyRequest(.generate, domain: "plain.example", algorithm: "ed25519"))
        #expect(plain.warnings.contains { $0.contains("leaves unsigned") })
        let usual = await commands.perform(KeyRequest(.generate, domain: "other.example", algorithm: "ed25519"))
        #expect(!usual.warnings.contains { $0.contains("[[domain]]") })
        let none = await commands.perform(KeyRequest(.list, domain: "mail.other.example"))
        #expect(none.text.contains("waxwing keys generate"))
    }

    @Test func requestsAndResponsesTravelAsJSON() throws {
        let request = KeyRequest(.activate, domain: "example.com", selector: "a", isForced: true, user: "tester")
        #expect(try JSONDecoder().decode(KeyRequest.self, from: JSONEncoder().encode(request)) == request)
        // By hand, with curl, only what is needed.
        let short = try JSONDecoder().decode(KeyRequest.self, from: Data(#"{"verb":"list"}"#.utf8))
        #expect(short == KeyRequest(.list))
        let response = KeyResponse(isError: true, text: "no\n", warnings: ["w"])
        #expect(try JSONDecoder().decode(KeyResponse.self, from: JSONEncoder().encode(response)) == response)
    }
}
