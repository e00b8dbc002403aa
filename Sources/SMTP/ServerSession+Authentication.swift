// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// What a listener offers to clients that want to authenticate.
package struct AuthenticationOffer: Hashable, Sendable {
    /// Applications with passwords are known.
    package var hasPasswords = false
    /// Applications with certificates are known.
    package var hasCertificates = false
    /// The client is on this machine: nobody listens on the way.
    package var isLocal = false

    package init(hasPasswords: Bool = false, hasCertificates: Bool = false, isLocal: Bool = false) {
        self.hasPasswords = hasPasswords
        self.hasCertificates = hasCertificates
        self.isLocal = isLocal
    }
}

/// Who the client is, and how it shows it (RFC 4954).
extension ServerSession {
    /// Octets of a line that answers a challenge, with its CRLF (RFC 4954 §4).
    package static let maximumResponseOctets = 12_288

    /// What holds for the one who submits here; nil for a client that no table is about.
    var terms: SubmissionTerms? { authenticated ?? configuration.terms }

    /// Who submits here.
    package var principal: Principal {
        if let terms { return terms.principal }
        let name = peerAddress ?? peerUserID.map { "uid \($0)" } ?? "local"
        return Principal(application: nil, name: name, isAuthenticated: false)
    }

    /// By AUTH, or because of what is known of the peer.
    var maySubmit: Bool { authenticated != nil || configuration.maySubmit || configuration.terms != nil }

    var maximumMessageOctets: Int {
        min(configuration.maximumMessageOctets, terms?.maximumMessageOctets ?? .max)
    }

    var maximumRecipients: Int {
        min(configuration.maximumRecipients, terms?.maximumRecipients ?? .max)
    }

    /// RFC 3848: S for TLS, A for a client that has authenticated; all but SMTP itself say that EHLO was used.
    func protocolName(of hello: Hello) -> String {
        guard hello.isExtended else { return "SMTP" }
        return "ESMTP" + (isSecure ? "S" : "") + (principal.isAuthenticated ? "A" : "")
    }

    /// Whether a secret may be said here at all.
    private var isPrivate: Bool { isSecure || configuration.authentication.isLocal }

    /// In the order of preference; empty where nothing is offered.
    var mechanisms: [AuthenticationMechanism] {
        guard authenticated == nil, isPrivate else { return [] }
        var mechanisms: [AuthenticationMechanism] = []
        if configuration.authentication.hasPasswords { mechanisms += [.scramSHA256, .plain, .login] }
        if configuration.authentication.hasCertificates, hasCertificate { mechanisms.append(.external) }
        return mechanisms
    }

    /// RFC 4954 §3: the keyword with the names of all mechanisms; nil where there are none.
    var authenticationKeyword: String? {
        let names = mechanisms.map(\.rawValue)
        return names.isEmpty ? nil : "AUTH " + names.joined(separator: " ")
    }

    /// Why nobody may submit here without showing who it is.
    var authenticationRequired: Reply {
        if !mechanisms.isEmpty { return .authenticationNeeded }
        let offer = configuration.authentication
        return !isPrivate && (offer.hasPasswords || offer.hasCertificates)
            ? .secureAuthenticationNeeded : .authenticationRequired
    }

    /// Forgets who the client is: what was said before TLS does not hold in it (RFC 3207 §4.2).
    mutating func forgetAuthentication() {
        authenticated = nil
    }
}

// MARK: Events

extension ServerSession {
    /// AUTH was read.
    mutating func authenticate(_ name: String, _ initialResponse: [UInt8]?) -> OnInput {
        let offer = configuration.authentication
        guard offer.hasPasswords || offer.hasCertificates else { return refuse(.notImplemented) }
        guard let hello, hello.isExtended else { return refuse(.greetExtended) }
        // RFC 4954 §4: once, and not in a transaction.
        guard authenticated == nil else { return refuse(.authenticatedAlready) }
        guard transaction == nil else { return refuse(.nestedMail) }
        guard isPrivate else { return refuse(.encryptionNeeded) }
        guard let mechanism = mechanisms.first(where: { $0.rawValue == name }) else {
            return refuse(.mechanismUnknown)
        }
        var exchange = AuthenticationExchange(mechanism)
        guard let initialResponse else { return take(exchange.begin(initialResponse: nil), exchange) }
        guard let response = Base64Text.decode(initialResponse) else { return refuse(.notBase64) }
        return take(exchange.begin(initialResponse: response), exchange)
    }

    /// The client's answer to a challenge.
    mutating func responseRead(_ line: LineDecoder.Line, _ exchange: AuthenticationExchange) -> OnInput {
        state = .command
        switch line {
        case .line(let octets):
            // RFC 4954 §4: an asterisk alone gives up.
            if octets == [UInt8(ascii: "*")] { return refuse(.authenticationCancelled) }
            guard let response = Base64Text.decode(octets) else { return refuse(.notBase64) }
            var exchange = exchange
            return take(exchange.received(response), exchange)
        case .tooLong:
            return refuse(.responseTooLong)
        case .endless:
            return .replyAndClose(closing(.tooManyErrors))
        }
    }

    /// The answer to `ask`.
    package mutating func authenticationAnswered(_ answer: AuthenticationAnswer) -> OnInput {
        guard case .verification(var exchange) = state else { preconditionFailure("nobody was asked") }
        state = .command
        switch answer {
        case .challenge(let challenge): return take(exchange.answered(challenge), exchange)
        case .accepted(let terms, let signature):
            return take(exchange.accepted(terms, serverSignature: signature), exchange)
        case .rejected: return refuse(.authenticationFailed)
        case .unavailable: return refuse(.authenticationUnavailable)
        case .lockedOut: return .replyAndClose(closing(.tooManyFailures))
        }
    }

    private mutating func take(_ step: AuthenticationExchange.Step, _ exchange: AuthenticationExchange) -> OnInput {
        switch step {
        case .challenge(let message):
            responses = LineDecoder(maximumOctets: ServerSession.maximumResponseOctets)
            state = .authentication(exchange)
            return .reply(Reply(challenge: message))
        case .ask(let question):
            state = .verification(exchange)
            return .ask(question)
        case .succeeded(let terms):
            authenticated = terms
            return .reply(.authenticated)
        case .malformed:
            return refuse(.responseMalformed)
        }
    }
}

extension Reply {
    static let authenticated = Reply(235, EnhancedStatusCode(2, 7, 0), "Authenticated")
    static let authenticationCancelled = Reply(501, EnhancedStatusCode(5, 0, 0), "Authentication cancelled")
    static let notBase64 = Reply(501, EnhancedStatusCode(5, 5, 2), "That is not base64")
    static let responseMalformed = Reply(501, EnhancedStatusCode(5, 5, 2), "The mechanism knows no such message")
    static let responseTooLong = Reply(500, EnhancedStatusCode(5, 5, 6), "Authentication exchange line too long")
    static let mechanismUnknown = Reply(504, EnhancedStatusCode(5, 5, 4), "Mechanism not offered; EHLO tells which are")
    static let encryptionNeeded = Reply(
        538, EnhancedStatusCode(5, 7, 11), "Encryption required to authenticate; start TLS first")
    /// One answer, whatever was wrong.
    static let authenticationFailed = Reply(535, EnhancedStatusCode(5, 7, 8), "Authentication failed")
    static let authenticationUnavailable = Reply(
        454, EnhancedStatusCode(4, 7, 0), "Authentication not possible for the moment, try again later")
    static let tooManyFailures = Reply(
        421, EnhancedStatusCode(4, 7, 0), "Too many failures to authenticate, try again later")
    static let authenticatedAlready = Reply(503, EnhancedStatusCode(5, 5, 1), "Authenticated already")
    static let greetExtended = Reply(503, EnhancedStatusCode(5, 5, 1), "Send EHLO first")
    static let authenticationNeeded = Reply(530, EnhancedStatusCode(5, 7, 0), "Authentication required")
    static let secureAuthenticationNeeded = Reply(
        530, EnhancedStatusCode(5, 7, 0), "Authentication required; start TLS first")

    /// RFC 4954 §4: a challenge stands in base64 behind 334, also an empty one.
    init(challenge message: [UInt8]) {
        self.init(334, Base64Text.encode(message))
    }
}
