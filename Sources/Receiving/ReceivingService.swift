// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc
package import Logging
package import Mail
package import NIOCore
package import NIOPosix
internal import SMTP
internal import ServiceLifecycle
internal import Synchronization

/// ReceivingService is in charge of the listeners: it binds them, gives every connection its session, and ends them
/// in order when the relay stops.
///
/// What becomes of a message is the intake's business.
package final class ReceivingService: Service, Sendable {
    private static let backlog: Int32 = 1024
    /// Octets of one read, so of what a session holds between the socket and the intake.
    private static let maximumReadOctets = 64 * 1024

    private typealias Waiting = CheckedContinuation<Result<[BoundListener], ReceivingError>, Never>

    private enum State {
        case idle([Waiting])
        case binding([Waiting])
        case bound([any Channel], [BoundListener])
        case failed(ReceivingError)
    }

    private let configuration: ReceivingConfiguration
    private let group: any EventLoopGroup
    private let register: SessionRegister
    private let terms: Mutex<SessionTerms>
    private let authenticator: Authenticator
    private let rates = RateLimiter()
    private let logger: Logger
    private let state = Mutex(State.idle([]))

    /// - Parameter threadPool: started, and stopped after this service; large contents are written on it, and
    ///   passwords checked.
    package init(
        configuration: ReceivingConfiguration, intake: any Intake, group: any EventLoopGroup,
        threadPool: NIOThreadPool, events: @escaping EventSink = { _ in }, logger: Logger
    ) {
        self.configuration = configuration
        self.group = group
        self.logger = logger
        let limits = configuration.limits
        register = SessionRegister(maximumSessions: limits.sessions, maximumPerAddress: limits.sessionsPerAddress)
        authenticator = Authenticator(threadPool: threadPool, events: events)
        let environment = SessionHandler.Environment(
            intake: intake, authenticator: authenticator, rates: rates, events: events, threadPool: threadPool,
            register: register, logger: logger,
            idleTime: TimeAmount(limits.idleTime), transactionTime: TimeAmount(limits.transactionTime))
        let session = ServerSession.Configuration(hostname: configuration.hostname, limits: limits)
        terms = Mutex(
            SessionTerms(
                environment: environment, session: session,
                bareLineFeeds: configuration.listeners.map(\.bareLineFeed)))
    }

    /// Holds new sessions to other limits; those that are open go on under the ones that they began with.
    package func replaceLimits(_ limits: ReceivingLimits) {
        register.replaceMaxima(sessions: limits.sessions, perAddress: limits.sessionsPerAddress)
        let session = ServerSession.Configuration(hostname: configuration.hostname, limits: limits)
        terms.withLock { terms in
            terms.environment.idleTime = TimeAmount(limits.idleTime)
            terms.environment.transactionTime = TimeAmount(limits.transactionTime)
            terms.session = session
        }
    }

    /// Lets in other applications; sessions that are open go on as who they are, by the rates of now.
    package func replaceApplications(_ applications: Applications) {
        authenticator.replace(applications)
        rates.replace(applications.rates)
    }

    /// Gives new sessions the other settings of their listeners.
    ///
    /// Where the service listens does not change: a listener that is new is left out, and one that is gone stays as it
    /// was.
    package func replaceListeners(_ listeners: [ListenerConfiguration]) {
        var unmatched = listeners
        terms.withLock { terms in
            for (number, listener) in configuration.listeners.enumerated() {
                let match = unmatched.firstIndex { $0.address == listener.address && $0.port == listener.port }
                if let match { terms.bareLineFeeds[number] = unmatched.remove(at: match).bareLineFeed }
            }
        }
    }

    /// How many sessions there are and were.
    package var sessionCounts: SessionCounts { register.counts }

    /// Where the service listens; empty before it does.
    package var listeners: [BoundListener] {
        state.withLock { if case .bound(_, let listeners) = $0 { listeners } else { [] } }
    }

    private var boundChannels: [any Channel] {
        state.withLock { if case .bound(let channels, _) = $0 { channels } else { [] } }
    }

    /// Listens until the shutdown, then lets transactions finish for `drainTime`.
    package func run() async throws {
        _ = try await bind()
        let channels = boundChannels
        let isShutdown = await withTaskGroup(of: Bool.self) { tasks in
            tasks.addTask {
                do {
                    try await gracefulShutdown()
                    await self.drain(for: self.configuration.drainTime)
                } catch {
                    await self.drain(for: .zero)
                }
                return true
            }
            for channel in channels {
                tasks.addTask {
                    try? await channel.closeFuture.get()
                    return false
                }
            }
            // A drain closes the listeners too, but only a listener that stops by itself does so before.
            let first = await tasks.next() ?? true
            let isShutdown = first || self.register.isDraining
            if !isShutdown { tasks.cancelAll() }
            return isShutdown
        }
        if !isShutdown { throw ReceivingError.listenerClosed }
    }
}

// MARK: Listening

extension ReceivingService {
    /// Binds the listeners, all or none; `run` does it if nobody did before.
    ///
    /// Sessions are served from now on.
    @discardableResult
    package func bind() async throws(ReceivingError) -> [BoundListener] {
        let isFirst = state.withLock { state in
            guard case .idle(let waiting) = state else { return false }
            state = .binding(waiting)
            return true
        }
        guard isFirst else { return try await listening() }
        var channels: [any Channel] = []
        let result: Result<[BoundListener], ReceivingError>
        do throws(ReceivingError) {
            for number in configuration.listeners.indices { channels.append(try await bind(listener: number)) }
            let bound = channels.map(BoundListener.init)
            for listener in bound { logger.info("Listening", metadata: ["listener": "\(listener)"]) }
            result = .success(bound)
        } catch {
            for channel in channels { channel.close(promise: nil) }
            result = .failure(error)
        }
        let (bound, binding) = (result, channels)
        let waiting: [Waiting] = state.withLock { state in
            defer {
                switch bound {
                case .success(let listeners): state = .bound(binding, listeners)
                case .failure(let error): state = .failed(error)
                }
            }
            if case .binding(let waiting) = state { return waiting }
            return []
        }
        for continuation in waiting { continuation.resume(returning: result) }
        return try result.get()
    }

    /// Waits until the listeners listen.
    package func listening() async throws(ReceivingError) -> [BoundListener] {
        let result: Result<[BoundListener], ReceivingError> = await withCheckedContinuation { continuation in
            let known: Result<[BoundListener], ReceivingError>? = state.withLock { state in
                switch state {
                case .idle(let others):
                    state = .idle(others + [continuation])
                    return nil
                case .binding(let others):
                    state = .binding(others + [continuation])
                    return nil
                case .bound(_, let listeners):
                    return .success(listeners)
                case .failed(let error):
                    return .failure(error)
                }
            }
            if let known { continuation.resume(returning: known) }
        }
        return try result.get()
    }

    /// - Parameter number: the listener's place in the configuration.
    private func bind(listener number: Int) async throws(ReceivingError) -> any Channel {
        let listener = configuration.listeners[number]
        let address: SocketAddress
        do {
            address = try SocketAddress(ipAddress: listener.address, port: listener.port)
        } catch {
            throw .notAnAddress(listener)
        }
        var bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: ReceivingService.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.serve(channel, of: number) }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // A client may end its side after QUIT, or even after its message, and still wait for replies.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 2048, initial: 8192, maximum: ReceivingService.maximumReadOctets))
        if case .v6 = address {
            // One listener, one address family: so 0.0.0.0 and :: can stand beside each other.
            bootstrap = bootstrap.serverChannelOption(.socket(IPPROTO_IPV6, IPV6_V6ONLY), value: 1)
        }
        do {
            return try await bootstrap.bind(to: address).get()
        } catch {
            throw ReceivingError(error, listener)
        }
    }

    /// Gives a new connection its session, or its refusal.
    private func serve(_ channel: any Channel, of listener: Int) throws {
        let peer = Peer(channel.remoteAddress)
        let refusal: Reply? =
            switch register.admit(channel, from: peer) {
            case .admitted: nil
            case .tooMany: .tooManySessions
            case .tooManyOfPeer: .tooManySessionsOfPeer
            case .draining: .shuttingDown
            }
        if let refusal {
            logger.info(
                "Session refused", metadata: ["peer": "\(peer.address ?? "?")", "reply": "\(refusal.lines[0])"])
        }
        var terms = terms.withLock { $0 }
        // No open door: who neither is on this machine nor claimed by an application has to authenticate.
        let applications = authenticator.applications
        terms.session.terms = applications.terms(of: peer)
        terms.session.maySubmit = applications.allowsUnclaimed(peer)
        terms.session.authentication = AuthenticationOffer(
            hasPasswords: applications.hasPasswords, hasCertificates: applications.hasCertificates,
            isLocal: peer.isLocal)
        terms.session.bareLineFeed = terms.bareLineFeeds[listener]
        let handler = SessionHandler(terms.environment, configuration: terms.session, peer: peer, refusal: refusal)
        try channel.pipeline.syncOperations.addHandler(handler)
        guard refusal == nil else { return }
        // Also for a connection that ends before it is active, of which the handler never hears.
        channel.closeFuture.whenComplete { [register] _ in register.remove(channel, from: peer) }
    }
}

// MARK: Draining

extension ReceivingService {
    /// Stops listening, ends idle sessions at once and the others after their transaction; whoever is left when
    /// `grace` is over is cut off.
    ///
    /// Returns when no session is left.
    package func drain(for grace: Duration) async {
        let sessions = register.drain()
        for channel in boundChannels { channel.close(promise: nil) }
        for channel in sessions { channel.pipeline.fireUserInboundEventTriggered(DrainEvent()) }
        let cut = group.next().scheduleTask(in: TimeAmount(grace)) { [register] in
            for channel in register.sessions { channel.close(promise: nil) }
        }
        await withCheckedContinuation { continuation in
            register.whenEmpty { continuation.resume() }
        }
        cut.cancel()
        logger.info("Stopped listening")
    }
}

/// What a new session is given.
private struct SessionTerms: Sendable {
    var environment: SessionHandler.Environment
    var session: ServerSession.Configuration
    /// One for each listener of the configuration.
    var bareLineFeeds: [BareLineFeed]
}

extension ServerSession.Configuration {
    fileprivate init(hostname: String, limits: ReceivingLimits) {
        self.init(
            hostname: hostname, maximumMessageOctets: limits.messageOctets, maximumRecipients: limits.recipients,
            maximumCommandOctets: limits.commandLineOctets, maximumErrors: limits.errors, maySubmit: false)
    }
}

extension BoundListener {
    fileprivate init(_ channel: any Channel) {
        self.init(address: channel.localAddress?.ipAddress ?? "?", port: channel.localAddress?.port ?? 0)
    }
}
