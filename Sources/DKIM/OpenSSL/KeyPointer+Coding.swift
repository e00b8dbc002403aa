// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import COpenSSL

/// Keys out of octets, and back.
extension KeyPointer {
    /// All of an Ed25519 key in PKCS#8 but its seed (RFC 8410 §7), when nothing more than the key is in it.
    private static let ed25519Prefix: [UInt8] = [
        0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ]

    /// A private key from PKCS#8 DER (RFC 5958).
    static func privateKey(pkcs8 der: [UInt8]) -> KeyPointer? {
        // OpenSSL 3.0 takes longer to find out that this is Ed25519 than to make and to verify a signature with it.
        if der.count == ed25519Prefix.count + 32, der.starts(with: ed25519Prefix) {
            var seed = Array(der[ed25519Prefix.count...])
            defer { erase(&seed) }
            return privateKey(ed25519Seed: seed)
        }
        return unsafe decode(der) { start, length in
            guard let info = unsafe d2i_PKCS8_PRIV_KEY_INFO(nil, start, length) else { return nil }
            defer { unsafe PKCS8_PRIV_KEY_INFO_free(info) }
            return unsafe EVP_PKCS82PKEY(info)
        }
    }

    /// A private RSA key from PKCS#1 DER (RFC 8017 §A.1.2).
    static func privateKey(pkcs1 der: [UInt8]) -> KeyPointer? {
        unsafe decode(der) { start, length in unsafe d2i_PrivateKey(EVP_PKEY_RSA, nil, start, length) }
    }

    /// A private Ed25519 key from its 32 octets (RFC 8032 §5.1.5).
    static func privateKey(ed25519Seed seed: [UInt8]) -> KeyPointer? {
        unsafe seed.withUnsafeBufferPointer { buffer in
            unsafe wrap(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, buffer.baseAddress, buffer.count))
        }
    }

    /// A public key from SubjectPublicKeyInfo DER (RFC 5280 §4.1).
    static func publicKey(subjectPublicKeyInfo der: [UInt8]) -> KeyPointer? {
        unsafe decode(der) { start, length in unsafe d2i_PUBKEY(nil, start, length) }
    }

    /// A public RSA key from PKCS#1 DER (RFC 8017 §A.1.1).
    static func publicKey(pkcs1 der: [UInt8]) -> KeyPointer? {
        unsafe decode(der) { start, length in unsafe d2i_PublicKey(EVP_PKEY_RSA, nil, start, length) }
    }

    /// A public Ed25519 key from its 32 octets.
    static func publicKey(ed25519 octets: [UInt8]) -> KeyPointer? {
        unsafe octets.withUnsafeBufferPointer { buffer in
            unsafe wrap(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, buffer.baseAddress, buffer.count))
        }
    }

    static func generateRSA(bits: Int) throws(CryptographyError) -> KeyPointer {
        try unsafe generate(EVP_PKEY_RSA, "RSA key generation") { context in
            // The public exponent is 65537 unless told otherwise (RFC 8301 §3.2 has nothing against it).
            unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits)) == 1
        }
    }

    static func generateEd25519() throws(CryptographyError) -> KeyPointer {
        try unsafe generate(EVP_PKEY_ED25519, "Ed25519 key generation") { _ in true }
    }

    private static func generate(
        _ identifier: Int32, _ operation: String, _ configure: (OpaquePointer) -> Bool
    ) throws(CryptographyError) -> KeyPointer {
        guard let context = unsafe EVP_PKEY_CTX_new_id(identifier, nil) else {
            throw CryptographyError(draining: operation)
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1, unsafe configure(context),
            unsafe EVP_PKEY_keygen(context, &key) == 1, let key = unsafe key
        else { throw CryptographyError(draining: operation) }
        return unsafe KeyPointer(owning: key)
    }

    /// PKCS#8 DER of the private key.
    func pkcs8() throws(CryptographyError) -> [UInt8] {
        let der: [UInt8]? = unsafe withPointer { key in
            guard let info = unsafe EVP_PKEY2PKCS8(key) else { return nil }
            defer { unsafe PKCS8_PRIV_KEY_INFO_free(info) }
            return unsafe KeyPointer.encode { unsafe i2d_PKCS8_PRIV_KEY_INFO(info, $0) }
        }
        guard let der else { throw CryptographyError(draining: "writing a private key") }
        return der
    }

    /// SubjectPublicKeyInfo DER of the public key.
    func subjectPublicKeyInfo() throws(CryptographyError) -> [UInt8] {
        let der = unsafe withPointer { key in unsafe KeyPointer.encode { unsafe i2d_PUBKEY(key, $0) } }
        guard let der else { throw CryptographyError(draining: "writing a public key") }
        return der
    }

    /// The 32 octets of a public Ed25519 key.
    func rawPublicKey() throws(CryptographyError) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: 32)
        var length = octets.count
        let status = unsafe withPointer { key in
            unsafe octets.withUnsafeMutableBufferPointer { buffer in
                unsafe EVP_PKEY_get_raw_public_key(key, buffer.baseAddress, &length)
            }
        }
        guard status == 1, length == 32 else { throw CryptographyError(draining: "writing a public key") }
        return octets
    }

    /// Overwrites octets of a private key that are no longer needed.
    static func erase(_ bytes: inout [UInt8]) {
        unsafe bytes.withUnsafeMutableBytes { buffer in unsafe OPENSSL_cleanse(buffer.baseAddress, buffer.count) }
    }

    private static func wrap(_ key: OpaquePointer?) -> KeyPointer? {
        guard let key = unsafe key else {
            ERR_clear_error()
            return nil
        }
        return unsafe KeyPointer(owning: key)
    }

    /// Nil also if octets are left over: one DER value, and nothing after it.
    private static func decode(
        _ der: [UInt8],
        _ parse: (UnsafeMutablePointer<UnsafePointer<UInt8>?>, Int) -> OpaquePointer?
    ) -> KeyPointer? {
        unsafe der.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return nil }
            var position: UnsafePointer<UInt8>? = unsafe start
            let key = unsafe wrap(parse(&position, buffer.count))
            return unsafe position == start + buffer.count ? key : nil
        }
    }

    static func encode(_ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8]? {
        let length = write(nil)
        guard length > 0 else { return nil }
        var der = [UInt8](repeating: 0, count: Int(length))
        let written = unsafe der.withUnsafeMutableBufferPointer { buffer in
            var position = buffer.baseAddress
            return unsafe write(&position)
        }
        return written == length ? der : nil
    }
}
