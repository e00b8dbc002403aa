// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// The configuration for commands that must do what they can in the hands of any user.
extension ConfigurationFile {
    /// Reads the file for `sendmail`: a wrong setting, or one that this user can't check, is the daemon's to complain of,
    /// and costs nobody mail.
    ///
    /// - Parameters:
    ///   - named: nil is the system's file.
    ///   - looksHere: take `waxwing.toml` of the working directory before it. Never where anybody may have put one.
    package static func loadLeniently(_ named: String?, looksHere: Bool) throws(ConfigurationError) -> Configuration {
        let here = workingDirectory()
        let candidates = (looksHere ? [localName] : []) + [systemPath]
        guard let path = named ?? candidates.first(where: { exists($0) }) else {
            return Configuration(directory: here)
        }
        let text = try contents(of: path)
        return try ConfigurationReader(file: path, text: text).readLeniently(directory: directory(of: path, from: here))
    }
}
