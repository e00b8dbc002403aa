// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Forwarding
import Mail
import Receiving
import SMTP
import Signing
import Testing

@testable import Relay

@Suite struct ConfigurationTests {
    private func read(_ text: String) throws -> Configuration {
        try ConfigurationFile.read(text, file: "waxwing.toml", directory: "/tmp")
    }

    /// Everything that can be set, as it is in effect.
    private func values(_ configuration: Configuration) -> [[[String?]]] {
        Configuration.tables.map { $0.values(configuration) }
    }

    @Test("An empty file gives the defaults")
    func emptyFile() throws {
        let configuration = try read("")
        #expect(values(configuration) == values(Configuration(directory: "/tmp")))
        #expect(configuration.effectiveListeners.map(\.port) == [587])
        #expect(configuration.effectiveListeners.map(\.address) == ["127.0.0.1"])
        #expect(configuration.effectiveRoutes.map(\.mx) == [true])
    }

    @Test("The annotated example reads back as the defaults")
    func exampleIsTheDefaults() throws {
        #expect(values(try read(Configuration.example)) == values(Configuration(directory: "/tmp")))
    }

    @Test("The annotated example names every setting, and its lines are short")
    func exampleIsWhole() {
        let lines = Configuration.example.split(separator: "\n", omittingEmptySubsequences: false)
        for table in Configuration.tables {
            for key in table.keys {
                #expect(
                    lines.contains { $0.hasPrefix("\(key.name) = ") || $0.hasPrefix("# \(key.name) = ") }, "\(key.name)"
                )
            }
        }
        #expect(lines.allSatisfy { $0.utf8.count <= 100 })
    }

    @Test("The example with every comment sign before a setting removed is still good TOML of known settings")
    func examplesOfAbsentSettingsAreRight() throws {
        let lines = Configuration.example.split(separator: "\n").map { line -> Substring in
            let isSetting = line.hasPrefix("# ") && (line.contains(" = ") || line.hasPrefix("# [["))
            return isSetting && !line.contains("Default") ? line.dropFirst(2) : line
        }
        let error = #expect(throws: ConfigurationError.self) { try read(lines.joined(separator: "\n")) }
        // A route can't go to three places, all mail not to two, a listener has one, a rule is for authors or for
        // recipients, a publisher of one type has no use for the settings of another, and user, groups and files of the
        // example need not exist here. Nothing else.
        let keys = Set(error?.faults.compactMap(\.key) ?? [])
        let ofOtherTypes = ["command", "time-limit", "selectors", "ed25519-selectors"].map { "publisher[1].\($0)" }
        let alternatives = ["route[1]", "capture.directory", "rewrite[1].recipient"]
        let listener = ["passed-in", "owner", "group", "proxy-protocol-from"].map { "listener[1].\($0)" }
        let absent = ["control.group", "dns.trust-anchor", "local.aliases"]
        #expect(keys.isSubset(of: alternatives + listener + absent + ofOtherTypes))
    }

    @Test("The settings in effect read back as they are")
    func effectiveTextReadsBack() throws {
        let configuration = try read(
            """
            hostname = "a.example.com"
            [limits]
            message-size = "70 MiB"
            idle-time = "90 s"
            [[listener]]
            port = 2525
            bare-lf = "normalise"
            [[rewrite]]
            from = "*@localhost"
            to = "alerts@example.com"
            [[app]]
            name = "shop"
            from = ["shop.example", "news@example.org"]
            list-unsubscribe = "<https://shop.example/u/{queue-id}>"
            list-unsubscribe-post = true
            feedback-id = "{app}:mail:shopper"
            [[app]]
            name = "news"
            password = true
            users = ["33"]
            networks = ["192.0.2.0/24", "::1"]
            certificate = ["news.example"]
            message-size = "1 MiB"
            rate = ["100/min", "2 GiB/day"]
            [apps]
            passwords = "secrets"
            local = false
            [dns]
            servers = ["127.0.0.1@5353"]
            [[domain]]
            name = "quiet.test"
            unsigned = true
            [[route]]
            name = "files"
            to = ["a.test", "*.b.test"]
            capture = "out"
            [[route]]
            name = "rest"
            smarthost = "[::1]:2525"
            ed25519 = true
            """)
        let again = try read(configuration.effectiveText)
        #expect(values(again) == values(configuration))
        #expect(again.limits.idleTime == .seconds(90))
        #expect(again.routes.map(\.ed25519) == [nil, true])
        #expect(again.receivingListeners.map(\.bareLineFeed) == [.normalise])
        let intake = again.intakeConfiguration
        #expect(intake.applications.map(\.name) == ["shop", "news"])
        let applications = try again.receivingApplications()
        #expect(applications.applications.map(\.name) == ["news"] && !applications.allowsLocalPeers)
        #expect(applications.applications.first?.userIDs == [33])
        #expect(applications.applications.first?.maximumMessageOctets == 1 << 20)
        #expect(applications.applications.first?.maximumRecipients == nil)
        #expect(applications.applications.first?.rates.count == 2)
        let mailbox = Mailbox(localPart: "root", host: .domain(try #require(Domain("localhost"))))
        #expect(intake.rewriteRules.rewrite(mailbox)?.description == "alerts@example.com")
    }

    @Test("Every setting of signatures reads back, in each of its three places")
    func signatureSettingsReadBack() throws {
        let settings = """
            canonicalization = "simple/relaxed"
            sign = ["From", "Subject", "X-Invoice"]
            oversign = "strict"
            expiry = "36 h"
            existing-signatures = "strip-own"

            """
        let configuration = try read(
            """
            [signing]
            \(settings)
            [[domain]]
            name = "example.com"
            subdomains = true
            algorithms = ["rsa"]
            auid = "news@mail.example.com"
            \(settings)
            [[route]]
            name = "out"
            smarthost = "smtp.example.net"
            profile = "mailgun"
            eight-bit = "encode"
            \(settings)
            """)
        #expect(values(try read(configuration.effectiveText)) == values(configuration))
        var expected = SignatureOverrides()
        expected.canonicalization = .simpleRelaxed
        expected.signedFields = .names(["From", "Subject", "X-Invoice"])
        expected.oversignedFields = .set(.strict)
        expected.lifetime = 36 * 3600
        expected.existingSignatures = .stripOwn
        #expect(configuration.signing.signatures == expected)
        let policies = configuration.signingPolicies
        #expect(SignatureOverrides(policies.general) == expected)
        let domain = try #require(Domain("example.com"))
        let policy = try #require(policies.domains[domain])
        #expect(policy.overrides == expected && policy.signsBelow && policy.algorithms == [.rsa])
        #expect(policy.auid == "news@mail.example.com" && !policy.isUnsigned)
        let route = try #require(configuration.routingTable.routes.first)
        #expect(route.signing == RouteSigning(profile: .mailgun, overrides: expected) && route.encodesEightBit)
        #expect(route.target == .smarthost(host: "smtp.example.net", port: 587))
    }

    @Test("What is left out of a domain and a route is left to others")
    func absentSignatureSettings() throws {
        let configuration = try read(
            "[[domain]]\nname = \"example.com\"\n[[route]]\nname = \"a\"\nsmarthost = \"smtp.example.net\"\n")
        #expect(configuration.signingPolicies.general == SignatureSettings())
        #expect(configuration.signingPolicies.domains.values.allSatisfy { $0 == SigningPolicy() })
        let route = try #require(configuration.routingTable.routes.first)
        #expect(route.signing == RouteSigning() && !route.encodesEightBit)
        #expect(route.target == .smarthost(host: "smtp.example.net", port: 25) && route.maximumRecipients == 100)
    }

    @Test("The name of a smarthost tells its profile, and the settings in effect say so")
    func profileOfTheName() throws {
        let configuration = try read(
            """
            [[route]]
            name = "amazon"
            to = ["example.org"]
            smarthost = "Email-SMTP.eu-west-1.amazonaws.com"
            [[route]]
            name = "grid"
            smarthost = "smtp.sendgrid.net:2525"
            connections = 7
            """)
        let routes = configuration.routingTable.routes
        #expect(routes.map(\.signing.profile) == [.ses, .sendgrid])
        #expect(routes.map(\.maximumRecipients) == [50, 100])
        #expect(routes.map(\.maximumConnections) == [20, 7])
        #expect(routes.map(\.maximumMessagesPerConnection) == [1000, 100])
        #expect(
            routes.map(\.target) == [
                .smarthost(host: "Email-SMTP.eu-west-1.amazonaws.com", port: 587),
                .smarthost(host: "smtp.sendgrid.net", port: 2525),
            ])
        #expect(configuration.effectiveText.contains("profile = \"ses\""))
        #expect(values(try read(configuration.effectiveText)) == values(configuration))
    }

    @Test("The annotated example says what each profile does")
    func profilesAreDocumented() {
        let text = Configuration.example.replacing("\n# ", with: " ")
        for profile in RouteProfile.allCases { #expect(text.contains(profile.rules.words), "\(profile)") }
    }

    @Test("Settings that are left out keep their defaults")
    func absentSettingsAreKept() throws {
        let configuration = try read("[limits]\nerrors = 7\n[[listener]]\nport = 2525\n")
        var expected = LimitSettings()
        expected.errors = 7
        #expect(configuration.limits == expected)
        #expect(configuration.listeners.map(\.address) == ["127.0.0.1"])
    }

    @Test("Dotted keys and inline tables are read like tables")
    func otherSpellings() throws {
        let configuration = try read(
            "limits.errors = 7\nspool = { directory = \"s\" }\nlistener = [{ port = 26 }, { port = 27 }]")
        #expect(configuration.limits.errors == 7)
        #expect(configuration.spool.directory == "s")
        #expect(configuration.listeners.map(\.port) == [26, 27])
    }

    @Test("Relative paths start at the file's directory")
    func relativePaths() {
        let configuration = Configuration(directory: "/etc/waxwing")
        #expect(configuration.resolve("Keys") == "/etc/waxwing/Keys")
        #expect(configuration.resolve("/var/keys") == "/var/keys")
        #expect(Configuration(directory: "/").resolve("Keys") == "/Keys")
        #expect(ConfigurationFile.directory(of: "waxwing.toml", from: "/srv") == "/srv")
        #expect(ConfigurationFile.directory(of: "conf/waxwing.toml", from: "/srv") == "/srv/conf")
        #expect(ConfigurationFile.directory(of: "/waxwing.toml", from: "/srv") == "/")
    }

    @Test(
        "Quantities are read in their smallest unit and written in the largest that fits",
        arguments: [
            ("1 B", 1, "1 B"), ("1024 B", 1024, "1 KiB"), ("1536KiB", 1_572_864, "1536 KiB"),
            ("2 TiB", 2 << 40, "2 TiB"),
            ("0 B", 0, "0 B"),
        ])
    func sizes(_ text: String, _ octets: Int, _ written: String) throws {
        #expect(try Quantity.size.parse(text) == octets)
        #expect(Quantity.size.text(octets) == written)
    }

    @Test(
        "Hosts and ports are told apart",
        arguments: [
            ("smtp.test", "smtp.test", 25), ("smtp.test:587", "smtp.test", 587), ("192.0.2.1:26", "192.0.2.1", 26),
            ("[::1]", "::1", 25), ("[2001:db8::1]:2525", "2001:db8::1", 2525),
        ])
    func hostsAndPorts(_ text: String, _ host: String, _ port: Int) {
        let parsed = HostAndPort(text, defaultPort: 25)
        #expect(parsed?.host == host)
        #expect(parsed?.port == port)
    }

    @Test(
        "What is not a host and port is refused",
        arguments: [
            "", ":25", "a:", "a:0", "a:65536", "::1", "[::1", "[a]:25", "[::1]25", "a b:25", ".a:25", "a..b", "a:-1",
        ])
    func notHostsAndPorts(_ text: String) {
        #expect(HostAndPort(text, defaultPort: 25) == nil)
    }
}
