// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import COpenSSL

/// SHA256 is in charge of one running SHA-256 computation in OpenSSL; it never sees canonicalization.
///
/// Owns the `EVP_MD_CTX`; `deinit` frees it. One owner at a time: not `Sendable`.
@safe
final class SHA256 {
    static let octets = 32

    // unsafe (1): a pointer that this class alone holds, from `EVP_MD_CTX_new` in `init` to `deinit`.
    private let context: OpaquePointer
    private var failed = false

    init() throws(CryptographyError) {
        guard let context = unsafe EVP_MD_CTX_new() else { throw CryptographyError(draining: "SHA-256") }
        guard unsafe EVP_DigestInit_ex(context, Algorithm.sha256.pointer, nil) == 1 else {
            unsafe EVP_MD_CTX_free(context)
            throw CryptographyError(draining: "SHA-256")
        }
        unsafe self.context = unsafe context
    }

    deinit {
        unsafe EVP_MD_CTX_free(context)
    }

    func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, unsafe !bytes.isEmpty else { return }
        if unsafe EVP_DigestUpdate(context, start, bytes.count) != 1 { failed = true }
    }

    /// The digest.
    ///
    /// The computation is over afterwards.
    func finish() throws(CryptographyError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: SHA256.octets)
        let status = unsafe digest.withUnsafeMutableBufferPointer { buffer in
            unsafe EVP_DigestFinal_ex(context, buffer.baseAddress, nil)
        }
        guard status == 1, !failed else { throw CryptographyError(draining: "SHA-256") }
        return digest
    }

    /// The digest of what has been given so far; the computation goes on.
    func digestSoFar() throws(CryptographyError) -> [UInt8] {
        let copy = try SHA256()
        guard unsafe EVP_MD_CTX_copy_ex(copy.context, context) == 1 else {
            throw CryptographyError(draining: "SHA-256")
        }
        return try copy.finish()
    }

    /// The digest of bytes that are all there.
    static func digest(of bytes: [UInt8]) throws(CryptographyError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: SHA256.octets)
        let status = unsafe digest.withUnsafeMutableBufferPointer { output in
            unsafe bytes.withUnsafeBytes { input in
                unsafe EVP_Digest(
                    input.baseAddress, input.count, output.baseAddress, nil, Algorithm.sha256.pointer, nil)
            }
        }
        guard status == 1 else { throw CryptographyError(draining: "SHA-256") }
        return digest
    }

    /// The fetched algorithm.
    ///
    /// `EVP_sha256()` would be looked up again, under a lock, at each use.
    ///
    /// @unchecked Sendable (2): fetched once, never freed, never written to; OpenSSL lets threads share it.
    @safe
    private struct Algorithm: @unchecked Sendable {
        let pointer: OpaquePointer?

        static let sha256 = unsafe Algorithm(pointer: EVP_MD_fetch(nil, "SHA256", nil))
    }
}
