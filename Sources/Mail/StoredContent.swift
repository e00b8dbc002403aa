// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// The content of a message at rest: header section and body as they leave, before signatures are prepended.
package enum StoredContent: Hashable, Sendable {
    /// At most `StoredContent.inlineLimit` octets.
    case inline([UInt8])
    /// A file of the spool, by its path, with its length in octets.
    case file(path: String, length: Int)

    /// Content up to this many octets is kept in memory while it moves and inside the spool's database.
    package static let inlineLimit = 256 * 1024

    /// Octets of the content.
    package var length: Int {
        switch self {
        case .inline(let bytes): bytes.count
        case .file(_, let length): length
        }
    }
}

/// A hash of the canonicalized body, computed as the bytes passed at intake (RFC 6376 §3.7).
package struct BodyHash: Hashable, Sendable {
    package enum Canonicalization: UInt8, Hashable, Sendable {
        case simple = 0
        case relaxed = 1
    }

    package var canonicalization: Canonicalization
    /// SHA-256: 32 octets.
    package var digest: [UInt8]

    package init(canonicalization: Canonicalization, digest: [UInt8]) {
        self.canonicalization = canonicalization
        self.digest = digest
    }
}
