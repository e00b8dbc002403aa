// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import DNS

@Suite struct KeyedHashTests {
    static func octets(_ text: String) -> [UInt8] {
        let digits = Array(text.utf8)
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16)
        }
    }

    /// RFC 4231 §4.3 and §4.7: a short key, and one that is longer than a block.
    @Test(arguments: [
        (
            TSIGKey.Algorithm.hmacSHA256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            .hmacSHA384,
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952"
        ),
        (
            .hmacSHA512,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"
        ),
    ])
    func theVectorsOfTheRFCHold(algorithm: TSIGKey.Algorithm, short: String, long: String) {
        let jefe = KeyedHash.code(
            algorithm, key: Array("Jefe".utf8), over: Array("what do ya want for nothing?".utf8))
        #expect(jefe == Self.octets(short))
        let large = KeyedHash.code(
            algorithm, key: [UInt8](repeating: 0xAA, count: 131),
            over: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8))
        #expect(large == Self.octets(long))
    }
}

@Suite struct TransactionSignatureTests {
    static let now: UInt64 = 1_800_000_000

    @Test func aKeyNeedsANameAndASecret() {
        #expect(TransactionSignature(TSIGKey(name: "k.test", algorithm: .hmacSHA256, secret: "AAAA")) != nil)
        for (name, secret) in [("k.test", ""), ("k.test", "not base64!"), ("k..test", "AAAA"), ("k\0.test", "AAAA")] {
            #expect(TransactionSignature(TSIGKey(name: name, algorithm: .hmacSHA256, secret: secret)) == nil)
        }
    }

    @Test func aMessageWithoutASignatureHasNoFinding() throws {
        let signature = try #require(TransactionSignature(BindServer.keys[0]))
        let message = try #require(QueryMessage.octets(name: "example.test", type: .soa))
        #expect(signature.check(message, requestCode: [], at: Self.now) == nil)
        #expect(signature.check([], requestCode: [], at: Self.now) == nil)
    }

    @Test func aSignatureThatRestsOnNoRequestIsNotGenuine() throws {
        let signature = try #require(TransactionSignature(BindServer.keys[0]))
        let message = try #require(QueryMessage.octets(name: "example.test", type: .soa))
        let signed = signature.sign(message, at: Self.now)
        let finding = signature.check(signed.message, requestCode: signed.code, at: Self.now)
        #expect(finding == TransactionSignature.Finding(problem: nil, serverTime: nil, isGenuine: false))
    }
}
