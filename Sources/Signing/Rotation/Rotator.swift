// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
package import Mail
internal import Synchronization

/// Rotator is in charge of the keys of all domains over time, on disk: one run of a domain at a time, whoever asks for
/// it.
package final class Rotator: Sendable {
    /// Who the daemon is in the history of keys.
    package static let daemonName = "waxwing"
    /// How long somebody who asks waits for another run on the same domain.
    private static let patienceSeconds = 30

    package let store: KeyStore
    let clock: WallClock
    private let environment: RotationEnvironment
    private let box: PolicyBox

    /// - Parameters:
    ///   - look: asks every server in charge of the key's record.
    ///   - publish: carries a change into DNS.
    ///   - uses: what the spool knows.
    ///   - news: called while keys change; must not block for long.
    package init(
        store: KeyStore, clock: WallClock, policies: RotationPolicies,
        look: @escaping @Sendable (KeyDescription) async -> KeyEvidence,
        publish: @escaping @Sendable (RecordChange, PublisherSettings?) async -> PublicationResult,
        uses: @escaping @Sendable (Domain) -> KeyUses = { _ in KeyUses() },
        news: @escaping @Sendable (RotationNews) -> Void = { _ in }
    ) {
        let box = PolicyBox(policies)
        self.store = store
        self.clock = clock
        self.box = box
        environment = .onDisk(store, clock: clock, box: box, look: look, publish: publish, uses: uses, news: news)
    }

    package var policies: RotationPolicies { box.policies }

    /// Takes other settings from the next step on.
    package func replace(_ policies: RotationPolicies) {
        box.replace(policies)
    }

    /// Takes the keys of a domain as far as they can go now.
    ///
    /// - Parameters:
    ///   - wanted: the algorithms of keys to replace, unless their rotation runs already.
    ///   - isAsked: somebody waits: everything is looked at now. Else only what is due.
    func advance(
        _ domain: Domain, wanted: Set<KeyAlgorithm> = [], by user: String, isAsked: Bool
    ) async throws(KeyError) -> DomainRotation.Result {
        let rotation = rotation(of: domain, by: user, isAsked: isAsked)
        let lock = try await lock(domain)
        defer { withExtendedLifetime(lock) {} }
        return await rotation.advance(wanted)
    }

    /// Does what is due by itself; nil while somebody else is at the domain's keys.
    func tend(_ domain: Domain) async throws(KeyError) -> DomainRotation.Result? {
        guard let lock = try store.rotationLock(of: domain) else { return nil }
        defer { withExtendedLifetime(lock) {} }
        return await rotation(of: domain, by: Self.daemonName).advance()
    }

    /// For those who hold the domain's lock.
    func rotation(of domain: Domain, by user: String, isAsked: Bool = false) -> DomainRotation {
        DomainRotation(domain: domain, environment: environment, user: user, isAsked: isAsked)
    }

    /// Keeps everybody else from rotating the domain's keys for as long as the lock lives.
    func lock(_ domain: Domain) async throws(KeyError) -> KeyLock {
        for attempt in 0...Self.patienceSeconds * 10 {
            if attempt > 0 { try? await Task.sleep(for: .milliseconds(100)) }
            if let lock = try store.rotationLock(of: domain) { return lock }
        }
        throw KeyError("the keys of \(domain) are being rotated by another command or by the daemon: try again later")
    }

    /// Asks the DNS for the records of keys, and takes nothing down.
    func look(at keys: [KeyDescription]) async -> [KeyEvidence] { await environment.look(at: keys) }

    /// When a key last signed, as far as the spool knows.
    func lastUse(of key: KeyDescription, _ domain: Domain) -> Timestamp? {
        environment.uses(domain).last[KeyUses.Key(sdid: domain, selector: key.selector)].map { Timestamp(seconds: $0) }
    }

    /// What the keys of a domain are doing and waiting for, without doing anything: RSA, then Ed25519.
    func plans(_ domain: Domain) throws(KeyError) -> [RotationPlan] {
        try rotation(of: domain, by: Self.daemonName).plans()
    }

    /// The plan of the kind of an algorithm; of both kinds if it is nil.
    func plans(_ domain: Domain, of algorithm: KeyAlgorithm?) throws(KeyError) -> [RotationPlan] {
        let both = try plans(domain)
        return algorithm.map { $0 == .ed25519 ? [both[1]] : [both[0]] } ?? both
    }
}

/// The policies in force, shared by all that acts on them.
final class PolicyBox: Sendable {
    private let current: Mutex<RotationPolicies>

    init(_ policies: RotationPolicies) {
        current = Mutex(policies)
    }

    var policies: RotationPolicies { current.withLock { $0 } }

    func replace(_ policies: RotationPolicies) {
        current.withLock { $0 = policies }
    }
}

extension RotationEnvironment {
    /// Over the real key store.
    fileprivate static func onDisk(
        _ store: KeyStore, clock: WallClock, box: PolicyBox,
        look: @escaping @Sendable (KeyDescription) async -> KeyEvidence,
        publish: @escaping @Sendable (RecordChange, PublisherSettings?) async -> PublicationResult,
        uses: @escaping @Sendable (Domain) -> KeyUses, news: @escaping @Sendable (RotationNews) -> Void
    ) -> RotationEnvironment {
        RotationEnvironment(
            keys: { domain throws(KeyError) in try store.descriptions(of: domain) },
            add: { new throws(KeyError) in try store.add(new, box.policies, at: clock.now()) },
            update: { selector, domain, change throws(KeyError) in
                try store.update(store.known(selector), of: domain, change)
            },
            activate: { selector, domain, reason throws(KeyError) in
                try store.activate(
                    store.known(selector), of: domain, evidence: reason.evidence, isUnproven: reason.isForced,
                    KeyStore.Change(time: clock.now(), user: reason.user))
            },
            dispose: { selector, domain, fate throws(KeyError) in
                _ = try store.dispose(store.known(selector), of: domain, fate)
            },
            look: look, publish: { change in await publish(change, box.policies.publisher(of: change.domain)) },
            fixedSelectors: { domain, isEd25519 in
                let delegation = box.policies.publisher(of: domain)?.delegation
                return isEd25519 ? delegation?.ed25519Selectors : delegation?.rsaSelectors
            },
            settings: { box.policies.settings(of: $0) }, uses: uses, now: clock.now, tell: news)
    }
}

extension KeyStore {
    /// The keys of a domain.
    ///
    /// One that can't be understood is an error: who knows what it was doing.
    func descriptions(of domain: Domain) throws(KeyError) -> [KeyDescription] {
        var all: [KeyDescription] = []
        for entry in try keys(of: domain) { all.append(try entry.description.get()) }
        return all
    }

    /// A selector that was read from the store itself.
    fileprivate func known(_ text: String) throws(KeyError) -> Selector {
        guard let selector = Selector(text) else { throw KeyError("\(text) is no selector") }
        return selector
    }

    fileprivate func add(
        _ new: RotationEnvironment.NewKey, _ policies: RotationPolicies, at time: Timestamp
    ) throws(KeyError) -> KeyDescription {
        let key: SigningKey
        do throws(SigningKeyError) {
            key = try SigningKey.generate(new.algorithm.kind)
        } catch {
            throw KeyError("no key could be made: \(error)")
        }
        return try add(
            key, to: new.domain, selector: new.selector, template: policies.settings(of: new.domain).selectors,
            isDelegated: new.selector != nil, purpose: new.purpose, evidence: "generated for a rotation",
            Change(time: time, user: new.user))
    }
}
