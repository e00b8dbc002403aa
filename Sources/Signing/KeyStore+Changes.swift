// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import DKIM
internal import FoundationEssentials
package import Mail

/// What changes the key directory.
///
/// Each holds the lock from the first look to the last write.
extension KeyStore {
    /// Who changes something, when, and what it rests on.
    package struct Change: Sendable {
        package var time: Timestamp
        package var user: String

        package init(time: Timestamp, user: String) {
            self.time = time
            self.user = user
        }
    }

    /// Stores a new key in the state `generated`.
    ///
    /// - Parameters:
    ///   - selector: nil makes one after the template.
    ///   - isDelegated: the selector is one of those that are used again, once their last key is removed.
    package func add(
        _ key: SigningKey, to domain: Domain, selector wanted: Selector?, template: SelectorTemplate = .init(),
        isDelegated: Bool = false, purpose: KeyDescription.Purpose? = nil, evidence: String, _ change: Change
    ) throws(KeyError) -> KeyDescription {
        let (lock, owner) = try locked()
        defer { withExtendedLifetime(lock) {} }
        let path = self.path(of: domain)
        try files.makeDirectory(path, owner: owner)
        try files.syncDirectory(directory)
        removeLeftovers(in: path)
        let used = try usedSelectors(of: domain)
        let selector: Selector
        if let wanted {
            selector = wanted
        } else {
            selector = try freshSelector(for: key, among: used, template, at: change.time, domain)
        }
        if isDelegated {
            try archive(selector, of: domain, owner: owner)
        } else if used.contains(selector) {
            throw KeyError(
                "the selector \(selector) was used before for \(domain), and verifiers may still know the other key: "
                    + "choose another with --selector, or leave it out")
        }
        try files.append(Array("\(selector.text)\n".utf8), to: path + "/" + Self.journalFile, owner: owner, in: path)

        var description = KeyDescription(
            domain: domain, selector: selector, key: key, at: change.time, by: change.user, evidence: evidence)
        description.purpose = purpose
        try write(key, description, selector, in: domain, owner: owner)
        return description
    }

    /// The directory of a key comes into being complete, by its rename.
    private func write(
        _ key: SigningKey, _ description: KeyDescription, _ selector: Selector, in domain: Domain,
        owner: DurableFiles.Owner?
    ) throws(KeyError) {
        var pem: [UInt8] = []
        defer { SigningKey.erase(&pem) }
        do { pem = try key.pem() } catch { throw KeyError("the private key can't be written: \(error)") }
        let path = self.path(of: domain)
        let temporary = path + "/.new-" + selector.text
        try files.makeDirectory(temporary, owner: owner)
        try files.create(temporary + "/" + Self.privateFile, pem, mode: DurableFiles.privateMode, owner: owner)
        let record = Self.recordText(description)
        try files.create(temporary + "/" + Self.recordFile, record, mode: DurableFiles.publicMode, owner: owner)
        try files.create(
            temporary + "/" + Self.descriptionFile, try description.json(), mode: DurableFiles.publicMode,
            owner: owner)
        try files.syncDirectory(temporary)
        try files.move(temporary, to: self.path(of: selector, in: domain), in: path)
    }

    /// Makes a key the one that signs; another active key of its kind goes to `retiring`.
    ///
    /// - Parameters:
    ///   - evidence: what proves that the key is published.
    ///   - isUnproven: there is no proof, the operator wants it all the same.
    package func activate(
        _ selector: Selector, of domain: Domain, evidence: String, isUnproven: Bool, _ change: Change
    ) throws(KeyError) -> KeyDescription {
        let (lock, owner) = try locked()
        defer { withExtendedLifetime(lock) {} }
        var description = try self.description(of: selector, in: domain)
        guard description.state.canActivate else {
            throw KeyError(
                "\(description.recordName) is \(description.state.rawValue) and stays so: "
                    + "run `waxwing keys generate \(domain)`")
        }
        // A key that can't sign must not take the place of one that can.
        _ = try privateKey(of: description)
        if !isUnproven, description.state == .generated {
            description.move(to: .published, at: change.time, by: change.user, evidence: evidence)
        }
        let others = try keys(of: domain).compactMap { try? $0.description.get() }
        description.move(
            to: .active, at: change.time, by: change.user, evidence: evidence, isUnproven: isUnproven)
        description.activationNumber = 1 + (others.compactMap(\.activationNumber).max() ?? 0)
        // The new key first: cut off here, two are active and the later one signs. Never none.
        try replace(description, owner: owner)
        for var other in others
        where other.state == .active && other.selector != selector.text && other.isEd25519 == description.isEd25519 {
            other.move(to: .retiring, at: change.time, by: change.user, evidence: "\(selector) became active")
            try replace(other, owner: owner)
        }
        return description
    }

    /// Changes what is on disk of a key, as it stands there now.
    package func update(
        _ selector: Selector, of domain: Domain, _ change: (inout KeyDescription) -> Void
    ) throws(KeyError) -> KeyDescription {
        let (lock, owner) = try locked()
        defer { withExtendedLifetime(lock) {} }
        let before = try description(of: selector, in: domain)
        var description = before
        change(&description)
        guard description != before else { return before }
        let path = self.path(of: selector, in: domain)
        let record = Self.recordText(description)
        // First: cut off here, the change is made again, and this with it.
        if (try? KeyReading.content(of: path + "/" + Self.recordFile)) != record {
            try files.replace(
                path + "/" + Self.recordFile, record, mode: DurableFiles.publicMode, owner: owner, in: path)
        }
        try replace(description, owner: owner)
        return description
    }

    /// What is to stand in DNS; empty: nothing.
    private static func recordText(_ description: KeyDescription) -> [UInt8] {
        Array(RecordFormat.plain.text(of: [description.textRecord].compactMap { $0 }).utf8)
    }

    /// Ends the secrecy or the existence of the private key of a removed key.
    package func dispose(
        _ selector: Selector, of domain: Domain, _ fate: KeyDescription.PrivateKeyFate
    ) throws(KeyError) -> KeyDescription {
        let (lock, owner) = try locked()
        defer { withExtendedLifetime(lock) {} }
        var description = try self.description(of: selector, in: domain)
        guard description.state == .removed else {
            throw KeyError(
                "\(description.recordName) is \(description.state.rawValue): its private key is still needed")
        }
        let path = self.path(of: selector, in: domain)
        switch fate {
        case .destroyed:
            try files.remove(path + "/" + Self.privateFile, in: path)
        case .disclosed:
            // Cut off after it was moved: nothing is left to move.
            if KeyReading.exists(path + "/" + Self.privateFile) {
                try files.setMode(path + "/" + Self.privateFile, DurableFiles.publicMode)
                try files.move(path + "/" + Self.privateFile, to: path + "/" + Self.disclosedFile, in: path)
            }
        }
        description.privateKey = fate
        try replace(description, owner: owner)
        return description
    }

    /// Moves the directory of a removed key out of the way of a new key with its selector.
    private func archive(_ selector: Selector, of domain: Domain, owner: DurableFiles.Owner?) throws(KeyError) {
        let path = self.path(of: selector, in: domain)
        guard case .directory = KeyReading.presence(of: path) else { return }
        let description = try self.description(of: selector, in: domain)
        guard description.state == .removed else {
            throw KeyError(
                "\(description.recordName) is \(description.state.rawValue): its name is free when that key is removed")
        }
        let archive = self.path(of: domain) + "/" + Self.archiveDirectory
        try files.makeDirectory(archive, owner: owner)
        try files.syncDirectory(self.path(of: domain))
        let taken = try KeyReading.names(in: archive).filter { $0.hasPrefix(selector.text + "-") }.count
        try files.move(path, to: "\(archive)/\(selector)-\(taken + 1)", in: self.path(of: domain))
        try files.syncDirectory(archive)
    }

    private func replace(_ description: KeyDescription, owner: DurableFiles.Owner?) throws(KeyError) {
        let path = "\(directory)/\(description.domain)/\(description.selector)"
        try files.replace(
            path + "/" + Self.descriptionFile, try description.json(), mode: DurableFiles.publicMode, owner: owner,
            in: path)
    }

    /// Held while somebody rotates the keys of a domain; nil while another does.
    func rotationLock(of domain: Domain) throws(KeyError) -> KeyLock? {
        let (lock, owner) = try locked()
        defer { withExtendedLifetime(lock) {} }
        let path = self.path(of: domain)
        try files.makeDirectory(path, owner: owner)
        return try KeyLock.ifFree(path + "/" + Self.rotationFile, owner: owner, files: files)
    }

    private func locked() throws(KeyError) -> (KeyLock, DurableFiles.Owner?) {
        if case .absent = KeyReading.presence(of: directory) {
            // The key directory goes to the owner of the directory that it is made in.
            let parent = directory.lastIndex(of: "/").map { String(directory[...$0]) } ?? "."
            try files.makeDirectory(directory, owner: KeyReading.owner(of: parent))
            try files.syncDirectory(parent)
        }
        let owner = KeyReading.owner(of: directory)
        return (try KeyLock(directory + "/" + Self.lockFile, owner: owner, files: files), owner)
    }

    /// Every selector that a key of the domain ever had, whether or not its directory is still there.
    func usedSelectors(of domain: Domain) throws(KeyError) -> Set<Selector> {
        let path = self.path(of: domain)
        var used = Set(try KeyReading.names(in: path).compactMap { Selector($0) })
        let journal = path + "/" + Self.journalFile
        if case .absent = KeyReading.presence(of: journal) { return used }
        let lines = String(decoding: try KeyReading.content(of: journal), as: UTF8.self).split(separator: "\n")
        used.formUnion(lines.compactMap { Selector(String($0)) })
        return used
    }

    /// The first after the template that no key of the domain ever had.
    private func freshSelector(
        for key: SigningKey, among used: Set<Selector>, _ template: SelectorTemplate, at time: Timestamp,
        _ domain: Domain
    ) throws(KeyError) -> Selector {
        let day = time.date.formatted(.iso8601.year().month().day()).filter { $0.isASCII && $0.isNumber }
        for letter in "abcdefghijklmnopqrstuvwxyz" {
            let selector = template.selector(date: day, letter: letter, isEd25519: key.kind == .ed25519)
            if let selector, !used.contains(selector) { return selector }
        }
        throw KeyError(
            "\(domain) has 26 keys of today: wait for tomorrow, or name another selector with --selector")
    }

    /// Directories of keys whose making was cut off.
    ///
    /// Nobody has seen their records.
    private func removeLeftovers(in path: String) {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return }
        for name in names where name.hasPrefix(".new-") {
            try? FileManager.default.removeItem(atPath: path + "/" + name)
        }
    }
}
