// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Crypto
internal import NIOSSL
internal import SwiftASN1
internal import X509

extension NIOSSLCertificate {
    /// The DNS names and mailboxes that the certificate is for (RFC 5280 §4.2.1.6); never its subject's common name,
    /// which any authority may write as it likes.
    var names: [String] {
        guard let certificate = try? Certificate(derEncoded: toDERBytes()),
            let names = try? certificate.extensions.subjectAlternativeNames
        else { return [] }
        return names.compactMap { name in
            switch name {
            case .dnsName(let text), .rfc822Name(let text): text
            default: nil
            }
        }
    }

    /// What a client and this server can both tell of the connection: tls-server-end-point (RFC 5929 §4.1).
    var endPoint: [UInt8] {
        guard let octets = try? toDERBytes() else { return [] }
        let algorithm = (try? Certificate(derEncoded: octets))?.signatureAlgorithm
        // The hash of the certificate's own signature, where MD5 and SHA-1 count as SHA-256.
        switch algorithm {
        case .ecdsaWithSHA384?, .sha384WithRSAEncryption?: return Array(SHA384.hash(data: octets))
        case .ecdsaWithSHA512?, .sha512WithRSAEncryption?: return Array(SHA512.hash(data: octets))
        default: return Array(SHA256.hash(data: octets))
        }
    }
}
