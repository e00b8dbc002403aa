// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import CLdns

/// KeyedHash computes HMAC (RFC 2104) over the hash functions that ldns brings.
enum KeyedHash {
    static func code(_ algorithm: TSIGKey.Algorithm, key: [UInt8], over data: [UInt8]) -> [UInt8] {
        let short = key.count > algorithm.blockOctets ? hash(algorithm, key) : key
        let padded = short + [UInt8](repeating: 0, count: algorithm.blockOctets - short.count)
        let inner = hash(algorithm, padded.map { $0 ^ 0x36 } + data)
        return hash(algorithm, padded.map { $0 ^ 0x5C } + inner)
    }

    private static func hash(_ algorithm: TSIGKey.Algorithm, _ data: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: algorithm.digestOctets)
        let count = UInt32(truncatingIfNeeded: data.count)
        switch algorithm {
        case .hmacSHA256: _ = unsafe ldns_sha256(data, count, &digest)
        case .hmacSHA384: _ = unsafe ldns_sha384(data, count, &digest)
        case .hmacSHA512: _ = unsafe ldns_sha512(data, count, &digest)
        }
        return digest
    }
}

extension TSIGKey.Algorithm {
    /// FIPS 180-4 figure 1.
    fileprivate var blockOctets: Int {
        switch self {
        case .hmacSHA256: 64
        case .hmacSHA384, .hmacSHA512: 128
        }
    }

    fileprivate var digestOctets: Int {
        switch self {
        case .hmacSHA256: 32
        case .hmacSHA384: 48
        case .hmacSHA512: 64
        }
    }
}
