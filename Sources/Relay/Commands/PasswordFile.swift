// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc
package import Receiving
import Signing

/// PasswordFile is in charge of the file with the verifiers of applications: it reads it by the rules of all secrets,
/// and replaces it whole.
package struct PasswordFile: Sendable {
    private let configuration: Configuration
    package let path: String

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        self.path = configuration.resolve(configuration.access.passwordFile)
    }

    /// Empty if there is no file.
    package func read() throws(ConfigurationError) -> PasswordTable {
        guard ConfigurationFile.exists(path) else { return PasswordTable() }
        let bytes: [UInt8]
        do throws(SecretFault) {
            bytes = try SecretFile.content(of: .file(path), from: configuration, credentials: nil)
        } catch {
            throw fault(error.problem, error.remedy)
        }
        do throws(PasswordTable.Fault) {
            return try PasswordTable(String(decoding: bytes, as: UTF8.self))
        } catch {
            throw fault(
                "line \(error.line) of \(path): \(error.problem)",
                "Remove the line and run `waxwing apps password NAME` for its application")
        }
    }

    /// Changes the line of one application, or takes it away; two commands at once do it one after the other.
    package func set(_ verifier: ScramVerifier?, for name: String) throws {
        try PrivateFileChange.change(path) { _ in
            var table = try read()
            table.set(verifier, for: name)
            return Array(table.text.utf8)
        }
    }

    /// Changes whenever the file does; nil without a file.
    var stamp: Stamp? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return Stamp(
            file: status.st_ino, octets: Int(status.st_size), seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec)
    }

    struct Stamp: Hashable, Sendable {
        var file: UInt
        var octets: Int
        var seconds: Int
        var nanoseconds: Int
    }

    private func fault(_ problem: String, _ remedy: String) -> ConfigurationError {
        let path: [KeyLocator.Step] = [.key("apps"), .key("passwords")]
        return ConfigurationError([
            ConfigurationFault(
                file: configuration.file, line: configuration.locator.line(of: path), key: KeyLocator.text(of: path),
                problem: problem, remedy: remedy)
        ])
    }
}
