// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// AuthenticationExchange is in charge of what is said between AUTH and its last reply (RFC 4954 §4): the messages of
/// each mechanism, decoded, and the questions that they lead to.
///
///     C: AUTH PLAIN
///     S: 334
///     C: AG5ld3MAc2VjcmV0
///     S: 235 2.7.0 Authenticated
///
/// It checks no secret and knows no socket.
struct AuthenticationExchange: Sendable {
    enum Step: Hashable, Sendable {
        /// Say 334 with this, and pass on what the client says.
        case challenge([UInt8])
        case ask(AuthenticationQuestion)
        /// The client has confirmed the end.
        case succeeded(SubmissionTerms)
        /// What it says makes no sense.
        case malformed
    }

    private enum State {
        /// Nothing was said yet.
        case start
        case loginName
        case loginPassword(name: String)
        case scram(ScramExchange)
        /// The server's last message is out; the client answers with an empty one.
        case confirmation(SubmissionTerms)
        case over
    }

    let mechanism: AuthenticationMechanism
    private var state = State.start

    init(_ mechanism: AuthenticationMechanism) {
        self.mechanism = mechanism
    }

    /// The first step.
    ///
    /// - Parameter initialResponse: nil if AUTH had none.
    mutating func begin(initialResponse: [UInt8]?) -> Step {
        if let initialResponse { return received(initialResponse) }
        // Each mechanism here begins with the client; LOGIN asks in words of its own.
        if mechanism == .login {
            state = .loginName
            return .challenge(Array("Username:".utf8))
        }
        return .challenge([])
    }

    /// The client's next message, decoded.
    mutating func received(_ message: [UInt8]) -> Step {
        switch (mechanism, state) {
        case (.plain, .start):
            state = .over
            return AuthenticationExchange.plain(message)
        case (.external, .start):
            state = .over
            guard let name = AuthenticationExchange.text(message) else { return .malformed }
            return .ask(.certificate(name: name))
        case (.login, .start), (.login, .loginName):
            guard let name = AuthenticationExchange.text(message), !name.isEmpty else { return .malformed }
            state = .loginPassword(name: name)
            return .challenge(Array("Password:".utf8))
        case (.login, .loginPassword(let name)):
            state = .over
            return .ask(.password(name: name, password: message))
        case (.scramSHA256, .start):
            guard let exchange = ScramExchange(clientFirst: message) else { return .malformed }
            state = .scram(exchange)
            return .ask(.challenge(name: exchange.name))
        case (_, .scram(let exchange)):
            guard let proof = exchange.proof(clientFinal: message) else { return .malformed }
            return .ask(.proof(proof))
        case (_, .confirmation(let terms)):
            state = .over
            return message.isEmpty ? .succeeded(terms) : .malformed
        case (_, .start), (_, .loginName), (_, .loginPassword), (_, .over):
            return .malformed
        }
    }

    /// The answer to a question that went well.
    mutating func answered(_ challenge: ScramChallenge) -> Step {
        guard case .scram(var exchange) = state else { return .malformed }
        let message = exchange.serverFirst(challenge)
        state = .scram(exchange)
        return .challenge(message)
    }

    /// The client is who it says.
    mutating func accepted(_ terms: SubmissionTerms, serverSignature: [UInt8]) -> Step {
        guard mechanism == .scramSHA256 else {
            state = .over
            return .succeeded(terms)
        }
        // RFC 4954 §4: SMTP has no place for the server's last message in 235, so it goes into one more challenge.
        state = .confirmation(terms)
        return .challenge(Array("v=\(Base64Text.encode(serverSignature))".utf8))
    }

    /// RFC 4616 §2: authzid NUL authcid NUL passwd.
    private static func plain(_ message: [UInt8]) -> Step {
        let parts = message.split(separator: 0, omittingEmptySubsequences: false)
        guard parts.count == 3, let authorizationName = text(parts[0]), let name = text(parts[1]), !name.isEmpty,
            !parts[2].isEmpty
        else { return .malformed }
        // Nobody here may act for another: a name that differs is one that does not exist.
        let isItself = authorizationName.isEmpty || authorizationName.utf8.elementsEqual(name.utf8)
        return .ask(.password(name: isItself ? name : "", password: Array(parts[2])))
    }

    /// Nil if it is no text that can be a name.
    static func text(_ octets: some Collection<UInt8>) -> String? {
        guard octets.count <= 255, octets.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
        return String(validating: octets, as: UTF8.self)
    }
}
