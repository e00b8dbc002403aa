// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc
import Signing

/// Where a secret is, as the configuration says it.
enum SecretPlace: Hashable, Sendable {
    case file(String)
    /// A credential of the systemd unit (`LoadCredential=`, `SetCredentialEncrypted=`).
    case credential(String)

    /// Nil if there is none.
    init?(_ setting: String) {
        guard !setting.isEmpty else { return nil }
        let prefix = "credential:"
        self = setting.hasPrefix(prefix) ? .credential(String(setting.dropFirst(prefix.count))) : .file(setting)
    }

    /// A credential is a file in one directory.
    static func isCredentialName(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x2F }
    }
}

/// Why a secret can't be used.
struct SecretFault: Error, Hashable {
    var problem: String
    var remedy: String
    /// It is another process or user that is to have it, so nothing need be wrong.
    var isElsewhere = false
}

/// SecretFile is in charge of reading what must not stand in the configuration file: from a file that only its owner
/// may read, or from a systemd credential.
///
/// No error says anything about the content.
enum SecretFile {
    /// - Parameter credentials: the directory of the unit's credentials; nil when there is no unit.
    static func content(
        of place: SecretPlace, from configuration: Configuration, credentials: String?
    ) throws(SecretFault) -> [UInt8] {
        switch place {
        case .file(let path):
            let path = configuration.resolve(path)
            if unsafe access(path, R_OK) != 0 { throw accessFault(path, errno) }
            return try content { () throws(KeyError) in try SecretContent.ofFile(path) }
        case .credential(let name):
            let remedy = "Add LoadCredential=\(name):PATH to the unit and restart it, or name a file"
            guard let credentials else {
                throw SecretFault(
                    problem:
                        "the credential \"\(name)\" is not here: this process was not started by a unit that has it",
                    remedy: remedy, isElsewhere: true)
            }
            guard ConfigurationFile.exists(credentials + "/" + name) else {
                throw SecretFault(problem: "the unit has no credential \"\(name)\"", remedy: remedy)
            }
            return try content { () throws(KeyError) in try SecretContent.ofCredential(name, in: credentials) }
        }
    }

    /// The directory that systemd keeps the credentials of this process's unit in.
    static var credentialsDirectory: String? {
        guard let value = unsafe getenv("CREDENTIALS_DIRECTORY") else { return nil }
        return unsafe String(cString: value)
    }

    private static func accessFault(_ path: String, _ code: Int32) -> SecretFault {
        switch code {
        case ENOENT:
            SecretFault(problem: "there is no file \(path)", remedy: "Create it with mode 600, or correct the path")
        case EACCES:
            SecretFault(
                problem: "user \(geteuid()) may not read \(path)",
                remedy: "Run `chown \(geteuid()) \(ShellWord.quoted(path))` as root if this user runs Waxwing",
                isElsewhere: true)
        default:
            SecretFault(
                problem: "\(path) can't be read: \(unsafe String(cString: strerror(code)))",
                remedy: "Name a file that can be read")
        }
    }

    private static func content(_ read: () throws(KeyError) -> [UInt8]) throws(SecretFault) -> [UInt8] {
        do throws(KeyError) {
            return try read()
        } catch {
            let remedy = error.remedy.map { $0.prefix(1).uppercased() + $0.dropFirst() }
            throw SecretFault(problem: error.problem, remedy: remedy ?? "Name a file that holds the secret")
        }
    }
}
