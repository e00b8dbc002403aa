// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import NIOSSL

/// What the server shows to its clients: a certificate with its chain, and the private key for it, both as PEM.
package struct ServerIdentity: Hashable, Sendable {
    /// The server's own certificate first, then those up to the root.
    package var certificates: [UInt8]
    package var privateKey: [UInt8]

    package init(certificates: [UInt8], privateKey: [UInt8]) {
        self.certificates = certificates
        self.privateKey = privateKey
    }
}

/// Why there can be no TLS with what was given.
package enum TLSFault: Error, Hashable, Sendable, CustomStringConvertible {
    case noCertificate
    case noPrivateKey
    case notAPair
    /// Carries the name of the file that should hold certificates.
    case noAuthority(String)
    case other(String)

    package var description: String {
        switch self {
        case .noCertificate:
            "it holds no certificate: it should hold PEM, the server's own certificate first, then its chain"
        case .noPrivateKey:
            "it holds no private key that can be read: it should hold one as PEM, without a passphrase"
        case .notAPair:
            "it is not the private key of the certificate: name two files that belong together"
        case .noAuthority(let file):
            "\(file) holds no certificate: it should hold those of the clients' authorities, as PEM"
        case .other(let text):
            "TLS can't be set up: \(text)"
        }
    }

    /// It is the private key's file that is to blame.
    package var blamesPrivateKey: Bool { self == .noPrivateKey || self == .notAPair }
}

/// An identity as the TLS library takes it.
struct ParsedIdentity {
    let chain: [NIOSSLCertificate]
    let key: NIOSSLPrivateKey

    init(_ identity: ServerIdentity) throws(TLSFault) {
        chain = (try? NIOSSLCertificate.fromPEMBytes(identity.certificates)) ?? []
        guard !chain.isEmpty else { throw .noCertificate }
        do {
            // Without a callback the library would ask the terminal for a passphrase.
            key = try NIOSSLPrivateKey(bytes: identity.privateKey, format: .pem) { answer in answer([UInt8]()) }
        } catch {
            throw .noPrivateKey
        }
    }
}
