// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import DKIM

/// The parser of signature fields (RFC 6376 §3.2, §3.5, §6.1.1).
@Suite struct SignatureTests {
    static let value = [
        "v": "1", "a": "rsa-sha256", "d": "example.com", "s": "s1", "h": "from:to", "bh": "AAAA", "b": "Zm9v",
    ]

    static func field(
        _ changes: [String: String?] = [:],
        order: [String] = ["v", "a", "c", "d", "i", "s", "t", "x", "l", "q", "h", "bh", "b"]
    ) -> [UInt8] {
        var tags = value
        for (name, value) in changes { tags[name] = value }
        let list = order.compactMap { name in tags[name].map { "\(name)=\($0)" } }
        return octets("DKIM-Signature: " + list.joined(separator: "; ") + "\r\n")
    }

    @Test func `a minimal signature gets its defaults`() throws {
        let signature = try Signature(field: SignatureTests.field())
        #expect(signature.algorithm == .rsaSHA256)
        #expect(signature.canonicalization == .simple)
        #expect(signature.auid == "@example.com")
        #expect(signature.signedFieldNames == ["from", "to"])
        #expect(signature.value == octets("foo"))
        #expect((signature.signedAt, signature.expiresAt, signature.bodyOctets) == (nil, nil, nil))
        #expect(signature.keyRecordName == "s1._domainkey.example.com")
    }

    @Test(arguments: [
        ("relaxed", "relaxed/simple"), ("simple", "simple/simple"), ("simple/relaxed", "simple/relaxed"),
        ("relaxed/relaxed", "relaxed/relaxed"), ("relaxed/simple", "relaxed/simple"),
    ])
    func `c= names the header section first and the body second`(value: String, meaning: String) throws {
        #expect(try Signature(field: SignatureTests.field(["c": value])).canonicalization.description == meaning)
    }

    @Test func `white space and folds may stand between all parts`() throws {
        let field = octets(
            "DKIM-Signature : v = 1 ;\r\n\ta=rsa-sha256;d= example.com ;s=s1;\r\n h=From :\r\n\tTO;bh=A A\r\n AA ; "
                + "b= Zm\r\n 9v ;\r\n t = 12 ;")
        let signature = try Signature(field: field)
        #expect(signature.signedFieldNames == ["from", "to"])
        #expect(signature.value == octets("foo"))
        #expect(signature.signedAt == 12)
        #expect(text(signature.unsigned).hasSuffix("bh=A A\r\n AA ; b=;\r\n t = 12 ;"))
    }

    /// Only the value of `b=` is left out, wherever the tag stands.
    @Test(arguments: [["b", "v", "a", "d", "s", "h", "bh"], ["v", "a", "bh", "b", "d", "s", "h"]])
    func `bh= stays when b= is emptied`(order: [String]) throws {
        let signature = try Signature(field: SignatureTests.field(order: order))
        #expect(text(signature.unsigned).contains("bh=AAAA"))
        #expect(text(signature.unsigned).contains("b=;"))
        #expect(!text(signature.unsigned).contains("Zm9v"))
    }

    static let refused: [(changes: [String: String?], result: VerificationResult, reason: String)] = [
        (["v": nil], .permerror, "no v= in it"),
        (["v": "2"], .permerror, "incompatible version"),
        (["a": nil], .permerror, "no a= in it"),
        (["a": "rsa-sha1"], .permerror, "the algorithm rsa-sha1 is not accepted"),
        (["a": "rsa-sha512"], .permerror, "the algorithm rsa-sha512 is not accepted"),
        (["b": nil], .permerror, "no b= in it"),
        (["b": ""], .permerror, "no b= in it"),
        (["b": "*"], .neutral, "the base64 of b= is damaged"),
        (["bh": nil], .permerror, "no bh= in it"),
        (["bh": "A"], .neutral, "the base64 of bh= is damaged"),
        (["d": nil], .permerror, "no d= in it"),
        (["d": "a..b"], .neutral, "d= is not a domain name"),
        (
            ["d": "b\u{FC}cher.example"], .neutral,
            "d= is not a domain name: internationalized names are written as A-labels"
        ),
        (["s": nil], .permerror, "no s= in it"),
        (["s": "a/b"], .neutral, "s= is not a domain name"),
        (["h": nil], .permerror, "no h= in it"),
        (["h": "to:subject"], .permerror, "From is not signed"),
        (["h": "from::to"], .neutral, "an empty name in h="),
        (["h": Array(repeating: "from", count: 1001).joined(separator: ":")], .policy, "h= has more than 1000 names"),
        (["i": "@example.org"], .permerror, "the domain of i= is not in that of d="),
        (["i": "example.com"], .permerror, "the domain of i= is not in that of d="),
        (["i": "@xexample.com"], .permerror, "the domain of i= is not in that of d="),
        (["c": "nofws"], .permerror, "unknown canonicalization"),
        (["c": "simple/"], .permerror, "unknown canonicalization"),
        (["t": "5", "x": "5"], .permerror, "x= is not later than t="),
        (["t": "-5"], .neutral, "t= is not a number"),
        (["x": ""], .neutral, "x= is not a number"),
        (["l": "1e3"], .neutral, "l= is not a number"),
        (["q": "http"], .permerror, "unknown query method"),
        (["d": "example.com; d=example.com"], .neutral, "the tag d= stands there twice"),
        (["d": "example.com; ; t=1"], .neutral, "not a list of tags: a semicolon without a tag before it"),
        (["d": "example.com; =1"], .neutral, "not a list of tags: \"\" is not the name of a tag"),
    ]

    @Test(arguments: refused)
    func `a signature that can't be verified says why`(
        changes: [String: String?], result: VerificationResult, reason: String
    ) {
        #expect(throws: Signature.Problem(result, reason)) { try Signature(field: SignatureTests.field(changes)) }
    }

    @Test(arguments: [
        ["i": "joe@example.com"], ["i": "@mail.EXAMPLE.com"], ["i": "\"a@b\"@example.com"], ["q": "dns/txt"],
        ["q": "other:dns/txt"], ["t": "1", "x": "99999999999999999999"], ["l": "0"], ["h": "FROM:From:from"],
    ])
    func `these signatures can be verified`(changes: [String: String]) throws {
        _ = try Signature(field: SignatureTests.field(changes))
    }

    @Test(.timeLimit(.minutes(1)))
    func `a list of very many tags takes no time that grows with their square`() throws {
        let list = (0..<200_000).map { "a\($0)=" }.joined(separator: ";")
        #expect(try TagList(octets(list)).tags.count == 200_000)
        #expect(throws: TagList.Problem.duplicate("a7")) { try TagList(octets(list + ";a7=")) }
    }

    @Test(.timeLimit(.minutes(1)))
    func `fields of one name are found from the bottom up, however many there are`() throws {
        let header = try HeaderFields(octets(String(repeating: "To: a\r\n", count: 50_000) + "From: b\r\n"))
        var selection = HeaderSelection(header)
        var found: [Int] = []
        while let index = selection.next(octets("to")) { found.append(index) }
        #expect(found == Array((0..<50_000).reversed()))
        #expect(selection.next(octets("from")) == 50_000)
        #expect(selection.next(octets("to")) == nil)
    }

    /// RFC 6376 §2.11.
    @Test(arguments: [
        ("=6Along@example.com", "jlong@example.com"), ("jlong@example=2Ecom", "jlong@example.com"),
        ("jlong=40example.com", "jlong@example.com"), ("a=3bb@example.com", "a;b@example.com"),
        ("a=b@example.com", "a=b@example.com"), ("a=4", "a=4"), ("a\r\n =40 example.com", "a@example.com"),
    ])
    func `i= is read as quoted-printable`(value: String, auid: String) throws {
        let signature = try? Signature(field: SignatureTests.field(["i": value]))
        #expect(signature?.auid == (auid.contains("@") ? auid : nil))
    }

    @Test func `cutting a field off anywhere never traps`() {
        let field = SignatureTests.field(["i": "@example.com", "t": "1", "c": "relaxed/relaxed"])
        for count in 0...field.count { _ = try? Signature(field: Array(field[..<count])) }
    }
}
