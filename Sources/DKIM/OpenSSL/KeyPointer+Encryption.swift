// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import COpenSSL

/// Private keys under a passphrase (RFC 5958 §3, RFC 8018 §6.2).
extension KeyPointer {
    /// How often PBKDF2 hashes: a few tenths of a second for each guess.
    private static let iterations: CInt = 600_000
    /// RFC 8018 §4.1 wants 8 at least; 16 is what NIST SP 800-132 §5.1 wants.
    private static let saltOctets: CInt = 16

    /// A private key from encrypted PKCS#8 DER.
    static func privateKey(encryptedPKCS8 der: [UInt8], passphrase: [UInt8]) throws(SigningKeyError) -> KeyPointer {
        let sealed = unsafe der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            guard let start = buffer.baseAddress else { return nil }
            var position: UnsafePointer<UInt8>? = unsafe start
            let sealed = unsafe d2i_X509_SIG(nil, &position, buffer.count)
            // One DER value, and nothing after it.
            guard let sealed = unsafe sealed, unsafe position == start + buffer.count else {
                unsafe X509_SIG_free(sealed)
                return nil
            }
            return unsafe sealed
        }
        guard let sealed = unsafe sealed else {
            ERR_clear_error()
            throw .malformed("its content is not an encrypted private key")
        }
        defer { unsafe X509_SIG_free(sealed) }

        let decrypted = unsafe withText(passphrase) { text, length in unsafe PKCS8_decrypt(sealed, text, length) }
        guard let info = unsafe decrypted else { throw decryptionFailure() }
        defer { unsafe PKCS8_PRIV_KEY_INFO_free(info) }
        guard let key = unsafe EVP_PKCS82PKEY(info) else {
            ERR_clear_error()
            throw .malformed("its decrypted content is not a private key")
        }
        return unsafe KeyPointer(owning: key)
    }

    /// Encrypted PKCS#8 DER of the private key: AES-256-CBC, PBKDF2 with HMAC-SHA-256.
    func encryptedPKCS8(passphrase: [UInt8]) throws(CryptographyError) -> [UInt8] {
        let der: [UInt8]? = unsafe withPointer { key in
            guard let info = unsafe EVP_PKEY2PKCS8(key) else { return nil }
            defer { unsafe PKCS8_PRIV_KEY_INFO_free(info) }
            // -1 is PBES2; without a salt one is drawn. HMAC-SHA-256 is what PBES2 takes unless told otherwise.
            let sealed = unsafe KeyPointer.withText(passphrase) { text, length in
                unsafe PKCS8_encrypt(
                    -1, EVP_aes_256_cbc(), text, length, nil, KeyPointer.saltOctets, KeyPointer.iterations, info)
            }
            guard let sealed = unsafe sealed else { return nil }
            defer { unsafe X509_SIG_free(sealed) }
            return unsafe KeyPointer.encode { unsafe i2d_X509_SIG(sealed, $0) }
        }
        guard let der else { throw CryptographyError(draining: "encrypting a private key") }
        return der
    }

    /// Whether it was the passphrase or something else.
    ///
    /// A wrong one gives octets that don't end as padding does, or, once in 256 times, that do and are no key.
    private static func decryptionFailure() -> SigningKeyError {
        let codes = CryptographyError.drainedCodes()
        let isWrong = codes.contains { code in
            guard ERR_GET_LIB(code) == ERR_LIB_PKCS12 else { return false }
            let reason = ERR_GET_REASON(code)
            return reason == PKCS12_R_PKCS12_CIPHERFINAL_ERROR || reason == PKCS12_R_DECODE_ERROR
        }
        return isWrong ? .wrongPassphrase : .cryptography(CryptographyError("decrypting the private key", codes: codes))
    }

    private static func withText<Result>(
        _ passphrase: [UInt8], _ body: (UnsafePointer<CChar>?, CInt) -> Result
    ) -> Result {
        unsafe passphrase.withUnsafeBytes { octets in
            unsafe body(octets.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(octets.count))
        }
    }
}
