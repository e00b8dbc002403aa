// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import SMTP
internal import Synchronization

/// A socket that listens, and what is to be tidied up after it.
struct OpenListener: Sendable {
    var channel: any Channel
    var bound: BoundListener
    var file: UnixSocketFile?

    func close() {
        // First the name: whoever finds it still meets a listener.
        file?.remove()
        channel.close(promise: nil)
    }
}

// MARK: Opening

extension ReceivingService {
    /// One socket, or as many as the service manager passed in by one name.
    ///
    /// - Parameter number: the listener's place in the configuration.
    func bind(listener number: Int) async throws(ReceivingError) -> [OpenListener] {
        let place = configuration.listeners[number].place
        switch place {
        case .address(let text, let port):
            guard let address = try? SocketAddress(ipAddress: text, port: port) else { throw .notAnAddress(text) }
            var bootstrap = bootstrap(for: number)
            if case .v6 = address {
                // One listener, one address family: so 0.0.0.0 and :: can stand beside each other.
                bootstrap = bootstrap.serverChannelOption(.socket(IPPROTO_IPV6, IPV6_V6ONLY), value: 1)
            }
            return [try await open(place) { try await bootstrap.bind(to: address).get() }]
        case .unixSocket(let socket):
            let file = try UnixSocketFile(socket)
            do throws(ReceivingError) {
                let bootstrap = bootstrap(for: number)
                var listener = try await open(place) { try await bootstrap.withBoundSocket(file.descriptor).get() }
                listener.file = file
                listener.bound = BoundListener(address: socket.path, port: 0)
                return [listener]
            } catch {
                file.remove()
                throw error
            }
        case .passedIn(let name):
            guard let descriptors = passedIn[name], !descriptors.isEmpty else { throw .notPassedIn(name: name) }
            var listeners: [OpenListener] = []
            for descriptor in descriptors {
                guard ReceivingService.isListening(descriptor) else { throw .notListening(name: name) }
                let bootstrap = bootstrap(for: number)
                listeners.append(try await open(place) { try await bootstrap.withBoundSocket(descriptor).get() })
            }
            return listeners
        }
    }

    private func open(
        _ place: ListenerConfiguration.Place, _ bind: () async throws -> any Channel
    ) async throws(ReceivingError) -> OpenListener {
        do {
            let channel = try await bind()
            return OpenListener(channel: channel, bound: BoundListener(channel))
        } catch {
            throw ReceivingError(error, place)
        }
    }

    /// Whether a descriptor is a stream socket that listens.
    private static func isListening(_ descriptor: Int32) -> Bool {
        func option(_ name: Int32) -> Int32? {
            var value: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            return unsafe getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
        }
        return option(SO_TYPE) == Int32(SOCK_STREAM.rawValue) && option(SO_ACCEPTCONN) == 1
    }

    private func bootstrap(for number: Int) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: ReceivingService.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in self.accept(channel, of: number) }
            // Without meaning on Unix sockets, where it is left out.
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // A client may end its side after QUIT, or even after its message, and still wait for replies.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 2048, initial: 8192, maximum: ReceivingService.maximumReadOctets))
    }
}

// MARK: Accepting

extension ReceivingService {
    /// Finds out who connected, and gives the connection its session.
    private func accept(_ channel: any Channel, of number: Int) -> EventLoopFuture<Void> {
        let terms = terms.withLock { $0 }
        let listener = terms.listeners[number]
        if channel.localAddress?.protocol == .unix {
            return Peer.onUnixSocket(channel).flatMapThrowing { peer in
                try self.serve(channel, peer, terms, listener, self.refusal(of: peer, channel))
            }
        }
        let peer = Peer(channel.remoteAddress)
        return channel.eventLoop.makeCompletedFuture {
            guard !listener.proxies.isEmpty else {
                return try self.serve(channel, peer, terms, listener, self.refusal(of: peer, channel))
            }
            // Whoever else comes here would tell us who he is.
            guard let address = peer.address, listener.proxies.contains(where: { $0.contains(address) }) else {
                logger.info("Connection refused: not from a proxy", metadata: ["peer": "\(peer)"])
                return channel.close(promise: nil)
            }
            try awaitProxy(channel, peer, terms, listener)
        }
    }

    private func awaitProxy(
        _ channel: any Channel, _ proxy: Peer, _ terms: SessionTerms, _ listener: ListenerConfiguration
    ) throws {
        // Counted from the start, so that a shutdown reaches it and silent ones are not without limit.
        guard register.admit(channel, from: proxy) == .admitted else { return channel.close(promise: nil) }
        channel.closeFuture.whenComplete { [register] _ in register.remove(channel) }
        let handler = ProxyHeaderHandler { header in
            let peer = proxy.speakingFor(header)
            let refusal = ReceivingService.refusal(self.register.move(channel, to: peer))
            try self.serve(channel, peer, terms, listener, refusal)
        }
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    /// Gives a new connection its session, or its refusal.
    private func serve(
        _ channel: any Channel, _ peer: Peer, _ terms: SessionTerms, _ listener: ListenerConfiguration,
        _ refusal: Reply?
    ) throws {
        if let refusal {
            logger.info("Session refused", metadata: ["peer": "\(peer)", "reply": "\(refusal.lines[0])"])
        }
        var session = terms.session
        // No open door: who neither is on this machine nor claimed by an application has to authenticate.
        let applications = authenticator.applications
        session.terms = applications.terms(of: peer)
        session.maySubmit = applications.allowsUnclaimed(peer)
        session.authentication = AuthenticationOffer(
            hasPasswords: applications.hasPasswords, hasCertificates: applications.hasCertificates,
            isLocal: peer.isLocal)
        if !peer.isLocal { session.local = nil }
        session.bareLineFeed = listener.bareLineFeed
        session.offersStartTLS = listener.security == .startTLS
        var tls: SessionTLS?
        if listener.security != .none {
            let isImplicit = listener.security == .implicit
            tls = SessionTLS(tls: self.tls, authority: listener.clientAuthority, isImplicit: isImplicit)
            if isImplicit {
                let handler = try self.tls.handler(authority: listener.clientAuthority)
                try channel.pipeline.syncOperations.addHandler(handler)
            }
        }
        let handler = SessionHandler(
            terms.environment, configuration: session, peer: peer, tls: tls, refusal: refusal)
        try channel.pipeline.syncOperations.addHandler(handler)
        guard refusal == nil else { return }
        // Also for a connection that ends before it is active, of which the handler never hears.
        channel.closeFuture.whenComplete { [register] _ in register.remove(channel) }
    }

    private func refusal(of peer: Peer, _ channel: any Channel) -> Reply? {
        peer.isNobody ? .unknownUser : ReceivingService.refusal(register.admit(channel, from: peer))
    }

    private static func refusal(_ admission: SessionRegister.Admission) -> Reply? {
        switch admission {
        case .admitted: nil
        case .tooMany: .tooManySessions
        case .tooManyOfPeer: .tooManySessionsOfPeer
        case .draining: .shuttingDown
        }
    }
}
