// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM

/// The kinds of keys that Waxwing makes, by the names they have on the command line and in `key.json`.
package enum KeyAlgorithm: String, Codable, Hashable, Sendable, CaseIterable {
    case rsa2048 = "rsa-2048"
    case rsa3072 = "rsa-3072"
    case rsa4096 = "rsa-4096"
    case ed25519

    /// What stands for a key that is wanted without saying more.
    package static let standard = KeyAlgorithm.rsa2048

    var kind: KeyKind {
        switch self {
        case .rsa2048: .rsa(bits: 2048)
        case .rsa3072: .rsa(bits: 3072)
        case .rsa4096: .rsa(bits: 4096)
        case .ed25519: .ed25519
        }
    }

    /// What the operator should know before publishing such a key.
    var warning: String? {
        switch self {
        case .rsa2048, .ed25519:
            nil
        case .rsa3072, .rsa4096:
            // RFC 8301 §3.2: verifiers need to support no more than 4096 bits.
            "\(rawValue) keys make each signature several times as costly, and their records don't fit into one "
                + "UDP answer everywhere; rsa-2048 is what receivers expect"
        }
    }
}
