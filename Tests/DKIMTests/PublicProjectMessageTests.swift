// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import DKIM

/// What public verifiers expect of changed messages; see `README.md` beside this file.
@Suite struct PublicProjectMessageTests {
    private static let key = "v=DKIM1; k=rsa; p=\(KeyRecordTests.rsa)"
    private static let tags =
        "v=1; a=rsa-sha256; c=relaxed/relaxed; d=football.example.com; s=test; h=from:to:subject:date; bh=%BH%"

    private static func verify(_ message: String) -> Verification? {
        Verifier(now: Vectors.now) { _ in .texts([key]) }.verify(octets(message)).first
    }

    /// What is replaced in the signed message, by what, and what comes of it.
    static let changes: [(old: String, new: String, result: VerificationResult)] = [
        ("We lost.", "We won.", .fail),
        ("Is dinner ready?", "Is lunch ready?", .fail),
        ("We lost.\r\n", "We lost.\r\n\r\n\r\n", .pass),
        ("We lost.", "We \t lost.  ", .pass),
        ("Is dinner", "Is\r\n\t dinner", .pass),
        // Fields that are not signed may come and go.
        ("Date:", "X-Foo: bar\r\nDate:", .pass),
        // A signed name is taken from the bottom up: a second one below the first is not the one that was signed.
        ("\r\n\r\nHi.", "\r\nFrom: \"Resident\" <sales@evil.example>\r\n\r\nHi.", .fail),
        ("\r\n\r\nHi.", "\r\nSubject: Buy\r\n\r\nHi.", .fail),
        // Content that only some readers would take for a part of a field.
        ("football.example.com>\r\n", "football.example.com>\r\n\u{0B}, evil@attacker.example\r\n", .neutral),
        ("football.example.com>\r\n", "football.example.com>\r\n\u{0C}, evil@attacker.example\r\n", .neutral),
        ("football.example.com>\r\n", "football.example.com>\r\n\r, evil@attacker.example\r\n", .neutral),
        ("football.example.com>\r\n", "football.example.com>\r\n\u{A0}, evil@attacker.example\r\n", .neutral),
        ("football.example.com>\r\n", "football.example.com>\r\n\u{3000}, evil@attacker.example\r\n", .neutral),
        ("football.example.com>\r\n", "football.example.com>\r\n , evil@attacker.example\r\n", .fail),
        // Only CRLF is a line end.
        ("Hi.\r\n", "Hi.\n", .fail),
    ]

    @Test(arguments: changes)
    func `a change of the message has the result that verifiers agree on`(
        old: String, new: String, result: VerificationResult
    ) throws {
        let signed = try PublicProjectTests.sign(PublicProjectMessageTests.tags)
        let changed = signed.replacing(old, with: new)
        #expect(octets(changed) != octets(signed))
        let verification = try #require(PublicProjectMessageTests.verify(changed))
        #expect(verification.result == result, "\(verification.reason)")
    }

    /// RFC 6376 §5.4.2 lets a field stand above the one that was signed: it is not covered, and that is said.
    @Test(arguments: ["From: eve@evil.example", "Subject: Buy", "Date: now", "To: you@example.org"])
    func `a field that is added on top passes unless it is oversigned, and is shown as open`(field: String) throws {
        let name = String(field.prefix { $0 != ":" })
        let once = try PublicProjectTests.sign(PublicProjectMessageTests.tags)
        let open = try #require(PublicProjectMessageTests.verify("\(field)\r\n\(once)"))
        #expect(open.result == .pass)
        #expect(open.header?.coverage.exposed == [name.lowercased()])

        let names = ["from", "to", "subject", "date", name.lowercased()]
        let tags = PublicProjectMessageTests.tags.replacing("subject:date;", with: "subject:date:\(name);")
        let twice = try PublicProjectTests.sign(tags, names: names)
        let closed = try #require(PublicProjectMessageTests.verify("\(field)\r\n\(twice)"))
        #expect(closed.result == .fail)
        #expect(closed.reason == "the field \(name) was added after signing")
    }

    @Test func `what decides how the body is shown is pointed out where it isn't signed`() throws {
        let message =
            "From: joe@football.example.com\r\nTo: a@example.net\r\nSubject: s\r\nDate: d\r\n"
            + "Content-Type: text/html\r\nReply-To: eve@evil.example\r\nX-Other: 1\r\n\r\nHi.\r\n"
        let signed = try PublicProjectTests.sign(PublicProjectMessageTests.tags, message: message)
        let coverage = try #require(PublicProjectMessageTests.verify(signed)?.header?.coverage)
        #expect(coverage.exposed == ["content-type", "reply-to"])
        #expect(coverage.unsigned == ["content-type", "reply-to", "x-other"])
    }

    @Test(arguments: [(0, 17), (5, 12), (17, 0)])
    func `l= is obeyed, and what it leaves out is counted`(limit: Int, rest: Int) throws {
        let tags = PublicProjectMessageTests.tags.replacing("h=from", with: "l=\(limit); h=from")
        let signed = try PublicProjectTests.sign(tags, limit: limit)
        let verification = try #require(PublicProjectMessageTests.verify(signed))
        #expect(verification.result == .pass)
        #expect(verification.body?.unsignedOctets == rest)
        let longer = try #require(PublicProjectMessageTests.verify(signed + "APPENDED\r\n"))
        #expect(longer.result == .pass)
        #expect(longer.body?.unsignedOctets == rest + 10)
        #expect(longer.reason == "l= leaves the last \(rest + 10) octets of the body unsigned")
        let inflated = signed.replacing("l=\(limit);", with: "l=999999;")
        #expect(PublicProjectMessageTests.verify(inflated)?.result == .permerror)
    }

    @Test func `several signatures are judged each for itself, and one that passes is enough`() throws {
        let good = try PublicProjectTests.sign(PublicProjectMessageTests.tags)
        let field = try #require(good.split(separator: "\r\nFrom:").first.map(String.init))
        let unknown = field.replacing("c=relaxed/relaxed", with: "c=foobar")
        let altered = field.replacing("d=football", with: "t=1; d=football")
        let fields = [unknown, field, altered, "DKIM-Signature: synerr"].joined(separator: "\r\n")
        let verifications = Verifier(now: Vectors.now) { _ in .texts([PublicProjectMessageTests.key]) }
            .verify(octets(good.replacing(field, with: fields)))
        #expect(verifications.map(\.result) == [.permerror, .pass, .fail, .neutral])
        #expect(Verifier.overall(verifications) == .pass)
    }

    @Test(arguments: ["From: joe@football.example.com\r\n\r\n", "From: joe@football.example.com\r\n"])
    func `a message without a body has the hash of an empty one`(message: String) throws {
        for (name, body) in [("relaxed", Canonicalization.relaxed), ("simple", .simple)] {
            let tags = PublicProjectMessageTests.tags.replacing("relaxed/relaxed", with: "relaxed/\(name)")
            let signed = try PublicProjectTests.sign(tags, message: message, body: body)
            #expect(PublicProjectMessageTests.verify(signed)?.result == .pass)
        }
    }

    @Test func `octets above 127 in a header field are hashed as they are`() throws {
        let message = "From: J\u{F6}e <joe@football.example.com>\r\nSubject: gr\u{FC}n \u{2003} x\r\n\r\nHi.\r\n"
        let signed = try PublicProjectTests.sign(PublicProjectMessageTests.tags, message: message)
        #expect(PublicProjectMessageTests.verify(signed)?.result == .pass)
        #expect(PublicProjectMessageTests.verify(signed.replacing("\u{2003} ", with: " "))?.result == .fail)
    }

    @Test func `a message that starts with an empty line has no fields, and no signature`() throws {
        let signed = try PublicProjectTests.sign(PublicProjectMessageTests.tags)
        #expect(PublicProjectMessageTests.verify("\r\n" + signed) == nil)
        #expect(PublicProjectMessageTests.verify("asdf\r\n")?.result == .neutral)
    }

    @Test func `signatures past the limit are not looked at`() throws {
        let good = try PublicProjectTests.sign(PublicProjectMessageTests.tags)
        let field = try #require(good.split(separator: "\r\nFrom:").first.map(String.init))
        let flooded = String(repeating: field + "\r\n", count: Verifier.maximumSignatures) + good
        var asked = 0
        let verifications = Verifier(now: Vectors.now) { _ in
            asked += 1
            return .texts([PublicProjectMessageTests.key])
        }.verify(octets(flooded))
        #expect(verifications.map(\.result).filter { $0 == .pass }.count == Verifier.maximumSignatures)
        #expect(verifications.last?.result == .policy)
        #expect(asked == Verifier.maximumSignatures)
    }
}
