// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS
internal import Mail
internal import NIOCore
internal import NIOPosix
internal import Spooling
internal import Synchronization

/// `Dispatcher` is in charge of a claimed message up to its connection: which recipients go which way, signed for that
/// way, handed to its site.
///
/// On the way to a smarthost it costs one hop to a signing thread and no task.
final class Dispatcher: Sendable {
    /// A route, and for a smarthost its one site.
    private struct Entry: Sendable {
        let route: Route
        let site: Site?
    }

    private struct Table: Sendable {
        let routing: RoutingTable
        let entries: [Entry]

        /// The place of the route that the message asks for, else of the first for the recipient; nil if there is none.
        func index(for recipient: Mailbox, _ options: MessageOptions) -> Int? {
            guard let name = options.route else { return routing.index(for: recipient) }
            return routing.routes.firstIndex { $0.name == name }
        }
    }

    private let environment: ForwardingEnvironment
    private let recorder: AttemptRecorder
    private let budget: InFlightBudget
    private let sites: SiteDirectory
    private let table: Mutex<Table>

    init(
        _ environment: ForwardingEnvironment, recorder: AttemptRecorder, budget: InFlightBudget, sites: SiteDirectory
    ) {
        self.environment = environment
        self.recorder = recorder
        self.budget = budget
        self.sites = sites
        self.table = Mutex(Dispatcher.table(environment.configuration.routes, sites))
    }

    /// Whether they are others than before.
    func replaceRoutes(_ routing: RoutingTable) -> Bool {
        let new = Dispatcher.table(routing, sites)
        return table.withLock { table in
            let isChanged = table.routing != new.routing
            table = new
            return isChanged
        }
    }

    /// Whether some mail leaves unsigned, and so needs no key.
    var hasUnsignedRoute: Bool {
        table.withLock { $0.routing.routes.contains(where: \.signing.isUnsigned) }
    }

    private static func table(_ routing: RoutingTable, _ sites: SiteDirectory) -> Table {
        let entries = routing.routes.map { route -> Entry in
            guard case .smarthost(let host, let port) = route.target else { return Entry(route: route, site: nil) }
            return Entry(route: route, site: sites.site(route, .smarthost(host: host, port: port)))
        }
        return Table(routing: routing, entries: entries)
    }

    /// Takes charge of a claimed message.
    func dispatch(_ claimed: ClaimedMessage) {
        budget.take(claimed)
        let recorder = recorder
        let message = MessageInFlight(claimed, budget: budget) { message, report in
            recorder.finished(message, report)
        }
        let table = table.withLock { $0 }
        let expired = claimed.expired(at: environment.clock.now())
        // Most messages have one recipient, and then there is nothing to group.
        if claimed.recipients.count == 1, claimed.recipients[0].failure == nil, expired == nil {
            return dispatch(message, [0], by: table.index(for: claimed.recipients[0].mailbox, claimed.options), table)
        }
        var groups: [Int?: [Int]] = [:]
        var failed: [(position: Int, diagnostic: Diagnostic)] = []
        for (position, recipient) in claimed.recipients.enumerated() {
            if let failure = recipient.failure ?? expired {
                failed.append((position, failure))
            } else {
                groups[table.index(for: recipient.mailbox, claimed.options), default: []].append(position)
            }
        }
        for (index, positions) in groups { dispatch(message, positions, by: index, table) }
        // What failed before is only to be reported, not to be tried; and what has expired, too.
        for (position, diagnostic) in failed { message.settle(position, .failed(diagnostic)) }
    }

    private func dispatch(_ message: MessageInFlight, _ positions: [Int], by index: Int?, _ table: Table) {
        guard let index else {
            return message.settle(positions, RoutingFault.noRoute(message.claimed.options).outcome)
        }
        let entry = table.entries[index]
        if let hindrance = environment.hindrance(of: message, on: entry.route) {
            return message.settle(positions, hindrance)
        }
        if message.claimed.options.isTest { return test(message, positions, entry.route) }
        switch entry.route.target {
        case .capture(let directory):
            capture(message, positions, entry.route, directory)
        case .smarthost(let host, _):
            guard let site = entry.site else { return message.giveBack(positions) }
            sign(message, positions, nextHop(entry.route, .smarthost, host), for: site)
        case .mx(let port):
            var domains: [Domain?: [Int]] = [:]
            for position in positions {
                domains[message.claimed.recipients[position].mailbox.domain, default: []].append(position)
            }
            for (domain, positions) in domains { find(domain, port, message, positions, entry.route) }
        }
    }

    /// Finds the site of a domain; only here, where DNS has to be asked, a task is made.
    private func find(_ domain: Domain?, _ port: Int, _ message: MessageInFlight, _ positions: [Int], _ route: Route) {
        guard let domain else {
            // RFC 5321 §4.1.3 leaves it to us. Nothing on the Internet needs them, and they lead past the DNS.
            let fault = RoutingFault.failed(1, 2, "mail is not sent to address literals", .recipient)
            return message.settle(positions, fault.outcome)
        }
        if let site = sites.knownSite(route, domain) {
            return sign(message, positions, nextHop(route, domain, site), for: site)
        }
        Task {
            do throws(RoutingFault) {
                let hosts = try await environment.finder.hosts(of: domain)
                let site = sites.learn(route, domain, hosts: hosts, port: port)
                sign(message, positions, nextHop(route, domain, site), for: site)
            } catch {
                message.settle(positions, error.outcome)
            }
        }
    }

    private func nextHop(_ route: Route, _ kind: NextHop.Kind, _ host: String) -> NextHop {
        NextHop(kind: kind, host: host.lowercased(), signing: route.signing)
    }

    private func nextHop(_ route: Route, _ domain: Domain, _ site: Site) -> NextHop {
        var nextHop = nextHop(route, .mx, domain.name)
        // Whatever the recipients' domain is called: hosts of Amazon take one signature.
        if case .mx(let hosts, _) = site.target, hosts.contains(where: { RouteProfile.ses.isAt($0.host) }) {
            nextHop.signing.profile = .ses
        }
        return nextHop
    }

    /// Signs on a thread that may take its time, then hands the deliveries to the site.
    private func sign(_ message: MessageInFlight, _ positions: [Int], _ nextHop: NextHop, for site: Site) {
        // Signing is the dearest thing here; not for a next hop that is down.
        if site.isBackingOff() {
            return message.settle(positions, .deferred(Site.leftAlone))
        }
        let environment = environment
        environment.threadPool.submit { state in
            guard case .active = state else { return message.giveBack(positions) }
            // A site whose hosts are known to lack 8BITMIME gets what they take at once.
            let form: DepartureForm =
                site.route.encodesEightBit ? .sevenBit : site.lacksEightBit ? .sevenBitIfPossible : .stored
            do throws(DepartureFault) {
                let content = try environment.depart(message, for: nextHop, as: form)
                let limit = site.route.maximumRecipients
                var rest = positions[...]
                while !rest.isEmpty {
                    site.submit(Delivery(message: message, positions: Array(rest.prefix(limit)), content: content))
                    rest = rest.dropFirst(limit)
                }
            } catch {
                message.settle(positions, error)
            }
        }
    }

    /// Signs as for the route, and tells what is to be known of it; nothing leaves.
    private func test(_ message: MessageInFlight, _ positions: [Int], _ route: Route) {
        let kind: NextHop.Kind =
            switch route.target {
            case .smarthost: .smarthost
            case .mx: .mx
            case .capture: .capture
            }
        let host = if case .smarthost(let host, _) = route.target { host } else { route.name }
        let (environment, nextHop) = (environment, nextHop(route, kind, host))
        environment.threadPool.submit { state in
            guard case .active = state else { return message.giveBack(positions) }
            do throws(DepartureFault) {
                let content = try environment.depart(
                    message, for: nextHop, as: route.encodesEightBit ? .sevenBit : .stored)
                message.settle(positions, .delivered(.tested(route, content)), fields: content.keptFields)
            } catch {
                message.settle(positions, error)
            }
        }
    }

    private func capture(_ message: MessageInFlight, _ positions: [Int], _ route: Route, _ directory: String) {
        let (environment, nextHop) = (environment, nextHop(route, .capture, route.name))
        environment.threadPool.submit { state in
            guard case .active = state else { return message.giveBack(positions) }
            do throws(DepartureFault) {
                let content = try environment.depart(
                    message, for: nextHop, as: route.encodesEightBit ? .sevenBit : .stored)
                let writer = CaptureWriter(directory: directory)
                let outcome = writer.write(message.claimed, positions: positions, content: content)
                message.settle(positions, outcome, fields: content.keptFields)
            } catch {
                message.settle(positions, error)
            }
        }
    }
}
