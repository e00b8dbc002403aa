// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Crypto
internal import FoundationEssentials
internal import SwiftASN1
internal import X509

extension ServerIdentity {
    /// Of a certificate that nobody renews while the process runs.
    private static let selfMadeLife: TimeInterval = 10 * 365 * 86_400

    /// A new key (ECDSA, P-256) and a certificate that it signed for itself.
    ///
    /// It protects against listeners on the way, not against somebody in the server's place: only for loopback, where
    /// there is no way.
    static func selfMade(hostname: String) throws(TLSFault) -> ServerIdentity {
        do {
            let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
            let name = try DistinguishedName { CommonName(hostname) }
            let loopback = [[127, 0, 0, 1], ipv6Loopback].map { ASN1OctetString(contentBytes: $0) }
            let names = [GeneralName.dnsName(hostname), .dnsName("localhost")] + loopback.map(GeneralName.ipAddress)
            let certificate = try Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
                // A clock that is set back a little must not make it invalid.
                notValidBefore: Date.now - 86_400, notValidAfter: Date.now + selfMadeLife,
                issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
                extensions: try Certificate.Extensions {
                    Critical(BasicConstraints.notCertificateAuthority)
                    Critical(KeyUsage(digitalSignature: true))
                    try ExtendedKeyUsage([.serverAuth])
                    SubjectAlternativeNames(names)
                },
                issuerPrivateKey: key)
            return ServerIdentity(
                certificates: Array(try certificate.serializeAsPEM().pemString.utf8),
                privateKey: Array(try key.serializeAsPEM().pemString.utf8))
        } catch {
            throw .other("\(error)")
        }
    }

    private static var ipv6Loopback: ArraySlice<UInt8> { [UInt8](repeating: 0, count: 15) + [1] }
}
