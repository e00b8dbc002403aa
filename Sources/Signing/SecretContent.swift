// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// SecretContent is in charge of reading what only one user is to know, by the rules that hold for private keys.
package enum SecretContent {
    /// The content of a file that nobody but its owner can read.
    ///
    /// - Throws: what is wrong, and the command that mends it.
    package static func ofFile(_ path: String) throws(KeyError) -> [UInt8] {
        try KeyReading.privateContent(of: path)
    }

    /// The content of a systemd credential, in the directory that systemd keeps them in.
    ///
    /// systemd alone writes there, and lets the unit's user in by an ACL, which a file's mode shows as its group's.
    package static func ofCredential(_ name: String, in directory: String) throws(KeyError) -> [UInt8] {
        try KeyReading.content(of: directory + "/" + name)
    }
}
