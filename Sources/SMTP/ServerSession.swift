// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail
package import NIOCore

/// ServerSession is in charge of the server's half of an SMTP session (RFC 5321 §3, §4.1.4): octets and events in,
/// actions out.
///
/// It owns no socket, no clock and no message; whoever has them runs the actions.
///
/// Call `received` with what comes in, then `next` until it returns nil.
package struct ServerSession: Sendable {
    enum State {
        /// Connected, nothing said yet.
        case silent
        /// Waiting for a command.
        case command
        /// Waiting for the answer to a challenge of AUTH.
        case authentication(AuthenticationExchange)
        /// A question of AUTH was asked that somebody else answers.
        case verification(AuthenticationExchange)
        /// MAIL was read; the intake has to say whether it takes a message now.
        case admission(Transaction)
        /// After 354.
        case content(DataDecoder)
        /// After BDAT: its octets are coming.
        case chunk(ChunkDecoder, Chunk)
        /// After a BDAT that is refused: so many of its octets are still to be passed over.
        case skippedChunk(octets: Int, Reply)
        /// The end of data was read; the intake has the message.
        case committing
        /// The reply to STARTTLS was given; the handshake has to end first.
        case securing
        case closed
    }

    let configuration: Configuration
    /// The peer's address for the trace field.
    let peerAddress: String?
    /// The peer's user, on a Unix socket.
    let peerUserID: UInt32?
    var state = State.silent
    var hello: Hello?
    /// Open between the reply to MAIL and the reply to the end of data.
    var transaction: Transaction?
    /// What came by BDAT in this transaction; nil before the first.
    var chunks: ChunkDecoder?
    /// To be said next, before more of the input is looked at.
    var owed: Reply?
    /// Who the client is, once it has authenticated.
    var authenticated: SubmissionTerms?
    /// TLS runs: what the client says comes from it, and from nobody between (RFC 3207).
    package internal(set) var isSecure = false
    /// The client has shown a certificate, and it was verified.
    package var hasCertificate = false
    var input = ByteBuffer()
    var lines: LineDecoder
    /// For lines that answer a challenge.
    var responses = LineDecoder(maximumOctets: ServerSession.maximumResponseOctets)
    private var errors = 0
    private var isDraining = false
    /// How many transactions were begun; tells a new one from the one before.
    package private(set) var transactionsBegun = 0
    /// How many command lines were read; tells progress from a trickle of octets.
    package private(set) var commandsRead = 0

    package init(configuration: Configuration, peerAddress: String?, peerUserID: UInt32? = nil) {
        self.configuration = configuration
        self.peerAddress = peerAddress
        self.peerUserID = peerUserID
        self.lines = LineDecoder(maximumOctets: configuration.maximumCommandOctets)
    }

    /// A transaction is open: MAIL was accepted or is being considered, and its end was not answered yet.
    package var isInTransaction: Bool {
        switch state {
        case .admission, .content, .chunk, .committing: true
        case .command, .skippedChunk: transaction != nil
        case .silent, .authentication, .verification, .securing, .closed: false
        }
    }

    /// The client sends content.
    package var isInContent: Bool {
        switch state {
        case .content, .chunk, .skippedChunk: true
        case .silent, .command, .authentication, .verification, .admission, .committing, .securing, .closed: false
        }
    }

    /// The next step is the intake's or that of who answers a question of AUTH, not the client's.
    package var isWaitingForIntake: Bool {
        switch state {
        case .admission, .committing, .verification: true
        case .silent, .command, .authentication, .content, .chunk, .skippedChunk, .securing, .closed: false
        }
    }

    /// Octets that came in and were not looked at yet.
    package var unreadOctets: Int { input.readableBytes }
}

// MARK: Events

extension ServerSession {
    package enum OnConnect: Hashable, Sendable {
        /// The greeting.
        case reply(Reply)
        case replyAndClose(Reply)
    }

    /// The connection is there, and the client had a moment to show that it can't wait.
    package mutating func connected() -> OnConnect {
        // RFC 5321 §3.1: the client waits for the greeting. One that doesn't is no mail program.
        guard input.readableBytes == 0 else { return .replyAndClose(closing(.outOfStep)) }
        state = .command
        return .reply(configuration.greeting)
    }

    /// Octets came in.
    ///
    /// Nothing happens to them before `next`.
    package mutating func received(_ bytes: ByteBuffer) {
        if case .closed = state { return }
        if input.readableBytes == 0 {
            input = bytes
        } else {
            input.writeImmutableBuffer(bytes)
        }
    }

    package enum OnInput: Hashable, Sendable {
        case reply(Reply)
        /// Write the reply, then close; what else the client sends is not looked at.
        case replyAndClose(Reply)
        /// Have somebody answer who knows the secrets, then call `authenticationAnswered`.
        case ask(AuthenticationQuestion)
        /// Ask the intake whether a message of this size may come, then call `admissionAnswered`.
        case askAdmission(ofSize: Int?)
        /// Begin an intake transaction, and write the reply, if there is one: content follows.
        case beginContent(Submission, Reply?)
        /// Append to the intake transaction.
        case content(ByteBuffer)
        /// Abort the intake transaction: its content is refused. More may come in, none of it is of use.
        case abandonContent(DataDecoder.Fault)
        /// Abort the intake transaction: the client takes back what it has sent.
        case dropContent
        /// Tell the intake transaction what was repaired on the way to it and finish it, then call `intakeEnded`.
        case finishContent([Repair])
        /// Write the reply, begin TLS as its server, and call `secured` when the handshake is over.
        case startTLS(Reply)
    }

    /// The next thing to do with what came in; nil when more input or another event is needed.
    package mutating func next() -> OnInput? {
        if let owed {
            self.owed = nil
            return .reply(owed)
        }
        switch state {
        case .silent, .admission, .verification, .committing, .securing, .closed:
            return nil
        case .authentication(let exchange):
            guard let line = responses.next(from: &input) else {
                letGoOfEmptyInput()
                return nil
            }
            commandsRead += 1
            return responseRead(line, exchange)
        case .command:
            // RFC 5321 §3.8: a server that shuts down says so when no transaction is under way.
            if isDraining, transaction == nil { return .replyAndClose(closing(.shuttingDown)) }
            guard let line = lines.next(from: &input) else {
                letGoOfEmptyInput()
                return nil
            }
            commandsRead += 1
            return commandRead(line)
        case .content(var decoder):
            let part = decoder.next(from: &input)
            state = .content(decoder)
            guard let part else {
                letGoOfEmptyInput()
                return nil
            }
            return contentRead(part, decoder)
        case .chunk(let decoder, let chunk): return chunkRead(decoder, chunk)
        case .skippedChunk(let octets, let reply): return skipChunk(octets, reply)
        }
    }

    /// The intake's answer to `askAdmission`.
    package mutating func admissionAnswered(_ refusal: IntakeRefusal?) -> Reply {
        guard case .admission(let transaction) = state else {
            preconditionFailure("no admission was asked for")
        }
        state = .command
        if let refusal { return Reply(refusal) }
        self.transaction = transaction
        return .senderOK
    }

    /// The intake's answer to `finishContent`.
    package mutating func intakeEnded(_ result: IntakeResult) -> Reply {
        guard case .committing = state else { preconditionFailure("no content was finished") }
        state = .command
        transaction = nil
        switch result {
        case .accepted(let queueID):
            errors = 0
            return Reply(queuedAs: queueID)
        case .refused(let refusal):
            return Reply(refusal)
        }
    }

    package enum OnDrain: Hashable, Sendable {
        case replyAndClose(Reply)
        /// A transaction is under way; the session closes by itself when it is over.
        case wait
    }

    /// The server is about to stop.
    package mutating func drain() -> OnDrain {
        isDraining = true
        switch state {
        case .silent, .command, .authentication:
            return transaction == nil ? .replyAndClose(closing(.shuttingDown)) : .wait
        case .admission, .verification, .content, .chunk, .skippedChunk, .committing, .securing, .closed:
            return .wait
        }
    }

    package enum OnTimeout: Hashable, Sendable {
        case replyAndClose(Reply)
        /// It is not the client who is slow.
        case wait
    }

    /// The client said nothing for too long, or its transaction takes too long.
    package mutating func timedOut() -> OnTimeout {
        switch state {
        case .silent, .command, .authentication, .content, .chunk, .skippedChunk:
            .replyAndClose(closing(.timedOut))
        case .admission, .verification, .committing, .securing, .closed: .wait
        }
    }

    /// The reply that ends the session, which is over from now on.
    mutating func closing(_ reply: Reply) -> Reply {
        state = .closed
        transaction = nil
        input = ByteBuffer()
        return reply
    }

    /// Lets whoever owns the memory use it for the next read.
    mutating func letGoOfEmptyInput() {
        if input.readableBytes == 0 { input = ByteBuffer() }
    }
}

// MARK: Commands

extension ServerSession {
    private mutating func commandRead(_ line: LineDecoder.Line) -> OnInput? {
        switch line {
        case .line(let octets):
            do throws(CommandError) {
                return perform(try Command(octets[...], local: configuration.local))
            } catch .foreignProtocol {
                return .replyAndClose(closing(.foreignProtocol))
            } catch .chunkSyntax {
                // Nobody knows how many of the octets that follow are no commands.
                return .replyAndClose(closing(Reply(.chunkSyntax)))
            } catch {
                return refuse(Reply(error))
            }
        case .tooLong:
            return refuse(.lineTooLong)
        case .endless:
            return .replyAndClose(closing(.tooManyErrors))
        }
    }

    private mutating func perform(_ command: Command) -> OnInput? {
        switch command {
        case .recipient(let forward, let notice): return recipient(forward, notice)
        case .mail(let reversePath, let parameters): return mail(reversePath, parameters)
        case .data: return data()
        case .chunk(let octets, let isLast): return chunk(Chunk(octets: octets, isLast: isLast))
        case .hello(let name): return hello(Hello(name: name, isExtended: false))
        case .extendedHello(let name): return hello(Hello(name: name, isExtended: true))
        case .reset: return endTransaction(.done)
        case .noop: return .reply(.done)
        case .verify: return .reply(.notVerified)
        case .help: return .reply(.help)
        case .quit: return .replyAndClose(closing(.bye))
        case .startTLS: return startTLS()
        case .authenticate(let mechanism, let response): return authenticate(mechanism, response)
        case .notImplemented: return refuse(.notImplemented)
        }
    }

    private mutating func hello(_ hello: Hello) -> OnInput {
        // RFC 5321 §4.1.4: a hello in the middle of a session does what RSET does.
        self.hello = hello
        guard hello.isExtended else { return endTransaction(configuration.helloReply) }
        return endTransaction(
            configuration.extendedHelloReply(
                isSecure: isSecure, octets: maximumMessageOctets, recipients: maximumRecipients,
                authentication: authenticationKeyword))
    }

    private mutating func mail(_ reversePath: ReversePath, _ parameters: MailParameters) -> OnInput {
        guard let hello else { return refuse(.greetFirst) }
        guard transaction == nil else { return refuse(.nestedMail) }
        guard maySubmit else { return refuse(authenticationRequired) }
        // RFC 5321 §4.1.1.1: after HELO there are no extensions, so no parameters.
        guard hello.isExtended || parameters.isEmpty else { return refuse(Reply(.unknownParameter)) }
        // RFC 1870 §6.1
        if let size = parameters.size, size > maximumMessageOctets { return refuse(.sizeExceeded) }
        transactionsBegun += 1
        state = .admission(Transaction(reversePath: reversePath, parameters: parameters))
        return .askAdmission(ofSize: parameters.size)
    }

    private mutating func recipient(_ forward: Command.Forward, _ notice: RecipientNotice) -> OnInput {
        guard let transaction else { return refuse(hello == nil ? .greetFirst : .mailFirst) }
        guard chunks == nil else { return refuse(.chunksBegun) }
        // RFC 5321 §4.1.1.1: after HELO there are no extensions, so no parameters.
        guard hello?.isExtended == true || notice == RecipientNotice() else { return refuse(Reply(.unknownParameter)) }
        let mailbox: Mailbox
        switch forward {
        case .mailbox(let given):
            mailbox = given
        case .postmaster(let localPart):
            guard let host = configuration.postmasterHost else { return refuse(Reply(.forwardPath(.domainMissing))) }
            mailbox = Mailbox(localPart: localPart, host: host)
        }
        if transaction.contains(mailbox) { return .reply(.recipientOK) }
        // RFC 5321 §4.5.3.1.10: 452, never 5yz; and no error, or a client with a long list would be thrown out.
        guard transaction.recipients.count < maximumRecipients else { return .reply(.tooManyRecipients) }
        self.transaction?.add(mailbox, notice)
        return .reply(.recipientOK)
    }

    private mutating func data() -> OnInput {
        // RFC 2920 §3.1: DATA ends a group of commands. What came with it can be neither content, which nobody
        // asked for yet, nor commands, which it may only look like.
        guard input.readableBytes == 0 else { return .replyAndClose(closing(.outOfStep)) }
        guard let hello else { return refuse(.greetFirst) }
        guard let transaction else { return refuse(.mailFirst) }
        guard !transaction.recipients.isEmpty else { return refuse(.recipientFirst) }
        // RFC 3030 §2: never both in one transaction.
        guard chunks == nil else { return refuse(.chunksBegun) }
        state = .content(
            DataDecoder(maximumOctets: maximumMessageOctets, bareLineFeed: configuration.bareLineFeed))
        return .beginContent(submission(hello, transaction), .goOn)
    }

    private mutating func contentRead(_ part: DataDecoder.Part, _ decoder: DataDecoder) -> OnInput {
        switch part {
        case .content(let octets):
            return .content(octets)
        case .fault(let fault):
            return .abandonContent(fault)
        case .end:
            guard let fault = decoder.fault else {
                state = .committing
                return .finishContent(decoder.hasRepairedLineEnds ? [.lineEnds] : [])
            }
            state = .command
            transaction = nil
            return .reply(Reply(fault))
        case .endless:
            return .replyAndClose(closing(Reply(decoder.fault ?? .contentTooLong)))
        }
    }

    /// Answers an error; the one that is too many ends the session.
    mutating func refuse(_ reply: Reply) -> OnInput {
        errors += 1
        return errors >= configuration.maximumErrors ? .replyAndClose(closing(.tooManyErrors)) : .reply(reply)
    }
}
