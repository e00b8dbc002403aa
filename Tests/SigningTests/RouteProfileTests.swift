// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Testing

@testable import Mail
@testable import Signing

/// A provider as its profile describes it: refuses what is too much, replaces what it writes itself.
private struct ModelProvider {
    let rules: ProfileRules

    /// What the recipient gets; nil if the message is refused.
    func pass(_ message: [UInt8]) throws -> [UInt8]? {
        let section = try HeaderFields(message)
        if let maximum = rules.maximumSignatures, section.presentSignatures.count > maximum { return nil }
        let text = String(decoding: message, as: UTF8.self)
        let parts = text.components(separatedBy: "\r\n\r\n")
        var fields: [String] = []
        for line in parts[0].components(separatedBy: "\r\n") {
            if line.hasPrefix(" ") {
                fields[fields.count - 1] += "\r\n" + line
            } else {
                fields.append(line)
            }
        }
        fields = fields.compactMap { field in
            let name = field.prefix { $0 != ":" }
            guard rules.rewrites(String(name)) else { return field }
            return name.hasPrefix("X-") ? nil : "\(name): replaced by the provider"
        }
        // Each puts a trace field and one of its own on top.
        let head = ["Received: from relay by provider", "X-Provider: yes"] + fields
        return Array(
            (head.joined(separator: "\r\n") + "\r\n\r\n" + parts.dropFirst().joined(separator: "\r\n\r\n")).utf8)
    }
}

@Suite struct RouteProfileTests {
    /// A message with all that a profile could trip over.
    private static func header(for rules: ProfileRules) -> [UInt8] {
        var text = "DKIM-Signature: v=1; a=rsa-sha256; d=app.example; s=x; h=from; bh=AA==; b=AA==\r\n"
        for field in rules.rewrittenFields where !["Date", "Message-ID"].contains(field) {
            let name = field.hasSuffix("*") ? field.dropLast() + "Some" : field[...]
            guard !rules.addedFields.contains(where: { $0.name == name }) else { continue }
            text += "\(name): something\r\n"
        }
        return Array(text.utf8) + SignerTests.header
    }

    private static func departure(_ signing: RouteSigning, _ header: [UInt8]) throws -> Departure {
        var departure = try SignerTests.departure(.smarthost, "smtp.example.org")
        departure.headerSection = header
        departure.nextHop.signing = signing
        return departure
    }

    @Test(arguments: RouteProfile.allCases)
    func theSignatureSurvivesWhatTheProviderDoes(profile: RouteProfile) throws {
        let provider = ModelProvider(rules: profile.rules)
        let overrides: [SignatureOverrides] = [
            SignatureOverrides(),
            with { $0.oversignedFields = .set(.strict) },
            with { $0.signedFields = .set(.minimal) },
            with {
                $0.signedFields = .names(
                    ["Date", "Message-ID", "X-SMTPAPI", "Subject"] + profile.rules.rewrittenFields)
            },
            with { $0.oversignedFields = .names(["Date", "Message-ID", "X-PM-KeepID", "X-Mailgun-Track"]) },
            with { $0.existingSignatures = .strip },
        ]
        for (number, overrides) in overrides.enumerated() {
            for ed25519 in [nil, true, false] {
                let signing = RouteSigning(profile: profile, ed25519: ed25519, overrides: overrides)
                let departure = try Self.departure(signing, Self.header(for: profile.rules))
                let sent = try Sent(departure, by: SignerTests.Fixture().signer)
                let arrived = try #require(try provider.pass(sent.octets), "case \(number) is refused")
                let own = try Sent.results(of: arrived).filter { $0.signature?.sdid == "example.com" }
                let count = profile.rules.maximumSignatures ?? (ed25519 == true ? 2 : 1)
                #expect(own.map(\.result) == Array(repeating: .pass, count: count), "case \(number)")
                #expect(own.first?.signature?.algorithm == .rsaSHA256)
            }
        }
    }

    private func with(_ change: (inout SignatureOverrides) -> Void) -> SignatureOverrides {
        var overrides = SignatureOverrides()
        change(&overrides)
        return overrides
    }

    @Test func aProfileAddsItsFieldsOnceAndBelowTheSignatures() throws {
        let signer = try SignerTests.Fixture().signer
        for profile in RouteProfile.allCases {
            let departure = try Self.departure(RouteSigning(profile: profile), SignerTests.header)
            let text = String(decoding: try signer.sign(departure).fields, as: UTF8.self)
            #expect(text.hasPrefix("DKIM-Signature: v=1;"))
            for field in profile.rules.addedFields {
                #expect(text.contains("\r\n\(field.name): \(field.value)\r\n"))
                #expect(profile.rules.rewrites(field.name), "it is never signed")
                // Said by the message itself: not said again.
                let own = Array("\(field.name.uppercased()): mine\r\n".utf8) + SignerTests.header
                let said = try signer.sign(Self.departure(RouteSigning(profile: profile), own)).fields
                #expect(!String(decoding: said, as: UTF8.self).contains("\r\n\(field.name): "))
            }
            #expect(text.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 78 })
            // Kept with its fields, it serves again as a whole.
            var again = departure
            again.keptFields = Array(text.utf8)
            #expect(try signer.sign(again).fields == Array(text.utf8))
            let unsigned = RouteSigning(profile: profile, isUnsigned: true)
            #expect(try signer.sign(Self.departure(unsigned, SignerTests.header)).fields.isEmpty)
        }
    }

    @Test(arguments: [
        ("email-smtp.eu-west-1.amazonaws.com", RouteProfile.ses), ("email-smtp.us-east-1.amazonaws.com.", .ses),
        ("smtp.sendgrid.net", .sendgrid), ("smtp.mailgun.org", .mailgun), ("smtp.eu.mailgun.org", .mailgun),
        ("send.smtp.com", .smtpCom), ("smtp.postmarkapp.com", .postmark), ("smtp-relay.gmail.com", .gmailRelay),
        ("smtp.office365.com", .microsoft365), ("example-com.mail.protection.outlook.com", .microsoft365),
        ("amazonaws.com", nil), ("notamazonaws.com", nil), ("amazonaws.com.example.org", nil), ("smtp.com", nil),
        ("x.smtp.sendgrid.net", nil), ("smtp.example.org", nil), ("", nil), (".", nil), ("192.0.2.1", nil),
    ])
    func aSmarthostsNameTellsItsProfile(host: String, profile: RouteProfile?) {
        #expect(RouteProfile(host: host) == profile)
        #expect(NextHop(kind: .smarthost, host: host).profile == profile ?? .generic)
        // On the way to a recipient's own hosts only Amazon's rules hold: the others are rules of submission.
        #expect(NextHop(kind: .mx, host: host).profile == (profile == .ses ? .ses : .generic))
    }

    @Test func theRouteNamesTheProfileExceptAtAmazon() {
        let route = RouteSigning(profile: .generic)
        #expect(NextHop(kind: .smarthost, host: "smtp.sendgrid.net", signing: route).profile == .generic)
        #expect(NextHop(kind: .smarthost, host: "x.amazonaws.com", signing: route).profile == .ses)
        let mailgun = RouteSigning(profile: .mailgun)
        #expect(NextHop(kind: .smarthost, host: "192.0.2.1", signing: mailgun).profile == .mailgun)
        #expect(NextHop(kind: .capture, host: "files", signing: mailgun).profile == .mailgun)
    }

    @Test func theRulesAreSound() {
        for profile in RouteProfile.allCases {
            let rules = profile.rules
            #expect(!rules.rewrites("From"), "no signature can do without From")
            #expect(rules.words.hasPrefix(profile.rawValue) && rules.words.hasSuffix("."))
            #expect(rules.hosts.allSatisfy { $0 == $0.lowercased() })
            #expect(rules.addedFields.allSatisfy { !$0.value.isEmpty && $0.value.utf8.allSatisfy { $0 < 127 } })
        }
        #expect(ProfileRules.ses.rewrites("message-id") && ProfileRules.ses.rewrites("X-Ses-Whatever"))
        #expect(!ProfileRules.ses.rewrites("Message-ID2") && !ProfileRules.ses.rewrites("Subject"))
    }
}
