// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Dispatch
internal import Mail
internal import Synchronization

/// KeyLoader is in charge of reading the keys that sign: from the key store and from the credentials of the service,
/// on all cores at once, and again only those whose files are no longer what they were.
///
/// Never fails for one domain because of another: what is wrong becomes a remark.
struct KeyLoader: Sendable {
    /// An active key of the store, with what tells whether it need not be read again.
    struct Known: Sendable {
        var identity: FileIdentity?
        var key: ActiveKey
    }

    /// What is known of one domain.
    struct Loaded: Sendable {
        var keys: DomainKeys
        var known: [Known] = []
        var readOnly: [ReadOnlyKey] = []
    }

    /// What has to be said while loading.
    struct Remarks: Sendable {
        var problems: [KeyError] = []
        var warnings: [String] = []
        var notices: [String] = []
    }

    struct Credential: Sendable {
        var file: CredentialKeys.File
        var key: Result<ActiveKey, KeyError>
    }

    let store: KeyStore
    private let source: CredentialKeys
    private var credentials: [Domain: [Credential]] = [:]

    init(store: KeyStore, credentials: CredentialKeys) {
        self.store = store
        self.source = credentials
    }

    /// Reads the keys of all domains.
    ///
    /// - Parameter previous: what was read before.
    mutating func load(
        _ previous: [Domain: Loaded]
    ) throws(KeyError) -> (loaded: [Domain: Loaded], remarks: [(Domain?, Remarks)]) {
        var remarks: [(Domain?, Remarks)] = [(nil, loadCredentials())]
        remarks[0].1.warnings += store.warnings()
        let domains = Set(try store.domains()).union(credentials.keys).sorted()
        let all = Self.onAllCores(domains) { [self] domain in load(domain, previous[domain]) }
        var loaded: [Domain: Loaded] = [:]
        loaded.reserveCapacity(domains.count)
        for (domain, (keys, remark)) in zip(domains, all) {
            loaded[domain] = keys
            remarks.append((domain, remark))
        }
        return (loaded, remarks)
    }

    /// Reads the keys of one domain.
    ///
    /// The credentials stay what they were: they come with the start of the service.
    func load(_ domain: Domain, _ previous: Loaded?) -> (Loaded, Remarks) {
        var loaded = Loaded(keys: DomainKeys())
        var remarks = Remarks()
        let entries: [KeyStore.Entry]?
        do throws(KeyError) {
            entries = try store.keys(of: domain)
        } catch {
            entries = nil
            remarks.problems.append(error)
            // As when none of the directories can be read: keys read earlier go on signing.
            if let previous { return (previous, remarks) }
        }
        var descriptions: [KeyDescription] = []
        for entry in entries ?? [] {
            switch entry.description {
            case .success(let description): descriptions.append(description)
            case .failure(let error): remarks.problems.append(error)
            }
        }
        loadActive(descriptions, previous, &loaded, &remarks)
        for credential in credentials[domain] ?? [] {
            take(credential, entries, &loaded, &remarks)
        }
        loaded.keys.wasCompromised = KeyDescription.lacksReplacement(descriptions)
        if !loaded.keys.isUsable {
            loaded.keys.nextStep = remarks.problems.first?.text ?? Self.nextStep(for: domain, descriptions)
        }
        return (loaded, remarks)
    }

    // MARK: Keys of the store

    private func loadActive(
        _ descriptions: [KeyDescription], _ previous: Loaded?, _ loaded: inout Loaded, _ remarks: inout Remarks
    ) {
        // Two of a kind are active only when an activation was cut off: the later one was meant, if the DNS shows it.
        let active = descriptions.filter { $0.state == .active }.sorted { left, right in
            if (left.suspension == nil) != (right.suspension == nil) { return left.suspension == nil }
            return left.wasActivated(after: right)
        }
        for description in active {
            guard (description.isEd25519 ? loaded.keys.ed25519 : loaded.keys.rsa) == nil else { continue }
            do throws(KeyError) {
                let known = try known(description, previous)
                loaded.known.append(known)
                if description.isEd25519 {
                    loaded.keys.ed25519 = known.key
                    loaded.keys.ed25519Suspension = description.suspension
                } else {
                    loaded.keys.rsa = known.key
                    loaded.keys.rsaSuspension = description.suspension
                }
            } catch {
                remarks.problems.append(error)
            }
            let directory = "\(store.directory)/\(description.domain)"
            let warnings = [directory, "\(directory)/\(description.selector)"]
                .compactMap { KeyReading.warning(at: $0) }
            remarks.warnings += warnings.filter { !remarks.warnings.contains($0) }
        }
    }

    /// The key that was read before, if the file is the same and still has to hold the same key; else it is read.
    private func known(_ description: KeyDescription, _ previous: Loaded?) throws(KeyError) -> Known {
        // Before it is read: if the file changes in between, the next look sees another one and reads again.
        let identity = KeyReading.identity(of: store.privatePath(of: description))
        let kept = previous?.known.first {
            $0.key.selector == description.selector && $0.key.record == description.record && $0.identity == identity
        }
        if let kept, identity != nil {
            kept.key.checkNext()
            return kept
        }
        let key = try ActiveKey(description, privateKey: store.privateKey(of: description))
        return Known(identity: identity, key: key)
    }

    private static func nextStep(for domain: Domain, _ descriptions: [KeyDescription]) -> String? {
        guard !descriptions.isEmpty else { return nil }
        let waiting = descriptions.last { $0.state == .generated || $0.state == .published }
        if KeyDescription.lacksReplacement(descriptions) {
            guard let waiting else {
                return "mail of \(domain) waits, as its key was compromised and no other can sign: "
                    + "run `waxwing keys rotate \(domain)` and publish the record that it prints"
            }
            return "mail of \(domain) waits for the key \(waiting.selector), as the one before was compromised: "
                + "publish the record that `waxwing keys show \(domain)` prints, "
                + "then run `waxwing keys rotate \(domain)`"
        }
        if let waiting {
            return "no key of \(domain) is active: publish the record that `waxwing keys show \(domain)` prints, "
                + "then run `waxwing keys activate \(domain) --selector \(waiting.selector)`"
        }
        return "no key of \(domain) may sign any more: run `waxwing keys generate \(domain)`, publish the record "
            + "that it prints, then run `waxwing keys activate \(domain)`"
    }

    // MARK: Keys among the credentials

    private mutating func loadCredentials() -> Remarks {
        var remarks = Remarks()
        do throws(KeyError) {
            let (files, problems) = try source.files()
            remarks.problems = problems
            let known = credentials.values.joined()
            let read = Self.onAllCores(files) { [known = Array(known)] file in
                if let same = known.first(where: { $0.file == file }), case .success(let key) = same.key {
                    key.checkNext()
                    return same
                }
                return Credential(file: file, key: Self.activeKey(of: file))
            }
            // Of two of a kind the last by name signs: names often have dates in them.
            credentials = Dictionary(grouping: read) { $0.file.domain }
                .mapValues { $0.sorted { $0.file.selector > $1.file.selector } }
        } catch {
            remarks.problems = [error]
        }
        return remarks
    }

    private static func activeKey(of file: CredentialKeys.File) -> Result<ActiveKey, KeyError> {
        do throws(KeyError) {
            let key = try CredentialKeys.key(of: file)
            return .success(
                try ActiveKey(sdid: file.domain.name, selector: file.selector.text, privateKey: key))
        } catch {
            return .failure(error)
        }
    }

    /// Lets a key of the credentials sign where the store has none of its kind that can.
    ///
    /// The store's own goes first: it is proven, watched, and can rotate; a credential can't even be taken back without
    /// a restart. And what the store says of a key holds wherever its private half comes from: one that it calls
    /// retired, revoked or compromised does not sign.
    ///
    /// - Parameter entries: nil if the store could not tell.
    private func take(
        _ credential: Credential, _ entries: [KeyStore.Entry]?, _ loaded: inout Loaded, _ remarks: inout Remarks
    ) {
        let file = credential.file
        let name = file.selector.recordName(in: file.domain)
        var readOnly = ReadOnlyKey(domain: file.domain, selector: file.selector, isUsed: false, remark: "")
        defer { loaded.readOnly.append(readOnly) }
        let key: ActiveKey
        switch credential.key {
        case .success(let usable): key = usable
        case .failure(let error):
            readOnly.remark = error.text
            remarks.problems.append(error)
            return
        }
        readOnly.algorithm = key.kind
        readOnly.record = key.record
        if let objection = objection(to: key, file, entries, loaded) {
            readOnly.remark = "\(ReadOnlyKey.notice); it does not sign: \(objection)"
            remarks.warnings.append("\(name) \(readOnly.remark)")
            return
        }
        if key.isEd25519 { loaded.keys.ed25519 = key } else { loaded.keys.rsa = key }
        readOnly.isUsed = true
        readOnly.remark = ReadOnlyKey.notice
        remarks.notices.append("\(name) \(ReadOnlyKey.notice)")
    }

    private func objection(
        to key: ActiveKey, _ file: CredentialKeys.File, _ entries: [KeyStore.Entry]?, _ loaded: Loaded
    ) -> String? {
        guard let entries else { return "the key store can't say whether it may" }
        for entry in entries {
            switch entry.description {
            case .failure where entry.selector == file.selector: return "the key store can't say whether it may"
            case .success(let description) where entry.selector == file.selector || description.record == key.record:
                return "the key store has it as \(entry.selector), which is \(description.state.rawValue)"
            case .success, .failure: continue
            }
        }
        guard let other = key.isEd25519 ? loaded.keys.ed25519 : loaded.keys.rsa else { return nil }
        return "\(other.selector) is of the same kind and goes first: take one of the two away"
    }

    // MARK: All cores

    private static func onAllCores<Element: Sendable, Result: Sendable>(
        _ elements: [Element], _ body: @Sendable (Element) -> Result
    ) -> [Result] {
        let results = Mutex<[Result?]>(Array(repeating: nil, count: elements.count))
        DispatchQueue.concurrentPerform(iterations: elements.count) { index in
            let result = body(elements[index])
            results.withLock { $0[index] = result }
        }
        return results.withLock { $0.compactMap { $0 } }
    }
}
