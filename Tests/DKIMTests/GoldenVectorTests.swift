// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import DKIM

/// RFC 8463 §A.3 byte for byte: both of its signature schemes are deterministic.
@Suite struct GoldenVectorTests {
    private static let template = """
        c=relaxed/relaxed; d=football.example.com; i=@football.example.com; q=dns/txt; s=SELECTOR; t=1528637909; \
        h=from : to : subject : date : message-id : from : subject : date; \
        bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=
        """

    private static let signed = ["from", "to", "subject", "date", "message-id", "from", "subject", "date"].map(octets)

    private func unsigned(algorithm: String, selector: String) -> [UInt8] {
        let tags = GoldenVectorTests.template.replacing("SELECTOR", with: selector)
        return octets("DKIM-Signature: v=1; a=\(algorithm); \(tags)")
    }

    /// The message without the two signatures it came with.
    private func header() throws -> HeaderFields {
        let message = try Vectors.bytes("RFC/rfc8463.eml")
        let all = try HeaderFields(message)
        return try HeaderFields(Array(message[all.fields[2].octets.lowerBound...]))
    }

    private func fields(in header: HeaderFields) -> [Int] {
        var selection = HeaderSelection(header)
        return GoldenVectorTests.signed.compactMap { selection.next($0) }
    }

    @Test(arguments: [("ed25519-sha256", "brisbane", "ed25519"), ("rsa-sha256", "test", "rsa")])
    func `the signing input is the published one`(algorithm: String, selector: String, file: String) throws {
        let header = try header()
        let input = SignatureTemplate.signingInput(
            header, fields: fields(in: header), unsigned: unsigned(algorithm: algorithm, selector: selector),
            canonicalization: .relaxed)
        #expect(try input == Vectors.bytes("RFC/rfc8463-A3-\(file).signing-input"))
    }

    @Test func `Ed25519 gives the published signature`() throws {
        let header = try header()
        let signature = try SignatureTemplate.signature(
            header, fields: fields(in: header), unsigned: unsigned(algorithm: "ed25519-sha256", selector: "brisbane"),
            canonicalization: .relaxed, key: Vectors.ed25519Key(), checking: true)
        #expect(
            Base64.string(signature)
                == "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==")
    }

    @Test func `RSA gives the published signature`() throws {
        let header = try header()
        let signature = try SignatureTemplate.signature(
            header, fields: fields(in: header), unsigned: unsigned(algorithm: "rsa-sha256", selector: "test"),
            canonicalization: .relaxed, key: Vectors.rsaKey(), checking: true)
        #expect(
            Base64.string(signature)
                == "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGd"
                + "aSGsgeefOsk2JzdA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=")
    }

    @Test func `the digests of the signing inputs are the published ones`() throws {
        func digest(_ file: String) throws -> String {
            try SHA256.digest(of: Vectors.bytes(file)).map { byte in
                String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            }.joined()
        }
        #expect(
            try digest("RFC/rfc8463-A3-ed25519.signing-input")
                == "48ce9a2c710ece1710ff156996b836a7f45470e43efe5643074d6e1690ed62e7")
        #expect(
            try digest("RFC/rfc8463-A3-rsa.signing-input")
                == "fed71e6d70fb123bb5c353adc42821b304b6b9d54fc867f304f7c61daaaa1111")
    }

    @Test func `the body hash is the published one`() throws {
        let message = try Vectors.bytes("RFC/rfc8463.eml")
        let body = try Array(message[HeaderFields(message).bodyStart...])
        #expect(try Vectors.hash(body, .relaxed) == "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=")
        #expect(try Vectors.hash(body, .simple) == "4bLNXImK9drULnmePzZNEBleUanJCX5PIsDIFoH4KTQ=")
    }
}
