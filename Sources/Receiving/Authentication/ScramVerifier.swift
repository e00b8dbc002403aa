// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Crypto
internal import CryptoExtras
package import SMTP

/// ScramVerifier is in charge of what is kept of a password: enough to check it, for PLAIN, LOGIN and SCRAM-SHA-256
/// alike, and not enough to log in with it (RFC 5802 §3, RFC 7677).
///
/// As text it has the form that PostgreSQL uses: `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`.
package struct ScramVerifier: Hashable, Sendable {
    /// RFC 7677 §4 sets the least; the most keeps one attempt below a second or two.
    package static let iterationRange = 4096...1_000_000
    private static let prefix = "SCRAM-SHA-256$"
    private static let keyOctets = 32
    private static let saltRange = 8...64

    package let iterations: Int
    package let salt: [UInt8]
    let storedKey: [UInt8]
    private let serverKey: [UInt8]

    /// Takes its time, by the number of iterations.
    ///
    /// Nil if the password can't be derived from: it is not text.
    package init?(password: [UInt8], salt: [UInt8], iterations: Int) {
        guard let prepared = PasswordText.prepared(password),
            let salted = ScramVerifier.saltedPassword(prepared, salt: salt, iterations: iterations)
        else { return nil }
        self.iterations = iterations
        self.salt = salt
        storedKey = Array(SHA256.hash(data: ScramVerifier.code("Client Key".utf8, salted)))
        serverKey = ScramVerifier.code("Server Key".utf8, salted)
    }

    /// For a name that nobody has: no password fits.
    init(decoySalt salt: [UInt8], iterations: Int, key: SymmetricKey) {
        self.iterations = iterations
        self.salt = salt
        storedKey = ScramVerifier.code(salt + [1], key)
        serverKey = ScramVerifier.code(salt + [2], key)
    }

    /// Nil if `text` is not of the form above.
    package init?(_ text: String) {
        guard text.hasPrefix(ScramVerifier.prefix) else { return nil }
        let parts = text.dropFirst(ScramVerifier.prefix.count).split(
            separator: "$", omittingEmptySubsequences: false
        ).map { $0.split(separator: ":", omittingEmptySubsequences: false) }
        guard parts.count == 2, parts[0].count == 2, parts[1].count == 2, let iterations = Int(parts[0][0]),
            ScramVerifier.iterationRange.contains(iterations), let salt = Base64Text.decode(parts[0][1].utf8),
            ScramVerifier.saltRange.contains(salt.count), let storedKey = Base64Text.decode(parts[1][0].utf8),
            let serverKey = Base64Text.decode(parts[1][1].utf8), storedKey.count == ScramVerifier.keyOctets,
            serverKey.count == ScramVerifier.keyOctets
        else { return nil }
        self.iterations = iterations
        self.salt = salt
        self.storedKey = storedKey
        self.serverKey = serverKey
    }

    package var text: String {
        "\(ScramVerifier.prefix)\(iterations):\(Base64Text.encode(salt))"
            + "$\(Base64Text.encode(storedKey)):\(Base64Text.encode(serverKey))"
    }

    /// Whether it was made from this password; takes its time.
    package func matches(_ password: [UInt8]) -> Bool {
        // What is no text is derived from too, so that it takes as long.
        let prepared = PasswordText.prepared(password)
        guard
            let salted = ScramVerifier.saltedPassword(prepared ?? password, salt: salt, iterations: iterations)
        else { return false }
        let key = Array(SHA256.hash(data: ScramVerifier.code("Client Key".utf8, salted)))
        return ConstantTime.areEqual(key, storedKey) && prepared != nil
    }

    /// What the server shows in return for a proof that fits; nil if it does not.
    package func serverSignature(for proof: ScramProof) -> [UInt8]? {
        let clientSignature = ScramVerifier.code(proof.authenticationMessage, SymmetricKey(data: storedKey))
        let serverSignature = ScramVerifier.code(proof.authenticationMessage, SymmetricKey(data: serverKey))
        guard proof.proof.count == clientSignature.count else { return nil }
        // RFC 5802 §3: ClientKey = ClientProof XOR ClientSignature, and its hash is StoredKey.
        let clientKey = zip(proof.proof, clientSignature).map { $0 ^ $1 }
        return ConstantTime.areEqual(Array(SHA256.hash(data: clientKey)), storedKey) ? serverSignature : nil
    }

    /// Hi() of RFC 5802 §2.2 is PBKDF2.
    private static func saltedPassword(_ password: [UInt8], salt: [UInt8], iterations: Int) -> SymmetricKey? {
        // The checked variant refuses what RFC 7677 has: 4,096 are plenty where the secret is random.
        try? KDF.Insecure.PBKDF2.deriveKey(
            from: password, salt: salt, using: .sha256, outputByteCount: keyOctets, unsafeUncheckedRounds: iterations)
    }

    private static func code(_ data: some Sequence<UInt8>, _ key: SymmetricKey) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(data), using: key))
    }
}

/// Comparison that takes as long for the first octet that differs as for the last.
enum ConstantTime {
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
