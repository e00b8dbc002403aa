// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Foundation
import Mail
import Signing
import Testing

@testable import Relay

@Suite struct RotationConfigurationTests {
    /// A directory with files of secrets, there while the test runs.
    private final class Directory {
        let path: String

        init() throws {
            path = FileManager.default.temporaryDirectory.appending(path: "waxwing-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }

        deinit {
            try? FileManager.default.removeItem(atPath: path)
        }

        func write(_ text: String, to name: String, mode: Int = 0o600) throws {
            let attributes: [FileAttributeKey: Any] = [.posixPermissions: mode]
            let isWritten = FileManager.default.createFile(
                atPath: path + "/" + name, contents: Data(text.utf8), attributes: attributes)
            try #require(isWritten)
        }
    }

    private static let secret = Data(repeating: 0x41, count: 32).base64EncodedString()

    private static let everySettingText = """
        [keys]
        passphrase-file = "credential:pass"
        [retry]
        lifetime = "3 d"
        [signing]
        expiry = "4 d"
        [rotation]
        interval = "180 d"
        standby = true
        selector = "k{date}{letter}"
        wait = "2 h"
        retention = "20 d"
        revoked-for = "40 d"
        disclose = true
        check-interval = "10 min"
        drift = "continue"
        record-ttl = "5 min"
        publisher = "primary"
        [[publisher]]
        name = "primary"
        type = "rfc2136"
        server = "192.0.2.53@5353"
        zone = "Example.com"
        tsig-secret-file = "tsig"
        [[publisher]]
        name = "hook"
        type = "command"
        command = ["/bin/true", "--now"]
        time-limit = "2 min"
        [[publisher]]
        name = "alias"
        type = "cname"
        zone = "keys.example.net"
        server = "::1"
        ed25519-selectors = ["e1", "e2"]
        [[domain]]
        name = "own.test"
        interval = "never"
        standby = false
        selector = "x{letter}"
        drift = "defer"
        publisher = "manual"
        expiry = "9 d"
        [[domain]]
        name = "hooked.test"
        publisher = "hook"
        [[domain]]
        name = "aliased.test"
        publisher = "alias"
        """

    private func read(_ text: String, in directory: String = "/tmp") throws -> Configuration {
        try ConfigurationFile.read(text, file: "waxwing.toml", directory: directory)
    }

    private func name(_ text: String) throws -> Domain {
        try #require(Domain(text))
    }

    private func values(_ configuration: Configuration) -> [[[String?]]] {
        Configuration.tables.map { $0.values(configuration) }
    }

    @Test("Without settings keys are replaced only when told, by the defaults of rotation")
    func defaults() throws {
        let policies = try read("").rotationPolicies()
        #expect(policies == RotationPolicies())
    }

    @Test("Every setting of rotation reads back, and arrives where it belongs")
    func everySetting() throws {
        let directory = try Directory()
        try directory.write("key \"k.example\" { algorithm hmac-sha512; secret \"\(Self.secret)\"; };", to: "tsig")
        let configuration = try read(Self.everySettingText, in: directory.path)
        #expect(values(try read(configuration.effectiveText, in: directory.path)) == values(configuration))
        #expect(configuration.warnings.isEmpty)
        let policies = try configuration.rotationPolicies()
        var general = RotationSettings()
        general.interval = 180 * 86_400
        general.keepsStandby = true
        general.selectors = try #require(SelectorTemplate("k{date}{letter}"))
        general.wait = 7200
        general.retention = 20 * 86_400
        general.revokedTime = 40 * 86_400
        general.disclosesKeys = true
        general.checkInterval = 600
        general.drift = .continue
        general.recordTTL = 300
        general.publisher = "primary"
        general.queueLifetime = 3 * 86_400
        general.signatureLifetime = 4 * 86_400
        #expect(policies.general == general)
        var own = general
        own.interval = nil
        own.keepsStandby = false
        own.selectors = try #require(SelectorTemplate("x{letter}"))
        own.drift = .defer
        own.publisher = nil
        own.signatureLifetime = 9 * 86_400
        let domain = try #require(Domain("own.test"))
        #expect(policies.settings(of: domain) == own && policies.publisher(of: domain) == nil)
        let key = TSIGKey(name: "k.example", algorithm: .hmacSHA512, secret: Self.secret)
        let server = try #require(ServerAddress("192.0.2.53@5353"))
        let update = DynamicUpdateSettings(server: server, zone: "example.com", key: key)
        let (any, hooked, aliased) = try (name("any.test"), name("hooked.test"), name("aliased.test"))
        #expect(policies.publisher(of: any) == PublisherSettings(name: "primary", method: .rfc2136(update)))
        let hook = HookSettings(command: ["/bin/true", "--now"], timeLimit: 120)
        #expect(policies.publisher(of: hooked) == PublisherSettings(name: "hook", method: .command(hook)))
        let alias = try #require(policies.publisher(of: aliased))
        #expect(
            alias.delegation
                == PublisherSettings.Delegation(
                    zone: "keys.example.net", rsaSelectors: ["ww1", "ww2"].compactMap { Selector($0) },
                    ed25519Selectors: ["e1", "e2"].compactMap { Selector($0) }))
    }

    @Test("A retiring key outlives the signatures of routes and of the domains below its own")
    func longestSignature() throws {
        let text = """
            [[domain]]
            name = "example.com"
            subdomains = true
            [[domain]]
            name = "a.news.example.com"
            expiry = "20 d"
            [[domain]]
            name = "other.test"
            expiry = "2 d"
            [[domain]]
            name = "short.test"
            subdomains = true
            expiry = "2 d"
            [[domain]]
            name = "news.short.test"
            interval = "60 d"

            """
        func lifetime(_ configuration: Configuration, _ name: String) throws -> Int64 {
            try configuration.rotationPolicies().settings(of: try #require(Domain(name))).signatureLifetime / 86_400
        }
        let without = try read(text)
        #expect(try lifetime(without, "example.com") == 20)
        #expect(try lifetime(without, "other.test") == 2)
        #expect(try lifetime(without, "unnamed.test") == 7)
        // The table below says nothing of its signatures: they live as long as any.
        #expect(try lifetime(without, "short.test") == 7)
        let with = try read(text + "[[route]]\nname = \"slow\"\nmx = true\nexpiry = \"30 d\"\n")
        #expect(try ["example.com", "other.test", "unnamed.test"].map { try lifetime(with, $0) } == [30, 30, 30])
    }

    @Test(
        "What can be meant, but seldom is, is told with its place and keeps nothing from running",
        arguments: [
            ("[rotation]\nretention = \"6 d\"", 2, "rotation.retention", "6 d after their last signature"),
            ("[rotation]\nretention = \"0 s\"", 2, "rotation.retention", "at least \"7 d\""),
            ("[rotation]\ncheck-interval = \"1 s\"", 2, "rotation.check-interval", "every 1 s"),
            ("[rotation]\ninterval = \"1 d\"", 2, "rotation.interval", "every 1 d"),
            ("[[domain]]\nname = \"a.test\"\ninterval = \"5 s\"", 3, "domain[1].interval", "every 5 s"),
            (
                "[[publisher]]\nname = \"idle\"\ntype = \"rfc2136\"\nserver = \"::1\"", 1, "publisher[1]",
                "nobody uses the publisher \"idle\""
            ),
            (
                "[rotation]\npublisher = \"a\"\n[[publisher]]\nname = \"a\"\ntype = \"cname\"\nzone = \"k.test\"\nserver = \"::1\"\n[[domain]]\nname = \"d.test\"\nselector = \"x{letter}\"",
                10, "domain[1].selector", "never used"
            ),
            (
                "[rotation]\ninterval = \"40 d\"\npublisher = \"a\"\n[[publisher]]\nname = \"a\"\ntype = \"cname\"\nzone = \"k.test\"\nserver = \"::1\"",
                2, "rotation.interval", "take turns only every 45 d"
            ),
            (
                "[[publisher]]\nname = \"a\"\ntype = \"cname\"\nzone = \"k.test\"\nserver = \"::1\"\n[[domain]]\nname = \"d.test\"\npublisher = \"a\"\ninterval = \"30 d\"",
                9, "domain[1].interval", "\"45 d\" or more"
            ),
            (
                "[[domain]]\nname = \"a.test\"\nunsigned = true\nstandby = true", 3, "domain[1].unsigned",
                "leaves unsigned"
            ),
        ])
    func warnings(text: String, line: Int, key: String, words: String) throws {
        let warnings = try read(text).warnings
        #expect(warnings.map(\.line) == [line] && warnings.map(\.key) == [key])
        #expect(warnings.allSatisfy { $0.description.contains(words) }, "\(warnings)")
    }

    @Test(
        "A secret that can't be used is a fault that names the setting, and says nothing of the content",
        arguments: [
            ("none", nil, 0o600, "there is no file"),
            ("open", "\(secret)", 0o640, "chmod 600"),
            ("others", "\(secret)", 0o604, "chmod 600"),
            ("empty", "", 0o600, "holds no TSIG key"),
            ("short", "c2hvcnQ=", 0o600, "few enough to be guessed"),
            ("bad", "not*base64*not*base64*not*base64", 0o600, "not base64"),
            ("words", "\(secret) \(secret)", 0o600, "more than one word"),
            ("weak", "key waxwing { algorithm hmac-md5; secret \"\(secret)\"; };", 0o600, "hmac-md5"),
            ("other", "key other { algorithm hmac-sha256; secret \"\(secret)\"; };", 0o600, "tsig-name says"),
            ("long", "key waxwing { algorithm hmac-sha384; secret \"\(secret)\"; };", 0o600, "tsig-algorithm says"),
            ("bare", "key waxwing { algorithm hmac-sha256; };", 0o600, "no secret"),
            ("two", "key waxwing { secret \"\(secret)\"; }; key b { };", 0o600, "one `key` clause"),
            ("quote", "key \"waxwing { secret \(secret); };", 0o600, "no other half"),
        ])
    func badSecrets(name: String, content: String?, mode: Int, words: String) throws {
        let directory = try Directory()
        if let content { try directory.write(content, to: name, mode: mode) }
        let configuration = try read(
            """
            [rotation]
            publisher = "p"
            [[publisher]]
            name = "p"
            type = "rfc2136"
            server = "192.0.2.1"
            tsig-name = "waxwing"
            tsig-algorithm = "hmac-sha256"
            tsig-secret-file = "\(name)"
            """, in: directory.path)
        let error = #expect(throws: ConfigurationError.self) { try configuration.rotationPolicies() }
        let fault = try #require(error?.faults.first)
        #expect(error?.faults.count == 1 && fault.line == 9 && fault.key == "publisher[1].tsig-secret-file")
        #expect(fault.description.contains(words), "\(fault)")
        if let content, content.count > 8 { #expect(!fault.description.contains(Self.secret)) }
        #expect(configuration.checkSecrets().faults == error?.faults)
        #expect(configuration.rotationPoliciesWithoutSecrets.publishers["p"]?.name == "p")
    }

    @Test("A credential that only the unit has is no fault for others, but the daemon does not start without")
    func credentials() throws {
        let configuration = try read("[keys]\npassphrase-file = \"credential:waxwing-test-passphrase\"\n")
        let (faults, warnings) = configuration.checkSecrets()
        #expect(faults.isEmpty && warnings.map(\.key) == ["keys.passphrase-file"])
        #expect(warnings.allSatisfy { $0.remedy.contains("LoadCredential=waxwing-test-passphrase:PATH") })
        #expect(throws: ConfigurationError.self) { try configuration.keyPassphrase() }
    }

    @Test("A credential is read from systemd's directory whatever its mode, and a file only if it is private")
    func places() throws {
        let directory = try Directory()
        try directory.write("sesame\n", to: "pass", mode: 0o440)
        let configuration = try read("", in: directory.path)
        let content = try SecretFile.content(
            of: .credential("pass"), from: configuration, credentials: directory.path)
        #expect(content == Array("sesame\n".utf8))
        let missing = #expect(throws: SecretFault.self) {
            try SecretFile.content(of: .credential("other"), from: configuration, credentials: directory.path)
        }
        #expect(missing?.isElsewhere == false)
        #expect(throws: SecretFault.self) {
            try SecretFile.content(of: .file("pass"), from: configuration, credentials: nil)
        }
        try directory.write("ope n sesame\r\n", to: "own")
        let own = try read("[keys]\npassphrase-file = \"own\"", in: directory.path)
        #expect(try own.keyPassphrase() == "ope n sesame")
        #expect(try read("").keyPassphrase() == nil)
    }

    @Test(
        "A TSIG key is read as name servers write it",
        arguments: [
            "key \"waxwing.\" {\n\talgorithm hmac-sha256;\n\tsecret \"\(secret)\";\n};\n",
            "# made by hand\nkey waxwing{algorithm HMAC-SHA256.;secret \(secret);};",
            "/* two\nlines */ key waxwing { secret \"\(secret)\"; // why\n algorithm \"hmac-sha256\"; }",
            "\(secret)\n", "\r\n\"\(secret)\"",
        ])
    func keyFiles(text: String) throws {
        let key = try TSIGKeyFile(Array(text.utf8)).key(name: "waxwing", algorithm: nil)
        #expect(key == TSIGKey(name: "waxwing", algorithm: .hmacSHA256, secret: Self.secret))
    }

    @Test("A secret alone is no comment, whatever it begins with", arguments: ["//", "/*", "#", "key"])
    func slashes(beginning: String) throws {
        let secret = beginning + Self.secret.dropFirst(beginning.utf8.count)
        guard Data(base64Encoded: secret) != nil else {
            #expect(throws: SecretFault.self) { try TSIGKeyFile(Array(secret.utf8)) }
            return
        }
        #expect(try TSIGKeyFile(Array((secret + "\n").utf8)).secret == secret)
    }

    @Test("A secret in the place of the algorithm is not shown")
    func mixedUp() throws {
        let file = try TSIGKeyFile(Array("key k { algorithm \(Self.secret); secret \(Self.secret); };".utf8))
        let error = #expect(throws: SecretFault.self) { try file.key(name: nil, algorithm: nil) }
        #expect(error?.problem.contains("which Waxwing does not use") == true)
        #expect(error?.problem.lowercased().contains(Self.secret.lowercased().prefix(8)) == false)
        let weak = try TSIGKeyFile(Array("key k { algorithm hmac-md5; secret \(Self.secret); };".utf8))
        let weakError = #expect(throws: SecretFault.self) { try weak.key(name: nil, algorithm: nil) }
        #expect(weakError?.problem.contains("\"hmac-md5\"") == true)
    }

    @Test("A secret alone needs a name from the settings")
    func nameless() throws {
        let file = try TSIGKeyFile(Array(Self.secret.utf8))
        #expect(throws: SecretFault.self) { try file.key(name: nil, algorithm: nil) }
        #expect(try file.key(name: "k", algorithm: .hmacSHA384).algorithm == .hmacSHA384)
    }

    @Test("Nothing that the configuration prints holds a secret")
    func secretsAreNotShown() throws {
        let directory = try Directory()
        try directory.write(Self.secret, to: "tsig")
        let configuration = try read(
            "[[publisher]]\nname = \"p\"\ntype = \"rfc2136\"\nserver = \"::1\"\ntsig-name = \"k\"\ntsig-secret-file = \"tsig\"",
            in: directory.path)
        _ = try configuration.rotationPolicies()
        #expect(!configuration.effectiveText.contains(Self.secret))
        #expect(!"\(configuration)".contains(Self.secret))
    }

    @Test("A program that others may change is refused")
    func unsafeProgram() throws {
        let directory = try Directory()
        try directory.write("#!/bin/sh\n", to: "hook", mode: 0o600)
        let path = directory.path + "/hook"
        try FileManager.default.setAttributes([.posixPermissions: 0o775], ofItemAtPath: path)
        let error = #expect(throws: ConfigurationError.self) {
            try read("[[publisher]]\nname = \"p\"\ntype = \"command\"\ncommand = [\"\(path)\"]", in: directory.path)
        }
        #expect(error?.faults.map(\.remedy) == ["Run `chmod go-w \(path)`"])
    }
}
