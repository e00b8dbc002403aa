// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
package import Mail

/// CredentialKeys is in charge of private keys that the service manager hands over: files of `$CREDENTIALS_DIRECTORY`,
/// which systemd fills from `LoadCredential=`, `LoadCredentialEncrypted=` and `SetCredentialEncrypted=`.
///
/// A key is the credential `<selector>._domainkey.<domain>.pem`: its record's name, in which the one cannot be taken
/// for the other, as no selector has an underscore. If it is encrypted, its passphrase is the first line of the
/// credential `<selector>._domainkey.<domain>.passphrase`. A prefix up to an underscore may stand before both: systemd
/// names the files of a directory so (`LoadCredential=dkim:/etc/dkim` makes `dkim_<file name>`).
///
/// Such keys are read-only: nobody can rotate, retire or revoke them but whoever gives them to the service.
package struct CredentialKeys: Sendable {
    /// A key among the credentials, not yet read.
    package struct File: Hashable, Sendable {
        package var domain: Domain
        package var selector: Selector
        package var path: String
        /// Nil: there is none.
        package var passphrasePath: String?
        /// Of the files when they were found.
        var identities: [FileIdentity] = []
    }

    private static let middle = "._domainkey."
    private static let keySuffix = ".pem"
    private static let passphraseSuffix = ".passphrase"

    private let directory: String?

    /// - Parameter directory: nil if the service manager gives no credentials.
    package init(directory: String?) {
        self.directory = directory
    }

    /// The keys among the credentials, by file name, and those whose names make no sense.
    ///
    /// Credentials for other things are passed over.
    func files() throws(KeyError) -> (found: [File], problems: [KeyError]) {
        guard let directory else { return ([], []) }
        var found: [File] = []
        var problems: [KeyError] = []
        let names = try KeyReading.names(in: directory)
        for name in names where name.hasSuffix(Self.keySuffix) {
            let stem = String(name.dropLast(Self.keySuffix.count))
            guard let middle = stem.firstRange(of: Self.middle) else { continue }
            let path = "\(directory)/\(name)"
            let selector = Self.selector(stem[..<middle.lowerBound])
            guard let selector, let domain = Domain(stem[middle.upperBound...]) else {
                problems.append(
                    KeyError(
                        "the credential \(path) names no key: call it SELECTOR\(Self.middle)DOMAIN\(Self.keySuffix)"))
                continue
            }
            let passphrase = stem + Self.passphraseSuffix
            var file = File(domain: domain, selector: selector, path: path)
            if names.contains(passphrase) { file.passphrasePath = "\(directory)/\(passphrase)" }
            file.identities = [path, file.passphrasePath].compactMap { $0.flatMap { KeyReading.identity(of: $0) } }
            found.append(file)
        }
        return (found, problems)
    }

    /// Without what stands before the last underscore.
    private static func selector(_ text: Substring) -> Selector? {
        Selector(String(text[(text.lastIndex(of: "_").map { text.index(after: $0) } ?? text.startIndex)...]))
    }

    /// Reads and tests a key.
    ///
    /// What was read on the way is erased.
    static func key(of file: File) throws(KeyError) -> SigningKey {
        var pem = try KeyReading.credentialContent(of: file.path)
        defer { SigningKey.erase(&pem) }
        var passphrase: [UInt8] = []
        defer { SigningKey.erase(&passphrase) }
        if let path = file.passphrasePath {
            var content = try KeyReading.credentialContent(of: path)
            defer { SigningKey.erase(&content) }
            passphrase = SecretContent.passphrase(content)
        }
        do throws(SigningKeyError) {
            return try SigningKey(pem: pem, passphrase: file.passphrasePath == nil ? nil : passphrase)
        } catch .encrypted {
            throw KeyError(
                "\(file.path) is encrypted and there is no passphrase for it: give the service the credential "
                    + "\(file.selector)\(middle)\(file.domain)\(passphraseSuffix)")
        } catch .wrongPassphrase {
            throw KeyError(
                "\(file.path) can't be decrypted with \(file.passphrasePath ?? "its passphrase"): "
                    + "give the service the right passphrase")
        } catch {
            throw KeyError("\(file.path) is no usable private key: \(error)")
        }
    }
}

/// A key among the credentials of the service, as commands and the status tell of it.
package struct ReadOnlyKey: Hashable, Sendable {
    package var domain: Domain
    package var selector: Selector
    /// Such as `rsa-2048`; nil if the key can't be used.
    package var algorithm: String?
    /// The record to publish; nil if the key can't be used.
    package var record: String?
    /// Whether its domain signs with it.
    package var isUsed: Bool
    /// One line: that it is read-only, and why it isn't used.
    package var remark: String

    /// What has to be said of every such key.
    static let notice =
        "comes from the credentials of the service: it is read-only and can't rotate by itself; to replace it, publish "
        + "the record of another key, give the service that one and restart it"

    package var recordName: String { selector.recordName(in: domain) }
}
