// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import COpenSSL

/// What OpenSSL could not do.
struct RawFailure: Error {}

/// One RSA private key operation after another, with everything prepared beforehand.
@safe
final class RawRSA {
    // unsafe (1): pointers that this object alone owns, from `init` to `deinit`.
    private let key: OpaquePointer
    // unsafe (1): as above.
    private let context: OpaquePointer
    private let digest = [UInt8](repeating: 0x57, count: 32)
    private var signature: [UInt8]

    init(pem: [UInt8]) throws {
        let parsed = unsafe pem.withUnsafeBytes { octets in
            let bio = unsafe BIO_new_mem_buf(octets.baseAddress, CInt(octets.count))
            defer { unsafe BIO_free(bio) }
            return unsafe PEM_read_bio_PrivateKey(bio, nil, nil, nil)
        }
        guard let key = unsafe parsed,
            let context = unsafe EVP_PKEY_CTX_new(key, nil), unsafe EVP_PKEY_sign_init(context) == 1,
            unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1,
            unsafe EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1
        else { throw RawFailure() }
        unsafe self.key = key
        unsafe self.context = context
        self.signature = [UInt8](repeating: 0, count: Int(unsafe EVP_PKEY_get_size(key)))
    }

    deinit {
        unsafe EVP_PKEY_CTX_free(context)
        unsafe EVP_PKEY_free(key)
    }

    func sign() throws {
        var length = signature.count
        guard unsafe EVP_PKEY_sign(context, &signature, &length, digest, digest.count) == 1 else { throw RawFailure() }
    }
}

/// SHA-256 over a buffer in one call, as `openssl speed -evp sha256` does it.
enum RawSHA256 {
    static func hash(_ bytes: [UInt8]) throws {
        var digest = [UInt8](repeating: 0, count: 32)
        guard unsafe EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil) == 1 else { throw RawFailure() }
        keep(digest)
    }
}
