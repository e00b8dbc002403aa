// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS
internal import Mail
internal import NIOCore
internal import NIOPosix
internal import SMTP

/// `Connector` is in charge of opening one connection to a site: it finds the addresses and tries them in order
/// until one has a next hop that talks (RFC 5321 §5.1).
struct Connector: Sendable {
    let environment: ForwardingEnvironment

    /// Ends in a call of `Site.adopt` (by the connection) or of `Site.connectFailed`.
    func connect(_ site: Site) async {
        let addresses: [NextHopAddress]
        do {
            addresses = try await environment.finder.addresses(
                of: site.target, allowsPrivate: site.route.allowsPrivateTargets)
        } catch {
            return site.connectFailed(error.outcome)
        }
        var best: SessionRefusal?
        for address in addresses {
            guard let refusal = await attempt(address, site) else { return }
            // What a next hop said tells more than that another one could not be reached.
            if best == nil || best?.isNetworkFault == true { best = refusal }
        }
        let diagnostic =
            best?.diagnostic
            ?? Diagnostic(status: EnhancedStatusCode(4, 4, 1), text: "no address to connect to", owner: .network)
        // Also a 5yz greeting defers: it speaks of the host, not of the mail (RFC 5321 §4.2.1, RFC 7504 §4).
        site.connectFailed(.deferred(diagnostic))
    }

    /// Nil when the connection is established.
    private func attempt(_ address: NextHopAddress, _ site: Site) async -> SessionRefusal? {
        switch await open(address, site, tls: site.route.tls) {
        case .ready: return nil
        case .refused(let refusal): return refusal
        case .handshakeFailed(let refusal):
            guard site.route.tls == .opportunistic else { return refusal }
        }
        // RFC 7435 §3: opportunistic protection must not be the reason that mail does not arrive.
        switch await open(address, site, tls: .off) {
        case .ready: return nil
        case .refused(let refusal), .handshakeFailed(let refusal): return refusal
        }
    }

    private func open(_ address: NextHopAddress, _ site: Site, tls: ClientTLS) async -> Establishment {
        let eventLoop = environment.eventLoopGroup.next()
        let established = eventLoop.makePromise(of: Establishment.self)
        let connection = DeliveryConnection(
            site: site, environment: environment, remote: address, tls: tls, eventLoop: eventLoop,
            established: established)
        do {
            let destination = try SocketAddress(ipAddress: address.address.description, port: address.port)
            _ = try await ClientBootstrap(group: eventLoop)
                .connectTimeout(environment.configuration.timeouts.connect)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(connection)
                    }
                }
                .connect(to: destination).get()
        } catch {
            connection.connectFailed("the connection failed: \(error)")
        }
        do {
            return try await established.futureResult.get()
        } catch {
            // Only when the event loops are gone.
            return .refused(
                SessionRefusal(
                    diagnostic: Diagnostic(
                        status: EnhancedStatusCode(4, 4, 1), text: "\(error)", remote: address.remote, owner: .network),
                    isNetworkFault: true))
        }
    }
}
