// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Why a key can't be used for DKIM.
public enum SigningKeyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no key in the text.
    case noKey
    /// There is more than one key in the text, and no telling which is meant.
    case moreThanOneKey
    /// The key needs a passphrase.
    case encrypted
    /// A key, but not of a kind that DKIM has, such as EC or DSA.
    case unsupported(String)
    /// RSA below 1024 bits (RFC 8301 §3.2).
    case tooShort(bits: Int)
    /// RSA above 4096 bits, which verifiers need not take (RFC 8301 §3.2).
    case tooLong(bits: Int)
    /// It says it is a key, and is not.
    case malformed(String)
    /// Its public half does not verify what its private half signs.
    case inconsistent
    /// OpenSSL refused.
    case cryptography(CryptographyError)

    /// One line, for the operator.
    public var description: String {
        switch self {
        case .noKey: "no private key found"
        case .moreThanOneKey: "more than one private key found"
        case .encrypted: "the private key is encrypted: store it without a passphrase"
        case .unsupported(let name): "a key of the kind \(name) is of no use for DKIM: RSA or Ed25519 is needed"
        case .tooShort(let bits): "an RSA key of \(bits) bits is too short: verifiers want 1024 at least"
        case .tooLong(let bits): "an RSA key of \(bits) bits is too long: verifiers take at most 4096 bits"
        case .malformed(let reason): "malformed key: \(reason)"
        case .inconsistent: "the public half of the key does not verify what its private half signs"
        case .cryptography(let error): error.description
        }
    }
}

/// SigningKey is in charge of one private key: parsed or made once, tested, and then used by any number of threads at
/// once.
///
/// It knows nothing of messages.
public final class SigningKey: Sendable {
    /// The public half.
    public let publicKey: PublicKey

    private let pointer: KeyPointer

    /// RSA or Ed25519.
    public var kind: KeyKind { publicKey.kind }
    /// The `a=` tag of its signatures.
    public var algorithm: SigningAlgorithm { kind.algorithm }

    /// Reads a private key: PKCS#8 or PKCS#1 in PEM (RFC 7468, RFC 8017), or the bare base64 of an Ed25519
    /// seed, as RFC 8463 §A.2 prints it.
    ///
    /// Text before and after, CRLF line ends and a missing last line end do no harm. A passphrase, a second
    /// private key, another kind of key, and RSA outside 1024 to 4096 bits are errors.
    public convenience init(pem: [UInt8]) throws(SigningKeyError) {
        try self.init(PrivateKeyText.parse(pem))
    }

    /// Makes a new key pair: RSA of 2048, 3072 or 4096 bits, or Ed25519.
    public static func generate(_ kind: KeyKind) throws(SigningKeyError) -> SigningKey {
        if case .rsa(let bits) = kind, ![2048, 3072, 4096].contains(bits) { throw .unsupported(kind.description) }
        let pointer: KeyPointer
        do {
            switch kind {
            case .rsa(let bits): pointer = try KeyPointer.generateRSA(bits: bits)
            case .ed25519: pointer = try KeyPointer.generateEd25519()
            }
        } catch {
            throw .cryptography(error)
        }
        return try SigningKey(pointer)
    }

    /// Takes over another key's private half under a public half that need not fit: only for tests of the check
    /// that a fresh signature gets.
    init(privateHalfOf other: SigningKey, publicKey: PublicKey) {
        self.pointer = other.pointer
        self.publicKey = publicKey
    }

    private init(_ pointer: KeyPointer) throws(SigningKeyError) {
        self.pointer = pointer
        self.publicKey = try PublicKey(pointer)
        // A key file can be damaged in a way that still parses. Better to learn it now than from a verifier.
        let digest = [UInt8](repeating: 0x57, count: SHA256.octets)
        let isConsistent: Bool
        do {
            isConsistent = try publicKey.verify(signature: sign(digest: digest), digest: digest)
        } catch {
            throw .cryptography(error)
        }
        guard isConsistent else { throw .inconsistent }
    }

    /// Signs a SHA-256 digest: the value of `b=` before base64 (RFC 6376 §3.7, RFC 8463 §3).
    ///
    /// Any number of threads may sign with one key at once.
    public func sign(digest: [UInt8]) throws(CryptographyError) -> [UInt8] {
        switch kind {
        case .rsa: try pointer.signRSA(digest: digest)
        case .ed25519: try pointer.signEd25519(digest: digest)
        }
    }

    /// The key as PKCS#8 in PEM (RFC 5958, RFC 7468 §10), with a line end after the last line.
    public func pem() throws(CryptographyError) -> [UInt8] {
        var der = try pointer.pkcs8()
        defer { KeyPointer.erase(&der) }
        return PrivateKeyText.write(pkcs8: der)
    }

    /// The record to publish for this key.
    public var keyRecord: KeyRecord { KeyRecord(publicKey: publicKey) }
}
