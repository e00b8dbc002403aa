// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// The life of a key.
///
/// Only an active key signs.
package enum KeyState: String, Codable, Hashable, Sendable, CaseIterable {
    /// The private key is on disk.
    case generated
    /// Every authoritative server returns the public key.
    case published
    /// Signs.
    case active
    /// Another key signs; this one stays published for the mail that is under way.
    case retiring
    /// The record says `p=`: signatures made with it no longer count.
    case revoked
    /// The record is gone.
    ///
    /// The selector is never used again.
    case removed
    /// Somebody else may have it.
    case compromised

    /// Whether a key may become active from here.
    ///
    /// A retiring key is still published, so a rotation can be undone.
    var canActivate: Bool {
        switch self {
        case .generated, .published, .active, .retiring: true
        case .revoked, .removed, .compromised: false
        }
    }
}
