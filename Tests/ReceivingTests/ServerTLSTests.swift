// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import NIOSSL
import Testing

@testable import Receiving

/// Which identities are taken.
@Suite struct ServerTLSTests {
    @Test func aSelfMadeIdentityIsForTheHostAndForLoopback() throws {
        let identity = try ServerIdentity.selfMade(hostname: "relay.example.com")
        let parsed = try ParsedIdentity(identity)
        #expect(parsed.chain.count == 1)
        #expect(parsed.chain[0].names == ["relay.example.com", "localhost"])
        #expect(parsed.chain[0].endPoint.count == 32)
        let tls = ServerTLS(hostname: "relay.example.com")
        try tls.replace(identity)
        #expect(tls.endPoint == parsed.chain[0].endPoint)
        _ = try tls.handler(authority: nil)
    }

    @Test func theSelfMadeOneIsMadeOnce() throws {
        let tls = ServerTLS(hostname: "relay.example.com")
        try tls.replace(nil)
        let before = tls.endPoint
        try tls.replace(nil)
        #expect(tls.endPoint == before)
    }

    @Test func aBrokenPairLeavesTheOneBefore() throws {
        let tls = ServerTLS(hostname: "relay.example.com")
        #expect(throws: TLSFault.self) { try tls.handler(authority: nil) }
        let good = try ServerIdentity.selfMade(hostname: "a.example")
        let other = try ServerIdentity.selfMade(hostname: "b.example")
        try tls.replace(good)
        let before = tls.endPoint
        var mixed = good
        mixed.privateKey = other.privateKey
        #expect(throws: TLSFault.notAPair) { try tls.replace(mixed) }
        var keyless = good
        keyless.privateKey = Array("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".utf8)
        #expect(throws: TLSFault.noPrivateKey) { try tls.replace(keyless) }
        var empty = good
        empty.certificates = []
        #expect(throws: TLSFault.noCertificate) { try tls.replace(empty) }
        #expect(throws: TLSFault.noAuthority("ca.pem")) { try tls.replace(good, authorities: ["ca.pem": []]) }
        #expect(tls.endPoint == before)
        try tls.replace(other)
        #expect(tls.endPoint != before)
    }
}
