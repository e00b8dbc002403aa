// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
package import NIOCore

/// `ClientSession` is in charge of what Waxwing says to a next hop and what the answers mean, from the greeting to QUIT
/// (RFC 5321 §3).
///
/// It is a value without sockets and clocks: replies in, actions out; the content itself passes it by.
///
///     S: 220 mx.example.net ESMTP
///     C: EHLO relay.example.com
///     S: 250-mx.example.net
///     S: 250 PIPELINING
///     C: MAIL FROM:<a@example.com>          \
///     C: RCPT TO:<b@example.net>             } one group, RFC 2920
///     C: DATA                               /
package struct ClientSession: Sendable {
    package struct Configuration: Hashable, Sendable {
        /// The argument of EHLO: the relay's host name.
        package var heloName: String
        package var tls: ClientTLS
        /// The next hop's name for diagnostics, such as `mx.example.net[192.0.2.1]:25`.
        package var remote: String

        package init(heloName: String, tls: ClientTLS, remote: String) {
            self.heloName = heloName
            self.tls = tls
            self.remote = remote
        }
    }

    enum State: Hashable, Sendable {
        case banner
        case ehlo
        case helo
        case startTLS
        /// TLS is being set up; no reply may come.
        case handshake
        case ready
        /// `exchange` tells how far.
        case transaction
        case quitting
        case closed
    }

    let configuration: Configuration
    var state = State.banner
    /// The transaction under way; nil outside `State.transaction`.
    var exchange: ClientExchange?
    package internal(set) var extensions = ClientExtensions()
    /// The session runs over TLS.
    package internal(set) var isSecure = false
    /// Transactions that ended.
    package internal(set) var transactionCount = 0
    /// The next hop may still be inside a transaction: RSET goes before the next MAIL.
    var needsReset = false

    package init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    /// What the session is waiting for; it decides how long.
    package var waiting: ClientWait {
        switch state {
        case .banner: .banner
        case .ehlo, .helo, .startTLS, .handshake: .hello
        case .ready, .closed: .nothing
        case .quitting: .quit
        case .transaction:
            switch exchange?.awaiting {
            case .reset, .mail: .mail
            case .recipient: .recipient
            case .data: .data
            case .content: .content
            case .end, .emptyEnd: .end
            case nil: .nothing
            }
        }
    }

    // MARK: Events before the first transaction

    /// A whole reply has come.
    package mutating func received(_ reply: PeerReply) -> ClientAction {
        switch state {
        case .banner: bannerReceived(reply)
        case .ehlo: ehloReceived(reply)
        case .helo: heloReceived(reply)
        case .startTLS: startTLSReceived(reply)
        case .handshake: unexpected("a reply in the middle of setting up TLS")
        // RFC 5321 §3.8: a 421 may come at any time, and after anything else nobody knows what answers what.
        case .ready: end(.init(diagnostic: reply.diagnostic(command: "", remote: configuration.remote)))
        case .transaction: transactionReceived(reply)
        case .quitting, .closed: close()
        }
    }

    /// The TLS handshake has succeeded.
    package mutating func secured() -> ClientAction {
        guard state == .handshake else { return .wait }
        isSecure = true
        // RFC 3207 §4.2: everything learned before is discarded.
        extensions = ClientExtensions()
        return sayHello()
    }

    private mutating func bannerReceived(_ reply: PeerReply) -> ClientAction {
        guard reply.isPositive else { return refused(reply, "connection") }
        return sayHello()
    }

    private mutating func sayHello() -> ClientAction {
        state = .ehlo
        return .send(line("EHLO ", configuration.heloName))
    }

    private mutating func ehloReceived(_ reply: PeerReply) -> ClientAction {
        if reply.isPositive {
            extensions = ClientExtensions(reply: reply)
            return greeted()
        }
        // RFC 5321 §3.2: a server that knows no EHLO may know HELO; TLS it can't know then.
        guard reply.severity == .permanent, configuration.tls != .required || isSecure else {
            return refused(reply, "EHLO")
        }
        state = .helo
        return .send(line("HELO ", configuration.heloName))
    }

    private mutating func heloReceived(_ reply: PeerReply) -> ClientAction {
        guard reply.isPositive else { return refused(reply, "HELO") }
        extensions = ClientExtensions()
        return greeted()
    }

    private mutating func greeted() -> ClientAction {
        if configuration.tls != .off, !isSecure {
            if extensions.hasStartTLS {
                state = .startTLS
                return .send(line("STARTTLS", ""))
            }
            if configuration.tls == .required { return tlsMissing("STARTTLS is required and not offered") }
        }
        state = .ready
        return .ready
    }

    private mutating func startTLSReceived(_ reply: PeerReply) -> ClientAction {
        if reply.code == 220 {
            state = .handshake
            return .startTLS
        }
        if reply.code == 421 { return refused(reply, "STARTTLS") }
        if configuration.tls == .required {
            return tlsMissing("STARTTLS is required and was refused: \(reply.code) \(reply.printableText)")
        }
        state = .ready
        return .ready
    }

    // MARK: Events at any time

    /// The connection is gone or useless, or time is up; `reason` says which in words.
    package mutating func lost(_ reason: String) -> ClientAction {
        guard state != .closed else { return .wait }
        let wasQuitting = state == .quitting
        if var current = exchange {
            exchange = nil
            state = .closed
            if transactionCount > 0, !current.wasHeard {
                // Next hops close connections that were idle; that says nothing about this message.
                return .finished(current.result(canContinue: false))
            }
            current.settleOpen(.deferred(networkFault(reason, during: current.awaiting)))
            return .finished(current.result(canContinue: false))
        }
        state = .closed
        return wasQuitting
            ? .close(nil) : .close(.init(diagnostic: networkFault(reason, during: nil), isNetworkFault: true))
    }

    /// Ends the session in order; nil when a connection can only be closed now.
    package mutating func quit() -> ByteBuffer? {
        guard state == .ready else { return nil }
        state = .quitting
        return line("QUIT", "")
    }

    // MARK: Helpers

    private mutating func refused(_ reply: PeerReply, _ command: String) -> ClientAction {
        end(.init(diagnostic: reply.diagnostic(command: command, remote: configuration.remote)))
    }

    private mutating func tlsMissing(_ text: String) -> ClientAction {
        end(
            .init(
                diagnostic: Diagnostic(
                    status: EnhancedStatusCode(4, 7, 4), text: text, remote: configuration.remote, command: "STARTTLS",
                    owner: .operator)))
    }

    private mutating func unexpected(_ text: String) -> ClientAction {
        end(
            .init(
                diagnostic: Diagnostic(
                    status: EnhancedStatusCode(4, 5, 0), text: text, remote: configuration.remote, owner: .network)))
    }

    private mutating func end(_ refusal: SessionRefusal) -> ClientAction {
        state = .closed
        return .close(refusal)
    }

    private mutating func close() -> ClientAction {
        state = .closed
        return .close(nil)
    }

    private func networkFault(_ reason: String, during awaiting: ClientExchange.Awaiting?) -> Diagnostic {
        // RFC 5321 §4.2.5: who has sent the end of data and hears nothing must try again; the next hop may have
        // taken the message, so this is the one place where a message can arrive twice.
        let isAfterEnd = awaiting == .end
        return Diagnostic(
            status: EnhancedStatusCode(4, 4, 2),
            text: isAfterEnd ? "\(reason) after the end of data; the message may have been taken" : reason,
            remote: configuration.remote, command: isAfterEnd ? "end of data" : nil, owner: .network)
    }

    private func line(_ command: StaticString, _ argument: String) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeStaticString(command)
        buffer.writeString(argument)
        buffer.writeStaticString("\r\n")
        return buffer
    }
}
