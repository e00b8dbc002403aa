// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What makes a signature: the `a=` tag (RFC 6376 §3.3, RFC 8463 §3).
///
/// `rsa-sha1` is not among them (RFC 8301 §3.1).
public enum SigningAlgorithm: String, Hashable, Sendable, CaseIterable {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    case rsaSHA256 = "rsa-sha256"
    /// PureEdDSA with Ed25519 over the SHA-256 digest.
    case ed25519SHA256 = "ed25519-sha256"
}

/// The kind of a key pair.
public enum KeyKind: Hashable, Sendable, CustomStringConvertible {
    /// RSA with a modulus of so many bits.
    case rsa(bits: Int)
    /// Ed25519 (RFC 8032).
    case ed25519

    /// What `k=` says of it (RFC 6376 §3.6.1, RFC 8463 §4).
    public var keyType: String {
        switch self {
        case .rsa: "rsa"
        case .ed25519: "ed25519"
        }
    }

    /// What `a=` says of its signatures.
    public var algorithm: SigningAlgorithm {
        switch self {
        case .rsa: .rsaSHA256
        case .ed25519: .ed25519SHA256
        }
    }

    /// Such as `rsa-2048`.
    public var description: String {
        switch self {
        case .rsa(let bits): "rsa-\(bits)"
        case .ed25519: "ed25519"
        }
    }

    /// The sizes of RSA keys that are taken, for signing and for verifying.
    ///
    /// RFC 8301 §3.2: verifiers take 1024 to 4096 bits, so nothing else is of use.
    public static let rsaBits = 1024...4096
}

/// A public key, as a key record holds it.
public final class PublicKey: Hashable, Sendable, CustomStringConvertible {
    /// RSA or Ed25519.
    public let kind: KeyKind
    /// What `p=` holds before base64: SubjectPublicKeyInfo for RSA, which is what the world publishes and
    /// reads, and the bare 32 octets for Ed25519 (RFC 8463 §4.2).
    public let octets: [UInt8]

    private let pointer: KeyPointer

    /// Of a key pair, or of a public key alone.
    init(_ pointer: KeyPointer) throws(SigningKeyError) {
        switch pointer.algorithm {
        case .rsa(let bits):
            guard bits >= KeyKind.rsaBits.lowerBound else { throw .tooShort(bits: bits) }
            guard bits <= KeyKind.rsaBits.upperBound else { throw .tooLong(bits: bits) }
            self.kind = .rsa(bits: bits)
            do { self.octets = try pointer.subjectPublicKeyInfo() } catch { throw .cryptography(error) }
        case .ed25519:
            self.kind = .ed25519
            do { self.octets = try pointer.rawPublicKey() } catch { throw .cryptography(error) }
        case .other(let name):
            throw .unsupported(name)
        }
        self.pointer = pointer
    }

    /// Whether a signature over a SHA-256 digest was made with the private half of this key.
    ///
    /// - Throws: only if the question could not be asked at all.
    public func verify(signature: [UInt8], digest: [UInt8]) throws(CryptographyError) -> Bool {
        switch kind {
        case .rsa: try pointer.verifyRSA(signature: signature, digest: digest)
        case .ed25519: try pointer.verifyEd25519(signature: signature, digest: digest)
        }
    }

    /// The digest that a signature was made over, which only RSA can tell; nil if it isn't one of this key.
    func digest(inSignature signature: [UInt8]) -> [UInt8]? {
        switch kind {
        case .rsa: pointer.recoverRSA(signature: signature)
        case .ed25519: nil
        }
    }

    /// The value of `p=`.
    public var description: String { Base64.string(octets) }

    /// Keys are equal if the world would see the same record.
    public static func == (left: PublicKey, right: PublicKey) -> Bool {
        left.kind == right.kind && left.octets == right.octets
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(octets)
    }
}
