// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS
internal import Mail
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import NIOTLS
internal import SMTP
internal import Spooling

/// `DeliveryConnection` is in charge of one connection to a next hop: it carries the bytes between the channel and its
/// `ClientSession`, keeps the time, and asks its site for work.
///
/// It decides nothing about the protocol.
///
/// `@unchecked Sendable`, because
/// 1. all its mutable state is touched on its channel's event loop alone;
/// 2. what other threads call (`start`, `quit`, `abandon`) only hops onto that loop.
final class DeliveryConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        /// Until the session is ready for the first time.
        case establishing(EventLoopPromise<Establishment>)
        /// Belongs to the site.
        case adopted
        case closed
    }

    let site: Site
    let environment: ForwardingEnvironment
    let remote: NextHopAddress
    let eventLoop: any EventLoop
    private let tls: ClientTLS

    private var session: ClientSession
    private var parser = ReplyParser()
    private var phase: Phase
    private var context: ChannelHandlerContext?
    private(set) var delivery: Delivery?
    private var messageCount = 0
    private var isHandshaking = false
    /// The content that is being sent from a file.
    private var stream: ContentStream?
    private let timer: ConnectionTimer

    init(
        site: Site, environment: ForwardingEnvironment, remote: NextHopAddress, tls: ClientTLS,
        eventLoop: any EventLoop, established: EventLoopPromise<Establishment>
    ) {
        self.site = site
        self.environment = environment
        self.remote = remote
        self.tls = tls
        self.eventLoop = eventLoop
        self.phase = .establishing(established)
        self.timer = ConnectionTimer(eventLoop: eventLoop)
        self.session = ClientSession(
            .init(heloName: environment.configuration.hostname, tls: tls, remote: remote.remote))
    }

    // MARK: Calls from any thread

    /// Takes a delivery; the connection was idle.
    func start(_ delivery: Delivery) {
        if eventLoop.inEventLoop { take(delivery) } else { eventLoop.execute { self.take(delivery) } }
    }

    /// Ends the session; the connection was idle.
    func quit() {
        eventLoop.execute { self.end() }
    }

    /// There is no connection: the next hop could not be reached.
    func connectFailed(_ reason: String) {
        eventLoop.execute { self.lose(reason) }
    }

    /// Closes the connection whatever it is doing.
    func abandon() {
        eventLoop.execute { self.lose("the relay is shutting down") }
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        timer.fire = { [weak self] in self?.timedOut() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        timer.cancel()
    }

    func channelActive(context: ChannelHandlerContext) {
        arm()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        while context.channel.isActive {
            do {
                guard let reply = try parser.next(from: &buffer) else { return }
                let action = session.received(reply)
                if action == .startTLS, buffer.readableBytes > 0 || parser.isInsideReply {
                    // RFC 3207 §4.2, and the injection attacks since: what came with the reply came in the clear.
                    return lose("unprotected bytes behind the reply to STARTTLS")
                }
                if action == .sendContent, buffer.readableBytes > 0 || parser.isInsideReply {
                    // What came with the 354 can't answer a content that is not on its way yet.
                    return lose("a reply to content that was not sent")
                }
                run(action)
            } catch {
                return lose("\(error)")
            }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event {
            isHandshaking = false
            run(session.secured())
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        lose("the connection was closed by the next hop")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        lose(isHandshaking ? "TLS could not be set up: \(error)" : "the connection broke: \(error)")
    }

    // MARK: Actions

    private func run(_ action: ClientAction) {
        switch action {
        case .wait:
            arm()
        case .send(let buffer):
            arm()
            context?.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        case .startTLS:
            startTLS()
        case .ready:
            ready()
        case .sendContent:
            sendContent()
        case .finished(let result):
            finished(result)
        case .close(let refusal):
            closed(refusal)
        }
    }

    private func arm() {
        timer.arm(environment.configuration.timeouts.amount(for: session.waiting))
    }

    private func timedOut() {
        switch session.waiting {
        case .nothing:
            // Idle. If the site has just given it away, the delivery is on its way here.
            if case .adopted = phase, delivery == nil, site.retire(self) { end() }
        case .content: lose("the next hop takes no content for too long")
        default: lose("no reply in time")
        }
    }

    private func startTLS() {
        guard let context else { return }
        do {
            let handler = try environment.tls.handler(host: remote.host, isVerified: tls == .required)
            isHandshaking = true
            arm()
            try context.pipeline.syncOperations.addHandler(handler, position: .first)
        } catch {
            lose("TLS could not be set up: \(error)")
        }
    }

    private func ready() {
        guard case .establishing(let promise) = phase else { return }
        phase = .adopted
        promise.succeed(.ready)
        site.learn(remote, offersEightBit: session.extensions.hasEightBitMIME)
        proceed(site.adopt(self))
    }

    private func proceed(_ next: Site.OnIdle) {
        switch next {
        case .deliver(let delivery): take(delivery)
        case .keep: arm()
        case .quit: end()
        }
    }

    private func take(_ delivery: Delivery) {
        guard case .adopted = phase else {
            // The next hop closed it while the delivery was on its way.
            return site.submit(delivery, isRetry: true)
        }
        guard delivery.captureVersion == environment.capture.current.version else { return recall(delivery) }
        // RFC 6152 §3: 8-bit content goes only to a server that offers 8BITMIME.
        if delivery.content.isEightBit, !session.extensions.hasEightBitMIME { return convert(delivery) }
        self.delivery = delivery
        messageCount += 1
        begin(delivery)
    }

    /// Has a delivery dispatched again that was made ready before capture was switched on or off.
    private func recall(_ delivery: Delivery) {
        delivery.giveBack()
        // By way of the loop, so that many of these don't pile up calls.
        eventLoop.execute {
            if case .adopted = self.phase { self.proceed(self.site.next(for: self)) }
        }
    }

    /// Has a delivery made fit for this next hop; the connection waits for it.
    private func convert(_ delivery: Delivery) {
        let environment = environment
        environment.threadPool.runIfActive(eventLoop: eventLoop) { try environment.sevenBit(delivery) }
            .whenComplete { result in
                switch result {
                case .success(let content):
                    var converted = delivery
                    converted.content = content
                    return self.take(converted)
                case .failure(let fault as DepartureFault):
                    delivery.settle(self.judged(fault, delivery))
                // The threads are gone: the relay is shutting down.
                case .failure: delivery.giveBack()
                }
                if case .adopted = self.phase { self.proceed(self.site.next(for: self)) }
            }
    }

    /// What can't be converted fails, unless another host of the site would take it as it is: the next attempts may
    /// meet that one.
    private func judged(_ fault: DepartureFault, _ delivery: Delivery) -> DepartureFault {
        guard case .failed(var diagnostic) = fault.outcome else { return fault }
        diagnostic.remote = remote.remote
        let claimed = delivery.message.claimed
        let attempts = delivery.positions.map { claimed.recipients[$0].attempts }.max() ?? 0
        guard site.hasEightBit, attempts < ForwardingLimits.attemptsForAnotherHost else {
            return DepartureFault(outcome: .failed(diagnostic))
        }
        diagnostic.status = EnhancedStatusCode(4, diagnostic.status.subject, diagnostic.status.detail)
        diagnostic.text += "; another host of the same site offers 8BITMIME"
        diagnostic.owner = .network
        return DepartureFault(outcome: .deferred(diagnostic))
    }

    private func begin(_ delivery: Delivery) {
        let action = session.begin(
            ClientTransaction(
                reversePath: delivery.message.claimed.envelope.reversePath,
                recipients: delivery.recipients,
                size: delivery.content.length, isEightBit: delivery.content.isEightBit,
                notices: delivery.notices))
        guard case .finished = action else { return run(action) }
        // Judged without a word to the next hop. By way of the loop, so that many of these don't pile up calls.
        eventLoop.execute { self.run(action) }
    }

    private func sendContent() {
        guard let delivery, let context else { return }
        let stored = delivery.message.claimed.content
        guard let rest = delivery.content.restInMemory(of: stored) else {
            arm()
            let stream = ContentStream(
                ContentReader(delivery.content, of: stored), channel: context.channel,
                threadPool: environment.threadPool)
            self.stream = stream
            return stream.start { [weak self] event in self?.streamed(event) }
        }
        do {
            let buffer = try ContentEncoder.wireForm(front: delivery.content.front, rest: rest)
            session.contentSent()
            arm()
            context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        } catch {
            run(session.contentFailed(.failed(ContentEncoder.diagnostic(error))))
        }
    }

    private func streamed(_ event: ContentStream.Event) {
        guard stream != nil else { return }
        switch event {
        case .blockSent: arm()
        case .sent:
            stream = nil
            session.contentSent()
            arm()
        case .failed(let outcome):
            stream = nil
            run(session.contentFailed(outcome))
        }
    }

    private func finished(_ result: TransactionResult) {
        guard let delivery else { return }
        stopStream()
        self.delivery = nil
        let outcomes = delivery.outcomes(result.outcomes)
        var untried = delivery
        untried.positions = []
        for (position, outcome) in zip(delivery.positions, outcomes) where outcome == nil {
            untried.positions.append(position)
        }
        // The connection goes back to the site first, so that a shutdown that waits for the message sees it ended.
        for (position, outcome) in zip(delivery.positions, outcomes) {
            if session.extensions.hasDSN, delivery.substitute == nil { delivery.message.notePassedOn(position) }
            if let outcome { delivery.message.settle(position, outcome, fields: delivery.content.keptFields) }
        }
        // A message judged without a word may find that the connection was lost meanwhile.
        guard result.canContinue, case .adopted = phase else {
            close()
            if !untried.positions.isEmpty { site.submit(untried, isRetry: true) }
            return
        }
        if !untried.positions.isEmpty {
            take(untried)
        } else if messageCount >= site.route.maximumMessagesPerConnection {
            end()
        } else {
            proceed(site.next(for: self))
        }
    }

    // MARK: Ends

    /// QUIT, then closed by whoever is first.
    private func end() {
        guard let farewell = session.quit() else { return close() }
        leaveSite()
        arm()
        context?.writeAndFlush(wrapOutboundOut(farewell), promise: nil)
    }

    private func lose(_ reason: String) {
        let wasHandshaking = isHandshaking
        isHandshaking = false
        switch session.lost(reason) {
        case .close(let refusal): closed(refusal, duringHandshake: wasHandshaking)
        case .finished(let result): finished(result)
        default: close()
        }
    }

    private func closed(_ refusal: SessionRefusal?, duringHandshake: Bool = false) {
        if case .establishing(let promise) = phase, let refusal {
            phase = .closed
            promise.succeed(duringHandshake ? .handshakeFailed(refusal) : .refused(refusal))
        }
        close()
    }

    private func close() {
        stopStream()
        timer.cancel()
        leaveSite()
        if let context, context.channel.isActive { context.close(promise: nil) }
    }

    private func leaveSite() {
        if case .adopted = phase {
            phase = .closed
            site.remove(self)
        }
    }

    private func stopStream() {
        stream?.stop()
        stream = nil
    }
}

/// How the opening of a connection ended.
enum Establishment: Hashable, Sendable {
    /// The site has it.
    case ready
    case refused(SessionRefusal)
    /// The next hop offered TLS and could not do it.
    case handshakeFailed(SessionRefusal)
}
