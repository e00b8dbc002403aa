// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Testing

@testable import DKIM

@Suite struct SigningInputTests {
    @Test func `the inputs of the published signatures are the published ones`() throws {
        let inputs = try SigningInput.all(in: Vectors.bytes("RFC/rfc8463.eml"))
        #expect(
            try inputs.map(\.octets) == [
                Vectors.bytes("RFC/rfc8463-A3-ed25519.signing-input"),
                Vectors.bytes("RFC/rfc8463-A3-rsa.signing-input"),
            ])
        for input in inputs {
            #expect(input.bodyHash == input.signature.bodyHash)
            #expect(try input.digest == SHA256.digest(of: input.octets))
            #expect(text(input.canonicalBody).hasPrefix("Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n"))
            #expect(input.bodyOctets == input.canonicalBody.count + 1)
            #expect(text(input.signatureField).hasPrefix("dkim-signature:v=1; a="))
            #expect(text(input.signatureField).hasSuffix(" b="))
            #expect(text(input.headerFields).hasPrefix("from:Joe SixPack <joe@football.example.com>\r\nto:"))
            #expect(input.coverage.oversigned == ["from", "subject", "date"])
        }
    }

    @Test func `a message without a signature, or none at all, has no input`() throws {
        #expect(try SigningInput.all(in: octets("From: a\r\n\r\nb\r\n")).isEmpty)
        #expect(try SigningInput.all(in: octets("none\r\n")).isEmpty)
        #expect(try SigningInput.all(in: octets("DKIM-Signature: v=1\r\n\r\n")).isEmpty)
    }
}
