// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import DKIM
package import Mail

/// KeyStore is in charge of the key directory: `<keys>/<domain>/<selector>/` with `private.pem` (0600),
/// `record.txt` (what to publish) and `key.json` (`KeyDescription`).
///
/// What holds whenever a change is cut off (`KeyStore+Changes`):
/// - a key's directory is there with all three files, or not at all: it is made under a name with a dot and
///   renamed when complete;
/// - a selector is in the domain's journal before anything else of its key exists, so it is never used twice;
/// - `key.json` is replaced, never written in place.
///
/// Reading takes no lock.
package final class KeyStore: Sendable {
    static let privateFile = "private.pem"
    static let recordFile = "record.txt"
    static let descriptionFile = "key.json"
    static let journalFile = ".selectors"
    static let lockFile = ".lock"
    /// Of one domain: held while its keys are rotated.
    static let rotationFile = ".rotation"
    /// Of one domain: removed keys whose selectors were used again.
    static let archiveDirectory = ".archive"
    /// The private key of a removed key, for everybody to read.
    static let disclosedFile = "disclosed.pem"

    package let directory: String
    let files: DurableFiles
    /// Of private keys that are encrypted.
    private let passphrase: [UInt8]?

    /// Nothing is read or made yet.
    package convenience init(directory: String, passphrase: String? = nil) {
        self.init(directory: directory, passphrase: passphrase, files: DurableFiles())
    }

    init(directory: String, passphrase: String? = nil, files: DurableFiles) {
        self.directory = directory
        self.passphrase = passphrase.map { Array($0.utf8) }
        self.files = files
    }

    /// The domains that have a directory, sorted.
    ///
    /// Without a key directory: none.
    package func domains() throws(KeyError) -> [Domain] {
        switch KeyReading.presence(of: directory) {
        case .absent: return []
        case .unreadable(let error): throw error
        case .directory: return try KeyReading.names(in: directory).compactMap { Domain($0) }
        }
    }

    /// A key of the store, or why its directory can't be understood.
    package struct Entry: Sendable {
        package var selector: Selector
        package var description: Result<KeyDescription, KeyError>
    }

    /// The keys of a domain, by selector.
    ///
    /// Without a directory of its own: none.
    package func keys(of domain: Domain) throws(KeyError) -> [Entry] {
        let path = self.path(of: domain)
        switch KeyReading.presence(of: path) {
        case .absent: return []
        case .unreadable(let error): throw error
        case .directory: break
        }
        var entries: [Entry] = []
        for name in try KeyReading.names(in: path) {
            guard let selector = Selector(name), selector.text == name else { continue }
            // A stray file is not a key.
            if case .unreadable = KeyReading.presence(of: path + "/" + name) { continue }
            do {
                entries.append(
                    Entry(selector: selector, description: .success(try description(of: selector, in: domain))))
            } catch {
                entries.append(Entry(selector: selector, description: .failure(error)))
            }
        }
        return entries
    }

    package func description(of selector: Selector, in domain: Domain) throws(KeyError) -> KeyDescription {
        let path = self.path(of: selector, in: domain)
        if case .absent = KeyReading.presence(of: path) {
            throw KeyError("\(domain) has no key \(selector): run `waxwing keys list \(domain)`")
        }
        let file = path + "/" + Self.descriptionFile
        let description = try KeyDescription(json: KeyReading.content(of: file), path: file)
        guard description.domain == domain.name, description.selector == selector.text else {
            throw KeyError(
                "\(file) describes \(description.recordName): a key must stay in the directory it was made in")
        }
        return description
    }

    /// The private key, checked: readable by its owner only, sound, and the one that `record` speaks of.
    package func privateKey(of description: KeyDescription) throws(KeyError) -> SigningKey {
        let path = privatePath(of: description)
        var pem = try KeyReading.privateContent(of: path)
        defer { SigningKey.erase(&pem) }
        let key: SigningKey
        do throws(SigningKeyError) {
            key = try SigningKey(pem: pem, passphrase: passphrase)
        } catch {
            throw KeyError("\(path) is no usable private key: \(error)")
        }
        guard key.keyRecord.text == description.record else {
            throw KeyError("\(path) does not belong to the record of \(description.recordName): restore the right key")
        }
        return key
    }

    /// What is wrong with the directories around a key, without keeping it from being used.
    package func warnings() -> [String] {
        KeyReading.warnings(aboveAndAt: directory)
    }

    func privatePath(of description: KeyDescription) -> String {
        "\(directory)/\(description.domain)/\(description.selector)/\(Self.privateFile)"
    }

    func path(of domain: Domain) -> String { "\(directory)/\(domain.name)" }

    func path(of selector: Selector, in domain: Domain) -> String { "\(directory)/\(domain.name)/\(selector.text)" }
}
