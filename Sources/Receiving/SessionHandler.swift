// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Logging
internal import Mail
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import NIOTLS
internal import SMTP

/// Fired at a session's pipeline when the server is about to stop.
struct DrainEvent: Sendable {}

/// SessionHandler is in charge of one connection: it turns what the channel tells into events of a `ServerSession`,
/// and runs the actions that come back.
///
/// It decides nothing about SMTP.
///
/// Replies of commands that came together leave together, with one flush. While the intake is busy with a
/// content, nothing is read, so that a session holds one read's worth of it (64 KiB) and no more.
final class SessionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Never
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// What all handlers of a service share.
    struct Environment: Sendable {
        var intake: any Intake
        var authenticator: Authenticator
        var rates: RateLimiter
        var events: EventSink
        var threadPool: NIOThreadPool
        var register: SessionRegister
        var logger: Logger
        var idleTime: TimeAmount
        var transactionTime: TimeAmount
        /// Before the greeting: who talks in it does not wait for greetings.
        var greetingDelay = TimeAmount.microseconds(100)
        /// For the TLS handshake.
        var handshakeTime = TimeAmount.seconds(30)
        /// After the last reply, for the client to read it and close.
        ///
        /// Closing at once would reset the connection if the client is still sending, and it might never see why.
        var lingerTime = TimeAmount.seconds(2)
    }

    enum Phase {
        case serving
        /// The last reply is on its way; what comes in is dropped.
        case closing
        case closed
    }

    let environment: Environment
    var peer: Peer
    let tls: SessionTLS?
    private let refusal: Reply?
    private(set) var phase = Phase.serving
    var session: ServerSession
    private var content: ContentStream?
    private var contentOctets = 0
    var output = ByteBuffer()
    private var isReadHeld = false
    private var hasInputEnded = false
    /// When the last command was complete, or the last content came.
    var lastProgress = NIODeadline.now()
    private var transactionStart = NIODeadline.now()
    private var timer: Scheduled<Void>?

    /// - Parameter refusal: said instead of a greeting, if this session may not be.
    init(
        _ environment: Environment, configuration: ServerSession.Configuration, peer: Peer, tls: SessionTLS? = nil,
        refusal: Reply? = nil
    ) {
        self.environment = environment
        self.peer = peer
        self.tls = tls
        self.refusal = refusal
        self.session = ServerSession(
            configuration: configuration, peerAddress: peer.address, peerUserID: peer.userID)
    }
}

// MARK: Channel events

extension SessionHandler {
    /// Behind a proxy's header the connection is there before its session is.
    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard phase == .serving else { return }
        session.received(unwrapInboundIn(data))
        if session.isInContent { lastProgress = context.eventLoop.now }
        process(context)
    }

    func read(context: ChannelHandlerContext) {
        if wantsInput(context) {
            context.read()
        } else {
            isReadHeld = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { process(context) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is DrainEvent:
            guard phase == .serving else { return }
            if case .replyAndClose(let reply) = session.drain() { close(context, saying: reply) }
        case TLSUserEvent.handshakeCompleted:
            handshakeCompleted(context)
        case ChannelEvent.inputClosed:
            hasInputEnded = true
            if phase == .closing { context.close(promise: nil) } else { process(context) }
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The client is gone without closing TLS first, as many do. What it said is whole: commands and contents have
        // ends of their own, and the end of the connection is told in its own way.
        if case NIOSSLError.uncleanShutdown = error { return }
        environment.logger.debug(
            "Connection failed", metadata: ["peer": "\(peer)", "error": "\(error)"])
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .closed
        timer?.cancel()
        timer = nil
        content?.abort()
        content = nil
        guard refusal == nil else { return }
        environment.register.remove(context.channel)
        environment.logger.debug("Session closed", metadata: ["peer": "\(peer)"])
    }
}

// MARK: Actions

extension SessionHandler {
    private func begin(_ context: ChannelHandlerContext) {
        if let refusal {
            close(context, saying: refusal)
            return
        }
        environment.logger.debug("Session opened", metadata: ["peer": "\(peer)"])
        lastProgress = context.eventLoop.now
        guard awaitsTLS else { return awaitGreeting(context) }
        schedule(context, in: environment.handshakeTime) { _, context in context.close(promise: nil) }
    }

    func awaitGreeting(_ context: ChannelHandlerContext) {
        timer?.cancel()
        schedule(context, in: environment.greetingDelay) { handler, context in handler.greet(context) }
    }

    /// After a pause that was the network's.
    func resume(_ context: ChannelHandlerContext) {
        lastProgress = context.eventLoop.now
        process(context)
    }

    private func greet(_ context: ChannelHandlerContext) {
        switch session.connected() {
        case .reply(let reply):
            reply.write(into: &output)
            startTimer(context)
            process(context)
        case .replyAndClose(let reply):
            close(context, saying: reply)
        }
    }

    /// Runs all that can run now.
    func process(_ context: ChannelHandlerContext) {
        let commands = session.commandsRead
        let transactions = session.transactionsBegun
        while phase == .serving, content?.isBusy != true, context.channel.isWritable, let action = session.next() {
            run(action, context)
        }
        guard phase == .serving else { return }
        if session.commandsRead != commands { lastProgress = context.eventLoop.now }
        if session.transactionsBegun != transactions { transactionStart = context.eventLoop.now }
        content?.flush { [self] in
            guard phase == .serving else { return }
            lastProgress = context.eventLoop.now
            process(context)
        }
        flushOutput(context)
        if hasInputEnded, content?.isBusy != true, context.channel.isWritable, !session.isWaitingForIntake {
            // Everything was answered, and nothing more can come.
            close(context, saying: nil)
            return
        }
        resumeReading(context)
    }

    func run(_ action: ServerSession.OnInput, _ context: ChannelHandlerContext) {
        switch action {
        case .reply(let reply):
            reply.write(into: &output)
        case .replyAndClose(let reply):
            if reply.replyClass != 2 {
                environment.logger.info(
                    "Session ended by us", metadata: ["peer": "\(peer)", "reply": "\(reply.lines[0])"])
            }
            close(context, saying: reply)
        case .askAdmission(let size):
            session.admissionAnswered(refusal(ofSize: size, context)).write(into: &output)
        case .ask(let question):
            authenticate(question, context)
        case .beginContent(let submission, let reply):
            contentOctets = 0
            charge(.recipients, submission.envelope.recipients.count, context)
            content = ContentStream(
                environment.intake.begin(submission), threadPool: environment.threadPool, eventLoop: context.eventLoop)
            reply?.write(into: &output)
        case .content(let octets):
            contentOctets += octets.readableBytes
            content?.append(octets)
        case .abandonContent(let fault):
            content?.abort()
            content = nil
            var metadata: Logger.Metadata = ["peer": "\(peer)", "fault": "\(fault)"]
            if fault == .bareLineFeed {
                metadata["remedy"] =
                    "let the application end lines with CRLF, or say bare-lf = \"normalise\" in its [[listener]]"
            }
            environment.logger.info("Content refused", metadata: metadata)
        case .dropContent:
            content?.abort()
            content = nil
        case .finishContent(let repairs):
            let stream = content
            content = nil
            charge(.octets, contentOctets, context)
            stream?.finish(repairs: repairs) { [self] result in intakeEnded(result, context) }
        case .startTLS(let reply):
            reply.write(into: &output)
            // Into the channel before TLS is between: the last reply in the clear.
            flushOutput(context)
            startTLS(context)
        }
    }

    private func intakeEnded(_ result: IntakeResult, _ context: ChannelHandlerContext) {
        // The client may have gone; the message is in the spool all the same (RFC 5321 §4.2.5).
        guard phase == .serving else { return }
        lastProgress = context.eventLoop.now
        session.intakeEnded(result).write(into: &output)
        process(context)
    }

    private func flushOutput(_ context: ChannelHandlerContext) {
        guard output.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(takeOutput()), promise: nil)
    }

    /// Taken before it is written: a write may change the writability, and with it call `process` again.
    private func takeOutput() -> ByteBuffer {
        defer { output = ByteBuffer() }
        return output
    }

    /// Writes what is to be said, and closes when it is written.
    private func close(_ context: ChannelHandlerContext, saying reply: Reply?) {
        phase = .closing
        timer?.cancel()
        timer = nil
        content?.abort()
        content = nil
        reply?.write(into: &output)
        // RFC 5321 §4.1.1.10: after QUIT the client sends nothing more, so nothing can be lost by closing.
        let lingers = !hasInputEnded && reply?.replyClass != 2
        schedule(context, in: environment.lingerTime) { _, context in context.close(promise: nil) }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in
            if lingers {
                context.close(mode: .output, promise: nil)
            } else {
                context.close(promise: nil)
            }
        }
        context.writeAndFlush(wrapOutboundOut(takeOutput()), promise: written)
        resumeReading(context)
    }
}

// MARK: Back-pressure and time

extension SessionHandler {
    /// Whether there is room for more of what the client sends.
    private func wantsInput(_ context: ChannelHandlerContext) -> Bool {
        guard phase == .serving else { return true }
        if content?.isBusy == true || !context.channel.isWritable { return false }
        return session.unreadOctets == 0 || !session.isWaitingForIntake
    }

    private func resumeReading(_ context: ChannelHandlerContext) {
        guard isReadHeld, wantsInput(context) else { return }
        isReadHeld = false
        context.read()
    }

    private func startTimer(_ context: ChannelHandlerContext) {
        lastProgress = context.eventLoop.now
        schedule(context, in: min(environment.idleTime, environment.transactionTime)) { handler, context in
            handler.timerFired(context)
        }
    }

    /// Lets a handshake in the middle of a session take as long as one at its start.
    func limitHandshake(_ context: ChannelHandlerContext) {
        lastProgress = context.eventLoop.now
        timer?.cancel()
        schedule(context, in: environment.handshakeTime) { handler, context in handler.timerFired(context) }
    }

    /// One timer that looks again when the time could be up: cheaper than one that every command moves.
    private func timerFired(_ context: ChannelHandlerContext) {
        guard phase == .serving else { return }
        let now = context.eventLoop.now
        if session.isSecuring, now >= lastProgress + environment.handshakeTime {
            context.close(promise: nil)
            return
        }
        var deadline = lastProgress + environment.idleTime
        if session.isInTransaction { deadline = min(deadline, transactionStart + environment.transactionTime) }
        var next = min(deadline, now + environment.transactionTime)
        if now >= deadline {
            if content?.isBusy != true, case .replyAndClose(let reply) = session.timedOut() {
                environment.logger.info("Session timed out", metadata: ["peer": "\(peer)"])
                close(context, saying: reply)
                return
            }
            // Not the client is slow, but the disk.
            next = now + min(environment.idleTime, environment.transactionTime)
        }
        schedule(context, in: next - now) { handler, context in handler.timerFired(context) }
    }

    private func schedule(
        _ context: ChannelHandlerContext, in delay: TimeAmount,
        _ body: @escaping (SessionHandler, ChannelHandlerContext) -> Void
    ) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { [self] in
            guard phase != .closed else { return }
            body(self, context)
        }
    }
}
