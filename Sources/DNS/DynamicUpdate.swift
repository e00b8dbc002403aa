// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// A shared secret between us and a name server (RFC 8945).
package struct TSIGKey: Hashable, Sendable {
    package enum Algorithm: String, Hashable, Sendable, CaseIterable {
        case hmacSHA256 = "hmac-sha256"
        case hmacSHA384 = "hmac-sha384"
        case hmacSHA512 = "hmac-sha512"
    }

    package var name: String
    package var algorithm: Algorithm
    /// In base64.
    package var secret: String

    package init(name: String, algorithm: Algorithm, secret: String) {
        self.name = name
        self.algorithm = algorithm
        self.secret = secret
    }
}
