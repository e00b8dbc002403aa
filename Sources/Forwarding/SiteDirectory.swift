// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS
internal import Mail
internal import NIOCore
internal import Synchronization

/// The sites that mail went to of late, found by route and next hops; and for each recipient domain, for a short
/// time, which next hops it has.
final class SiteDirectory: Sendable {
    struct Key: Hashable {
        var route: Route
        var target: SiteTarget
    }

    private struct DomainKey: Hashable {
        var route: Route
        var domain: Domain
    }

    private struct State {
        var sites: [Key: Site] = [:]
        var domains: [DomainKey: (site: Site, expiry: NIODeadline)] = [:]
        var isStopping = false
    }

    /// More sites than this, and those without work are forgotten.
    private static let sweepThreshold = 1000
    /// How long the MX hosts of a domain are taken for known.
    ///
    /// The resolver caches by TTL; this only spares the messages of a burst a question each.
    private static let domainLifetime = TimeAmount.seconds(30)

    private let state = Mutex(State())
    private let maximumBackOff: TimeAmount
    private let connect: @Sendable (Site) -> Void

    init(maximumBackOff: TimeAmount, connect: @escaping @Sendable (Site) -> Void) {
        self.maximumBackOff = maximumBackOff
        self.connect = connect
    }

    func site(_ route: Route, _ target: SiteTarget) -> Site {
        state.withLock { site(route, target, &$0) }
    }

    private func site(_ route: Route, _ target: SiteTarget, _ state: inout State) -> Site {
        let key = Key(route: route, target: target)
        if let site = state.sites[key] { return site }
        if state.sites.count >= SiteDirectory.sweepThreshold {
            let now = NIODeadline.now()
            state.domains = state.domains.filter { $0.value.expiry > now }
            let known = Set(state.domains.values.map { ObjectIdentifier($0.site) })
            state.sites = state.sites.filter { key, site in
                // The site of a smarthost lives as long as its route.
                if case .smarthost = key.target { return true }
                return !site.isForgettable(now) || known.contains(ObjectIdentifier(site))
            }
        }
        let site = Site(route: route, target: target, maximumBackOff: maximumBackOff, connect: connect)
        if state.isStopping { site.stop() }
        state.sites[key] = site
        return site
    }

    /// The site of a domain, if its MX hosts were looked up a moment ago.
    func knownSite(_ route: Route, _ domain: Domain, now: NIODeadline = .now()) -> Site? {
        state.withLock { state in
            guard let known = state.domains[DomainKey(route: route, domain: domain)], known.expiry > now else {
                return nil
            }
            return known.site
        }
    }

    /// The site of a domain with these MX hosts.
    func learn(_ route: Route, _ domain: Domain, hosts: [MXRecord], port: Int, now: NIODeadline = .now()) -> Site {
        state.withLock { state in
            let site = site(route, .mx(hosts: hosts, port: port), &state)
            if state.domains.count >= SiteDirectory.sweepThreshold {
                state.domains = state.domains.filter { $0.value.expiry > now }
            }
            if state.domains.count < SiteDirectory.sweepThreshold {
                state.domains[DomainKey(route: route, domain: domain)] = (site, now + SiteDirectory.domainLifetime)
            }
            return site
        }
    }

    func stop() {
        let sites = state.withLock { state in
            state.isStopping = true
            return Array(state.sites.values)
        }
        for site in sites { site.stop() }
    }

    /// Takes from the site that most mail waits for a part of it.
    func shed() {
        let sites = state.withLock { Array($0.sites.values) }
        let queues = sites.map { (site: $0, length: $0.waitingCount) }
        if let longest = queues.max(by: { $0.length < $1.length }), longest.length > 0 { longest.site.shed() }
    }

    func abandon() {
        for site in state.withLock({ Array($0.sites.values) }) { site.abandon() }
    }

    var siteCount: Int { state.withLock { $0.sites.count } }

    var connectionCount: Int {
        state.withLock { Array($0.sites.values) }.reduce(0) { $0 + $1.connectionCount }
    }
}
