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
        try KeyReading.credentialContent(of: directory + "/" + name)
    }

    /// The passphrase in a file's content: its first line, as `openssl -passin file:` takes it; empty if there is none.
    package static func passphrase(_ content: [UInt8]) -> [UInt8] {
        let line = content.prefix { $0 != UInt8(ascii: "\n") }
        return Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
    }
}
