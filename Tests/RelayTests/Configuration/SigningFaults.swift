// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Relay
import Testing

extension FaultCase {
    private static let amazon = "[[route]]\nname = \"a\"\nsmarthost = \"email-smtp.eu-west-1.amazonaws.com:587\"\n"
    private static let named = "[[route]]\nname = \"a\"\nsmarthost = \"192.0.2.1\"\nprofile = \"ses\"\n"
    private static let domain = "[[domain]]\nname = \"example.com\"\n"

    /// Settings of signatures that are wrong, or that a next hop would make break.
    static let signing: [FaultCase] = [
        FaultCase(
            text: amazon + "ed25519 = true", line: 4, key: "route[1].ed25519",
            problem: "profile \"ses\" refuses a message with two signatures", remedy: "Remove ed25519"),
        FaultCase(
            text: named + "ed25519 = true", line: 5, key: "route[1].ed25519", problem: "two signatures",
            remedy: "Remove ed25519"),
        FaultCase(
            text: amazon + "existing-signatures = \"keep\"", line: 4, key: "route[1].existing-signatures",
            problem: "two signatures", remedy: "existing-signatures = \"strip\""),
        FaultCase(
            text: named + "existing-signatures = \"strip-own\"", line: 5, key: "route[1].existing-signatures",
            problem: "two signatures", remedy: "leave it out"),
        FaultCase(
            text: amazon + "sign = [\"Subject\", \"date\"]", line: 4, key: "route[1].sign[2]",
            problem: "replaces or removes date", remedy: "Take it out"),
        FaultCase(
            text: named + "oversign = [\"Message-ID\"]", line: 5, key: "route[1].oversign[1]",
            problem: "replaces or removes Message-ID", remedy: "Take it out"),
        FaultCase(
            text: named + "oversign = [\"X-SES-CONFIGURATION-SET\"]", line: 5, key: "route[1].oversign[1]",
            problem: "replaces or removes", remedy: "Take it out"),
        FaultCase(
            text: "[[route]]\nname = \"a\"\nsmarthost = \"smtp.sendgrid.net\"\nsign = [\"X-SMTPAPI\"]", line: 4,
            key: "route[1].sign[1]", problem: "\"sendgrid\" replaces or removes X-SMTPAPI", remedy: "Take it out"),
        FaultCase(
            text: amazon + "profile = \"generic\"", line: 4, key: "route[1].profile",
            problem: "is Amazon SES, whose rules \"generic\" does not keep", remedy: "profile = \"ses\""),
        FaultCase(
            text: "[[route]]\nname = \"a\"\nmx = true\nprofile = \"mailgun\"", line: 4, key: "route[1].profile",
            problem: "a profile describes a smarthost", remedy: "Remove profile"),
        FaultCase(
            text: "[[route]]\nname = \"a\"\nsmarthost = \"a.test\"\nprofile = \"aws\"", line: 4,
            key: "route[1].profile", problem: "\"aws\"", remedy: "\"ses\""),
        FaultCase(
            text: "[[route]]\nname = \"a\"\nmx = true\neight-bit = \"drop\"", line: 4, key: "route[1].eight-bit",
            problem: "\"drop\"", remedy: "\"encode\""),
        FaultCase(
            text: "[signing]\nsign = [\"Subject\",\n\"Return-Path\"]", line: 3, key: "signing.sign[2]",
            problem: "can't be signed: the receiving host writes it", remedy: "Take it out"),
        FaultCase(
            text: "[signing]\noversign = [\"Received\"]", line: 2, key: "signing.oversign[1]",
            problem: "every host on the way adds one", remedy: "Take it out"),
        FaultCase(
            text: domain + "sign = [\"dkim-signature\"]", line: 3, key: "domain[1].sign[1]",
            problem: "independently of each other", remedy: "Take it out"),
        FaultCase(
            text: domain + "sign = [\"a b\"]", line: 3, key: "domain[1].sign[1]",
            problem: "not the name of a header field", remedy: "\"Subject\""),
        FaultCase(
            text: domain + "oversign = [\"\"]", line: 3, key: "domain[1].oversign[1]", problem: "not the name",
            remedy: "\"Subject\""),
        FaultCase(
            text: "[signing]\nsign = \"all\"", line: 2, key: "signing.sign", problem: "\"all\" is not one of the words",
            remedy: "\"standard\", \"minimal\" or a list of names"),
        FaultCase(
            text: "[signing]\noversign = true", line: 2, key: "signing.oversign", problem: "true or false",
            remedy: "`\"from\"`"),
        FaultCase(
            text: "[signing]\noversign = [1]", line: 2, key: "signing.oversign", problem: "a number",
            remedy: "[\"Subject\"]"),
        FaultCase(
            text: "[signing]\ncanonicalization = \"relaxed\"", line: 2, key: "signing.canonicalization",
            problem: "\"relaxed\"", remedy: "\"relaxed/relaxed\""),
        FaultCase(
            text: "[signing]\nexisting-signatures = 1", line: 2, key: "signing.existing-signatures",
            problem: "a number", remedy: "`\"strip\"`"),
        FaultCase(
            text: domain + "expiry = \"2 years\"", line: 3, key: "domain[1].expiry", problem: "\"years\"",
            remedy: "s, min, h, d"),
        FaultCase(
            text: domain + "algorithms = [\"rsa\", \"dsa\"]", line: 3, key: "domain[1].algorithms[2]",
            problem: "\"dsa\" is no kind of key", remedy: "\"rsa\" or \"ed25519\""),
        FaultCase(
            text: domain + "auid = \"@example.net\"", line: 3, key: "domain[1].auid",
            problem: "outside the domain that signs", remedy: "\"@example.com\""),
        FaultCase(
            text: domain + "auid = \"example.com\"", line: 3, key: "domain[1].auid", problem: "is not in example.com",
            remedy: "\"@example.com\""),
        FaultCase(
            text: domain + "unsigned = true\nsubdomains = true", line: 4, key: "domain[1].subdomains",
            problem: "they sign nothing", remedy: "Remove one of the two"),
        FaultCase(
            text: "[[domain]]\nname = \"com\"\nsubdomains = true", line: 3, key: "domain[1].subdomains",
            problem: "top-level domain", remedy: "that you registered"),
    ]
}

@Suite struct SigningConfigurationTests {
    private func read(_ text: String) throws -> Configuration {
        try ConfigurationFile.read(text, file: "waxwing.toml", directory: "/tmp")
    }

    @Test("Every field that a provider rewrites is refused in the lists of a route to it")
    func rewrittenFieldsAreRefused() throws {
        for profile in RouteProfile.allCases {
            for field in profile.rules.rewrittenFields {
                for setting in ["sign", "oversign"] {
                    let name = field.replacing("*", with: "Some")
                    let text = """
                        [[route]]
                        name = "a"
                        smarthost = "192.0.2.1"
                        profile = "\(profile.rawValue)"
                        \(setting) = ["\(name)"]
                        """
                    let error = #expect(throws: ConfigurationError.self, "\(profile) \(name)") { try read(text) }
                    #expect(error?.faults.map(\.key) == ["route[1].\(setting)[1]"])
                }
            }
        }
    }

    @Test(
        "What holds everywhere is no fault of a route whose profile sets it aside",
        arguments: [
            "[signing]\nexisting-signatures = \"keep\"\nsign = [\"Date\", \"Message-ID\", \"Subject\"]\n",
            "[[domain]]\nname = \"example.com\"\noversign = [\"Date\"]\nalgorithms = [\"rsa\", \"ed25519\"]\n",
            "[signing]\ncanonicalization = \"simple/simple\"\noversign = \"strict\"\n",
        ])
    func profilesLimitWithoutFault(text: String) throws {
        let route = "[[route]]\nname = \"a\"\nsmarthost = \"email-smtp.eu-west-1.amazonaws.com\"\ned25519 = false\n"
        #expect(throws: Never.self) { try read(text + route) }
    }

    @Test("A capture route may have a profile, so that one can see what a provider would get")
    func captureWithProfile() throws {
        let configuration = try read("[[route]]\nname = \"a\"\ncapture = \"out\"\nprofile = \"ses\"\n")
        #expect(configuration.effectiveRoutes.map(\.knownProfile) == [.ses])
    }
}
