// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Logging
import Mail
import Reporting
import Signing
import Spooling
import Synchronization

/// KeyKeeper is in charge of what follows from keys that change in a running relay: the ring signs with what is on disk
/// from then on, mail that waited for a key leaves, and Reporting hears of it.
final class KeyKeeper: Sendable {
    let ring: KeyRing
    let rotator: Rotator
    let rotation: RotationService
    let commands: KeyCommands
    private let news: KeyNews

    init(
        _ configuration: Configuration, resolver: UnboundResolver, spool: Spool, clock: WallClock, reporter: Reporter,
        logger: Logger
    ) throws(ConfigurationError) {
        let policies = try configuration.rotationPolicies()
        let store = KeyStore(
            directory: configuration.resolve(configuration.keys.directory),
            passphrase: try configuration.keyPassphrase())
        let ring = KeyRing(
            store: store, credentials: CredentialKeys(directory: SecretFile.credentialsDirectory),
            policies: configuration.signingPolicies, rotation: policies, logger: logger)
        let news = KeyNews(ring: ring, reporter: reporter)
        self.ring = ring
        self.news = news
        rotator = Rotator(
            store: store, clock: clock, policies: policies, configuration, resolver: resolver,
            uses: { KeyUses(spool.keyUses(of: $0)) }, news: { news.take($0) })
        rotation = RotationService(
            rotator: rotator, logger: logger,
            reviewed: { reporter.setKeyGauges(held: news.heldDomains, drifted: $0) })
        commands = KeyCommands(
            rotator: rotator, policies: { ring.policies }, readOnlyKeys: { ring.readOnlyKeys })
        news.reviewAll()
    }

    /// What is to be done when mail that waited may leave.
    func whenReleased(_ action: @escaping @Sendable () -> Void) {
        news.whenReleased(action)
    }

    /// Takes other settings over.
    func replace(_ policies: RotationPolicies, signing: SigningPolicies) {
        rotator.replace(policies)
        ring.reload(policies: signing, rotation: policies)
        news.reviewAll()
        rotation.reconsiderAll()
    }

    func perform(_ request: KeyRequest) async -> KeyResponse {
        let response = await commands.perform(request)
        for domain in (response.changedDomains ?? []).compactMap({ Domain($0) }) {
            news.take(.changed(domain))
            rotation.reconsider(domain)
        }
        return response
    }

    /// Somebody else changed the key directory.
    func reload() {
        ring.reload()
        news.reviewAll()
        rotation.reconsiderAll()
    }

    var status: StatusDocument.Keys {
        StatusDocument.Keys(
            held: Dictionary(uniqueKeysWithValues: ring.holds.map { ($0.key.name, $0.value) }),
            drifted: rotation.driftedRecords, rotating: rotation.rotatingDomains)
    }
}

/// KeyNews is in charge of passing on what happens to keys, each thing once.
final class KeyNews: Sendable {
    private let ring: KeyRing
    private let reporter: Reporter
    private let state = Mutex(State())

    private struct State {
        var held: Set<Domain> = []
        var released: (@Sendable () -> Void)?
    }

    init(ring: KeyRing, reporter: Reporter) {
        self.ring = ring
        self.reporter = reporter
    }

    func whenReleased(_ action: @escaping @Sendable () -> Void) {
        state.withLock { $0.released = action }
    }

    /// How many domains' mail waits for a key.
    var heldDomains: Int { state.withLock { $0.held.count } }

    func take(_ news: RotationNews) {
        switch news {
        case .changed(let domain):
            ring.reload(domain)
            review([domain])
        case .moved(let domain, let selector, let from, let to, let reason):
            reporter.report(
                .keyChanged(sdid: domain, selector: selector, from: from?.rawValue, to: to.rawValue, reason: reason))
        case .drifted(let domain, let selector, let reason):
            reporter.report(.keyDrifted(sdid: domain, selector: selector, reason: reason))
        case .recovered(let domain, let selector):
            reporter.report(.keyRecovered(sdid: domain, selector: selector))
        case .notAsked(let domain, let selector, let reason):
            reporter.report(.keyCheckFailed(sdid: domain, selector: selector, reason: reason))
        case .publicationFailed(let domain, let selector, let reason):
            reporter.report(.publicationFailed(domain: domain, selector: selector, reason: reason))
        case .operatorNeeded(let domain, let selector, let text):
            let first = text.split(separator: "\n").first ?? ""
            reporter.report(.rotationWaits(domain: domain, for: "\(selector): \(first)"))
        }
    }

    /// Which domains' mail waits now, and which no longer does.
    func reviewAll() {
        review(state.withLock { $0.held }.union(ring.holds.keys))
    }

    private func review(_ domains: Set<Domain>) {
        for domain in domains {
            // Asked under the lock: of two reviews at once the later one has the last word.
            let (hold, wasHeld): (String?, Bool) = state.withLock { state in
                guard case .held(let reason) = ring.signability(of: domain) else {
                    return (nil, state.held.remove(domain) != nil)
                }
                return (reason, !state.held.insert(domain).inserted)
            }
            if let hold, !wasHeld { reporter.report(.departureHeld(domain: domain, reason: hold)) }
            if hold == nil, wasHeld { reporter.report(.departureReleased(domain: domain)) }
        }
        state.withLock { $0.released }?()
    }
}

extension Rotator {
    /// Over the real DNS, and publishers of the configuration.
    convenience init(
        store: KeyStore, clock: WallClock, policies: RotationPolicies, _ configuration: Configuration,
        resolver: UnboundResolver, uses: @escaping @Sendable (Domain) -> KeyUses,
        news: @escaping @Sendable (RotationNews) -> Void = { _ in }
    ) {
        let prover = KeyProver(resolver: resolver, servers: configuration.authoritativeServers)
        let directory = store.directory
        self.init(
            store: store, clock: clock, policies: policies, look: { await prover.look(at: $0) },
            publish: { change, settings in
                await Publisher(settings, keyDirectory: directory).carryOut(change)
            }, uses: uses, news: news)
    }
}

extension KeyUses {
    init(_ uses: [KeyUse]) {
        var last: [Key: Int64] = [:]
        for use in uses {
            last[Key(sdid: use.sdid, selector: use.selector)] = use.time.seconds + 1 + KeyUse.granularitySeconds
        }
        self.init(last: last)
    }
}
