// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import COpenSSL

/// KeyPointer is in charge of one `EVP_PKEY`; it decides nothing about which keys are good.
///
/// @unchecked Sendable (3): the key is complete before `init` returns and never changed after; OpenSSL counts
/// references atomically and lets threads use one key at once, each with contexts of its own.
@safe
final class KeyPointer: @unchecked Sendable {
    // unsafe (4): a pointer that this class alone owns, from `init` to `deinit`.
    private let key: OpaquePointer

    /// Takes ownership.
    init(owning key: OpaquePointer) {
        unsafe self.key = unsafe key
    }

    deinit {
        unsafe EVP_PKEY_free(key)
    }

    func withPointer<Result>(_ body: (OpaquePointer) -> Result) -> Result {
        unsafe body(key)
    }

    enum Algorithm: Hashable {
        case rsa(bits: Int)
        case ed25519
        case other(String)
    }

    var algorithm: Algorithm {
        switch unsafe EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_RSA: return .rsa(bits: Int(unsafe EVP_PKEY_get_bits(key)))
        case EVP_PKEY_ED25519: return .ed25519
        case let identifier:
            guard let name = unsafe OBJ_nid2sn(identifier) else { return .other("unknown") }
            return .other(unsafe String(cString: name))
        }
    }

    // MARK: Signing and verifying a SHA-256 digest

    /// RFC 6376 §3.3.1 with RFC 8301 §3.1: RSASSA-PKCS1-v1_5 with SHA-256.
    func signRSA(digest: [UInt8]) throws(CryptographyError) -> [UInt8] {
        guard let context = unsafe EVP_PKEY_CTX_new(key, nil) else {
            throw CryptographyError(draining: "RSA signature")
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: Int(unsafe EVP_PKEY_get_size(key)))
        var length = signature.count
        guard unsafe EVP_PKEY_sign_init(context) == 1, unsafe KeyPointer.setPKCS1(context) else {
            throw CryptographyError(draining: "RSA signature")
        }
        let status = unsafe signature.withUnsafeMutableBufferPointer { output in
            unsafe digest.withUnsafeBufferPointer { input in
                unsafe EVP_PKEY_sign(context, output.baseAddress, &length, input.baseAddress, input.count)
            }
        }
        guard status == 1, length == signature.count else { throw CryptographyError(draining: "RSA signature") }
        return signature
    }

    /// False for a signature that doesn't fit; throws only if the question could not be asked.
    func verifyRSA(signature: [UInt8], digest: [UInt8]) throws(CryptographyError) -> Bool {
        guard let context = unsafe EVP_PKEY_CTX_new(key, nil) else {
            throw CryptographyError(draining: "RSA verification")
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_verify_init(context) == 1, unsafe KeyPointer.setPKCS1(context) else {
            throw CryptographyError(draining: "RSA verification")
        }
        let status = unsafe signature.withUnsafeBufferPointer { given in
            unsafe digest.withUnsafeBufferPointer { input in
                unsafe EVP_PKEY_verify(context, given.baseAddress, given.count, input.baseAddress, input.count)
            }
        }
        if status != 1 { ERR_clear_error() }
        return status == 1
    }

    /// The digest that an RSA signature was made over; nil if the signature doesn't belong to this key.
    func recoverRSA(signature: [UInt8]) -> [UInt8]? {
        defer { ERR_clear_error() }
        guard let context = unsafe EVP_PKEY_CTX_new(key, nil) else { return nil }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_verify_recover_init(context) == 1, unsafe KeyPointer.setPKCS1(context) else { return nil }
        var digest = [UInt8](repeating: 0, count: Int(unsafe EVP_PKEY_get_size(key)))
        var length = digest.count
        let status = unsafe digest.withUnsafeMutableBufferPointer { output in
            unsafe signature.withUnsafeBufferPointer { given in
                unsafe EVP_PKEY_verify_recover(context, output.baseAddress, &length, given.baseAddress, given.count)
            }
        }
        guard status == 1, length == SHA256.octets else { return nil }
        return Array(digest[..<length])
    }

    private static func setPKCS1(_ context: OpaquePointer) -> Bool {
        guard unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 else { return false }
        return unsafe EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1
    }

    /// RFC 8463 §3: the SHA-256 digest is the message that PureEdDSA signs.
    ///
    /// So no digest is named to OpenSSL, which would refuse it, and the digest is handed over as the data.
    func signEd25519(digest: [UInt8]) throws(CryptographyError) -> [UInt8] {
        guard let context = unsafe EVP_MD_CTX_new() else { throw CryptographyError(draining: "Ed25519 signature") }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestSignInit(context, nil, nil, nil, key) == 1 else {
            throw CryptographyError(draining: "Ed25519 signature")
        }
        var signature = [UInt8](repeating: 0, count: 64)
        var length = signature.count
        let status = unsafe signature.withUnsafeMutableBufferPointer { output in
            unsafe digest.withUnsafeBufferPointer { input in
                unsafe EVP_DigestSign(context, output.baseAddress, &length, input.baseAddress, input.count)
            }
        }
        guard status == 1, length == 64 else { throw CryptographyError(draining: "Ed25519 signature") }
        return signature
    }

    /// False for a signature that doesn't fit; throws only if the question could not be asked.
    func verifyEd25519(signature: [UInt8], digest: [UInt8]) throws(CryptographyError) -> Bool {
        guard let context = unsafe EVP_MD_CTX_new() else { throw CryptographyError(draining: "Ed25519 verification") }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else {
            throw CryptographyError(draining: "Ed25519 verification")
        }
        let status = unsafe signature.withUnsafeBufferPointer { given in
            unsafe digest.withUnsafeBufferPointer { input in
                unsafe EVP_DigestVerify(context, given.baseAddress, given.count, input.baseAddress, input.count)
            }
        }
        if status != 1 { ERR_clear_error() }
        return status == 1
    }
}
