// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Why a key can't be used for DKIM.
public enum SigningKeyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no key in the text.
    case noKey
    /// There is more than one key in the text, and no telling which is meant.
    case moreThanOneKey
    /// A public key alone, in whatever form.
    case publicKey
    /// A certificate, or a request for one.
    case certificate
    /// The octets of a key, without the text form around them.
    case binary
    /// A key in the form that OpenSSH has for itself.
    case openSSHFormat
    /// The key needs a passphrase, and none was given.
    case encrypted
    /// The passphrase given is not the one that the key was encrypted with.
    case wrongPassphrase
    /// A key is to be encrypted with nothing.
    case emptyPassphrase
    /// PKCS#1 with the encryption of RFC 1421, whose key is a single MD5 of the passphrase.
    case legacyEncryption
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

    /// One line, for the operator: what is wrong and how to mend it.
    public var description: String {
        switch self {
        case .noKey: "no private key found: give PKCS#8 or PKCS#1 in PEM, or the base64 of an Ed25519 seed"
        case .moreThanOneKey: "more than one private key found: leave only the one that is meant"
        case .publicKey: "this is a public key: give the private key that belongs to it"
        case .certificate: "this is a certificate: give the private key that belongs to it"
        case .binary:
            "the key is in binary form: convert it with `openssl pkey -inform DER -in OLD.der -out NEW.pem`"
        case .openSSHFormat:
            "the key is in OpenSSH's own form: convert a copy of it with `ssh-keygen -p -m PKCS8 -f COPY`"
        case .encrypted:
            "the private key is encrypted: give its passphrase, or take the encryption off with "
                + "`openssl pkey -in OLD.pem -out NEW.pem`"
        case .wrongPassphrase: "the passphrase is not that of the private key: give the right one"
        case .emptyPassphrase: "an empty passphrase protects nothing: give another, or none"
        case .legacyEncryption:
            "the private key has the weak encryption of old: convert it with "
                + "`openssl pkcs8 -topk8 -in OLD.pem -out NEW.pem`, which asks for the old and a new passphrase"
        case .unsupported("RSASSA-PSS"):
            "an RSA key bound to RSASSA-PSS can't make the signatures of DKIM, which are of PKCS#1 v1.5: "
                + Self.replacement
        case .unsupported(let name):
            "a key of the kind \(name) is of no use for DKIM, which has RSA and Ed25519: \(Self.replacement)"
        case .tooShort(let bits):
            "an RSA key of \(bits) bits is too short, verifiers want 1024 at least: \(Self.replacement)"
        case .tooLong(let bits):
            "an RSA key of \(bits) bits is too long, verifiers take at most 4096 bits: \(Self.replacement)"
        case .malformed(let reason): "malformed key, \(reason): restore it from a backup, or make a new one"
        case .inconsistent:
            "the public half of the key does not verify what its private half signs: "
                + "restore it from a backup, or make a new one"
        case .cryptography(let error): error.description
        }
    }

    private static let replacement = "make another, such as RSA with 2048 bits"
}
