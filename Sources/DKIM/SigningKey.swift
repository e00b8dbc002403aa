// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

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

    /// Reads a private key: PKCS#8, encrypted or not, or PKCS#1 in PEM (RFC 7468, RFC 8017), or the bare base64 of an
    /// Ed25519 seed, as RFC 8463 §A.2 prints it.
    ///
    /// Text before and after, CRLF line ends and a missing last line end do no harm. A second private key, another kind
    /// of key, and RSA outside 1024 to 4096 bits are errors. All that is copied on the way is erased; the octets given
    /// are the caller's to erase.
    ///
    /// - Parameter passphrase: as octets, without a line end. A key that isn't encrypted needs none and takes no notice
    ///   of it.
    public convenience init(pem: [UInt8], passphrase: [UInt8]? = nil) throws(SigningKeyError) {
        try self.init(PrivateKeyText.parse(pem, passphrase: passphrase))
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
        return PrivateKeyText.write(der, label: PrivateKeyText.pkcs8Label)
    }

    /// The key as encrypted PKCS#8 in PEM (RFC 5958 §3, RFC 7468 §11), which OpenSSL and most else can read.
    ///
    /// PBES2 (RFC 8018 §6.2) with AES-256-CBC and PBKDF2 with HMAC-SHA-256. Takes a good part of a second on purpose:
    /// whoever guesses passphrases has to take it for each.
    ///
    /// - Parameter passphrase: any octets, at least one.
    public func pem(passphrase: [UInt8]) throws(SigningKeyError) -> [UInt8] {
        guard !passphrase.isEmpty else { throw .emptyPassphrase }
        do {
            let der = try pointer.encryptedPKCS8(passphrase: passphrase)
            return PrivateKeyText.write(der, label: PrivateKeyText.encryptedPKCS8Label)
        } catch {
            throw .cryptography(error)
        }
    }

    /// Overwrites octets that were secret and are no longer needed.
    ///
    /// Only those of this variable: whoever has a copy has to erase it as well.
    package static func erase(_ octets: inout [UInt8]) {
        KeyPointer.erase(&octets)
    }

    /// The record to publish for this key.
    public var keyRecord: KeyRecord { KeyRecord(publicKey: publicKey) }
}
