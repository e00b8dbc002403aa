// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import DNS
package import Logging
package import Mail
package import NIOCore
package import NIOPosix
internal import ServiceLifecycle
package import Spooling
internal import Synchronization

/// `Forwarder` is in charge of getting the queue out: it claims what is due, as much as its budget allows, and
/// every message it claimed ends recorded in the spool or released.
package final class Forwarder: Service, Sendable {
    private let environment: ForwardingEnvironment
    private let spool: Spool
    private let budget: InFlightBudget
    private let sites: SiteDirectory
    private let dispatcher: Dispatcher
    /// Whether what waits for a key has not been looked at with these routes by the clock: at the start what an earlier
    /// daemon left, which may have had others.
    private let hasNewRoutes = Atomic(true)

    /// - Parameter threadPool: started, and running until `run` has returned.
    package init(
        configuration: ForwarderConfiguration, spool: Spool, signer: any DepartureSigner, intake: any Intake,
        resolver: any DNS.Resolver, eventLoopGroup: any EventLoopGroup, threadPool: NIOThreadPool, clock: WallClock,
        randomness: Randomness = .system, events: @escaping EventSink, logger: Logger
    ) {
        self.spool = spool
        let environment = ForwardingEnvironment(
            configuration: configuration, retry: RetrySetting(configuration.retry), eventLoopGroup: eventLoopGroup,
            threadPool: threadPool, clock: clock,
            randomness: randomness, events: events, logger: logger, signer: signer, intake: intake,
            finder: MXFinder(
                resolver: resolver, hostname: configuration.hostname.lowercased(), randomness: randomness),
            tls: TLSContexts(),
            queue: QueueAccess(
                record: { record, completion in spool.record(record, completion: completion) },
                release: { spool.release($0) }))
        self.environment = environment
        let parts = ForwardingParts(environment)
        self.budget = parts.budget
        self.sites = parts.sites
        self.dispatcher = parts.dispatcher
    }

    /// Takes other routes from the next claimed message on.
    package func replaceRoutes(_ routes: RoutingTable) {
        let isChanged = dispatcher.replaceRoutes(routes)
        // What is judged by the old ones at this moment can come to wait after this look; for that there is the next.
        if isChanged { hasNewRoutes.store(true, ordering: .relaxed) }
        retryUnsignable(afterNewRoutes: isChanged)
    }

    /// The capture in force; nil in ordinary life.
    package var capture: Capture? { environment.capture.current.capture }

    /// Sends what waited for a key, where there is one now.
    ///
    /// To be called when keys or what is said of them have changed, so that such mail leaves at once.
    ///
    /// Messages that wait for a key are not tried again by the clock, each for itself: 100,000 of them would be read,
    /// judged and written down again and again. Only the signer is asked, once a minute, about each author domain that
    /// some wait for; which takes a microsecond each, and nothing at all as long as none waits. If the answer is yes,
    /// the spool gives them out, a page at a time. So nobody has to remember to call this for mail to leave in the end.
    package func retryUnsignable() {
        retryUnsignable(afterNewRoutes: false)
    }

    /// - Parameter afterNewRoutes: the routes are others than those that the mail was judged by, or may be; one that
    ///   needs no key may be among them. Which recipients it is for is known only when their messages are read.
    private func retryUnsignable(afterNewRoutes: Bool) {
        let isForAll = afterNewRoutes && dispatcher.hasUnsignedRoute
        for domain in spool.unsignableDomains where isForAll || environment.signer.hindrance(of: domain) == nil {
            spool.retry(authorDomain: domain)
        }
    }

    /// Defers by another schedule from the next recorded attempt on.
    package func replaceRetry(_ retry: RetrySchedule) {
        environment.retry.replace(retry)
    }

    /// Connections that are open or being opened.
    package var connectionCount: Int { sites.connectionCount }

    /// Claims and delivers until graceful shutdown, then lets current transactions end.
    package func run() async throws {
        let watch = environment.eventLoopGroup.next().scheduleRepeatedTask(
            initialDelay: Forwarder.stuckTime, delay: Forwarder.stuckTime
        ) { [budget, sites] _ in
            // A next hop that answers slowly must not keep everybody else's mail waiting.
            if budget.isStuck() { sites.shed() }
        }
        let retries = environment.eventLoopGroup.next().scheduleRepeatedTask(
            initialDelay: .zero, delay: Forwarder.keyInterval
        ) { [weak self] _ in
            guard let self else { return }
            retryUnsignable(afterNewRoutes: hasNewRoutes.exchange(false, ordering: .relaxed))
        }
        defer {
            watch.cancel()
            retries.cancel()
        }
        await cancelWhenGracefulShutdown {
            await withTaskCancellationHandler {
                await self.claimAndDispatch()
            } onCancel: {
                self.budget.close()
            }
        }
        await shutDown()
    }

    private func claimAndDispatch() async {
        while !Task.isCancelled {
            guard let share = await budget.room() else { return }
            let messages = await spool.claim(
                maximumMessages: share.messages, maximumOctets: share.octets, maximumRecipients: share.recipients)
            if messages.isEmpty { return }
            for message in messages {
                if Task.isCancelled { spool.release(message.queueID) } else { dispatcher.dispatch(message) }
            }
        }
    }

    /// Gives back what has not begun, waits for what has, and after the grace closes what is left.
    private func shutDown() async {
        sites.stop()
        let grace = environment.configuration.limits.shutdownGraceSeconds
        await waitUntilDrained(seconds: grace)
        if budget.messagesInFlight > 0 {
            environment.logger.warning(
                "Transactions did not end in time and are broken off",
                metadata: ["messages": "\(budget.messagesInFlight)"])
            sites.abandon()
            await waitUntilDrained(seconds: Forwarder.recordingSeconds)
        }
        // What said QUIT gets the time to be heard.
        for _ in 0..<Forwarder.farewellPolls where sites.connectionCount > 0 {
            await Forwarder.pause()
        }
        sites.abandon()
    }

    /// So long nothing may be claimed for want of room, before the longest queue makes some.
    private static let stuckTime = TimeAmount.seconds(10)
    /// How often is looked whether there is a key for what waits for one.
    private static let keyInterval = TimeAmount.seconds(60)
    /// For results of broken transactions to reach the spool.
    private static let recordingSeconds = 3
    private static let pollsPerSecond = 20
    private static let farewellPolls = 10

    private func waitUntilDrained(seconds: Int) async {
        for _ in 0..<seconds * Forwarder.pollsPerSecond where budget.messagesInFlight > 0 {
            await Forwarder.pause()
        }
    }

    /// Also in a cancelled task, where `Task.sleep` would return at once.
    private static func pause() async {
        await Task.detached { try? await Task.sleep(for: .milliseconds(1000 / pollsPerSecond)) }.value
    }
}

/// The parts of Forwarding, put together.
struct ForwardingParts {
    let budget: InFlightBudget
    let sites: SiteDirectory
    let dispatcher: Dispatcher

    init(_ environment: ForwardingEnvironment) {
        let configuration = environment.configuration
        let budget = InFlightBudget(configuration.limits)
        let connector = Connector(environment: environment)
        // Left alone no longer than a message waits for its first retry.
        let sites = SiteDirectory(maximumBackOff: .milliseconds(configuration.retry.firstMilliseconds)) { site in
            Task { await connector.connect(site) }
        }
        let recorder = AttemptRecorder(
            environment: environment,
            bouncer: Bouncer(
                intake: environment.intake, threadPool: environment.threadPool, hostname: configuration.hostname,
                randomness: environment.randomness, events: environment.events, logger: environment.logger),
            budget: budget)
        self.budget = budget
        self.sites = sites
        self.dispatcher = Dispatcher(environment, recorder: recorder, budget: budget, sites: sites)
    }
}
