// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

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
    static let backlog: Int32 = 1024
    /// Octets of one read, so of what a session holds between the socket and the intake.
    static let maximumReadOctets = 64 * 1024

    private typealias Waiting = CheckedContinuation<Result<[BoundListener], ReceivingError>, Never>

    private enum State {
        case idle([Waiting])
        case binding([Waiting])
        case bound([OpenListener])
        case failed(ReceivingError)
    }

    let configuration: ReceivingConfiguration
    let group: any EventLoopGroup
    let register: SessionRegister
    let terms: Mutex<SessionTerms>
    let authenticator: Authenticator
    let rates = RateLimiter()
    let logger: Logger
    /// The listening sockets that the service manager opened, by their names.
    let passedIn: [String: [Int32]]
    let tls: ServerTLS
    private let state = Mutex(State.idle([]))

    /// - Parameters:
    ///   - tls: set up before a listener with TLS gets its first connection.
    ///   - passedIn: each is listened on at most once, and closed at the end.
    ///   - threadPool: started, and stopped after this service; large contents are written on it, and passwords checked.
    package init(
        configuration: ReceivingConfiguration, tls: ServerTLS? = nil, passedIn: [String: [Int32]] = [:],
        intake: any Intake, group: any EventLoopGroup, threadPool: NIOThreadPool,
        events: @escaping EventSink = { _ in }, logger: Logger
    ) {
        self.configuration = configuration
        self.passedIn = passedIn
        self.tls = tls ?? ServerTLS(hostname: configuration.hostname)
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
        terms = Mutex(SessionTerms(environment: environment, session: session, listeners: configuration.listeners))
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
                let match = unmatched.firstIndex { $0.place == listener.place }
                if let match { terms.listeners[number] = unmatched.remove(at: match) }
            }
        }
    }

    /// How many sessions there are and were.
    package var sessionCounts: SessionCounts { register.counts }

    /// Where the service listens; empty before it does.
    package var listeners: [BoundListener] {
        state.withLock { if case .bound(let open) = $0 { open.map(\.bound) } else { [] } }
    }

    private var openListeners: [OpenListener] {
        state.withLock { if case .bound(let open) = $0 { open } else { [] } }
    }

    /// Listens until the shutdown, then lets transactions finish for `drainTime`.
    package func run() async throws {
        _ = try await bind()
        let channels = openListeners.map(\.channel)
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
        var open: [OpenListener] = []
        let result: Result<[OpenListener], ReceivingError>
        do throws(ReceivingError) {
            for number in configuration.listeners.indices { open += try await bind(listener: number) }
            for listener in open { logger.info("Listening", metadata: ["listener": "\(listener.bound)"]) }
            result = .success(open)
        } catch {
            for listener in open { listener.close() }
            result = .failure(error)
        }
        let waiting: [Waiting] = state.withLock { state in
            defer {
                switch result {
                case .success(let open): state = .bound(open)
                case .failure(let error): state = .failed(error)
                }
            }
            if case .binding(let waiting) = state { return waiting }
            return []
        }
        let bound = result.map { $0.map(\.bound) }
        for continuation in waiting { continuation.resume(returning: bound) }
        return try bound.get()
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
                case .bound(let open):
                    return .success(open.map(\.bound))
                case .failed(let error):
                    return .failure(error)
                }
            }
            if let known { continuation.resume(returning: known) }
        }
        return try result.get()
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
        for listener in openListeners { listener.close() }
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
struct SessionTerms: Sendable {
    var environment: SessionHandler.Environment
    var session: ServerSession.Configuration
    /// As the service was made with them, but with settings that may be newer.
    var listeners: [ListenerConfiguration]
}

extension ServerSession.Configuration {
    fileprivate init(hostname: String, limits: ReceivingLimits) {
        self.init(
            hostname: hostname, maximumMessageOctets: limits.messageOctets, maximumRecipients: limits.recipients,
            maximumCommandOctets: limits.commandLineOctets, maximumErrors: limits.errors, maySubmit: false)
        local = LocalNames(limits.localDomain)
    }
}
