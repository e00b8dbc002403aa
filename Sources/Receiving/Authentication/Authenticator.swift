// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Crypto
internal import Mail
internal import NIOCore
internal import NIOPosix
internal import SMTP
internal import Synchronization

/// Authenticator is in charge of answering what sessions ask about secrets, so that an answer tells nothing but yes or
/// no, and no number of questions keeps the relay from its work.
///
/// - A wrong name costs as much work as a wrong password and gets the same answer, after the same delay.
/// - Slow derivations run on threads of their own, of which few can wait.
/// - A password that was right is known by a keyed hash, so that an application's next session costs nothing.
final class Authenticator: Sendable {
    /// Derivations that run or wait.
    static let maximumPending = 64
    private static let nonceOctets = 18

    private struct State {
        var applications = Applications()
        var failures = FailureTable()
        /// By name: the keyed hash of the last password that was right, and of the verifier that said so.
        var recent: [String: [UInt8]] = [:]
        var pending = 0
    }

    /// What an answer is, and how long it has to wait.
    struct Outcome: Hashable, Sendable {
        var answer: AuthenticationAnswer
        /// In nanoseconds.
        var delay: UInt64 = 0
    }

    private let threadPool: NIOThreadPool
    private let events: EventSink
    private let state = Mutex(State())
    private let cacheKey = SymmetricKey(size: .bits256)

    /// - Parameter threadPool: for what takes its time.
    init(threadPool: NIOThreadPool, events: @escaping EventSink) {
        self.threadPool = threadPool
        self.events = events
    }

    var applications: Applications {
        state.withLock { $0.applications }
    }

    /// For all questions from now on.
    func replace(_ applications: Applications) {
        state.withLock { state in
            state.applications = applications
            state.recent = state.recent.filter { applications.passwords.contains($0.key) }
        }
    }

    /// Answers on the event loop, when the answer's time has come.
    func answer(
        _ question: AuthenticationQuestion, from peer: Peer, on eventLoop: any EventLoop
    ) -> EventLoopFuture<AuthenticationAnswer> {
        let promise = eventLoop.makePromise(of: AuthenticationAnswer.self)
        decide(question, from: peer, now: { NIODeadline.now().uptimeNanoseconds }) { outcome in
            guard outcome.delay > 0 else { return promise.succeed(outcome.answer) }
            eventLoop.scheduleTask(in: .nanoseconds(Int64(outcome.delay))) { promise.succeed(outcome.answer) }
        }
        return promise.futureResult
    }

    /// - Parameter completion: called once, here or on a thread of the pool.
    func decide(
        _ question: AuthenticationQuestion, from peer: Peer, now: @escaping @Sendable () -> UInt64,
        _ completion: @escaping @Sendable (Outcome) -> Void
    ) {
        let address = Authenticator.countedAddress(of: peer)
        let (verdict, applications) = state.withLock { state in
            (state.failures.verdict(address: address, name: question.name, now: now()), state.applications)
        }
        switch verdict {
        case .addressLocked: return completion(Outcome(answer: .lockedOut))
        case .nameLocked: return completion(Outcome(answer: .unavailable))
        case .mayTry: break
        }
        switch question {
        case .challenge(let name):
            let verifier = applications.passwords.verifier(of: name)
            let nonce = Base64Text.encode(PasswordTable.random(Authenticator.nonceOctets))
            completion(
                Outcome(
                    answer: .challenge(
                        ScramChallenge(salt: verifier.salt, iterations: verifier.iterations, nonce: nonce))))
        case .proof(let proof):
            let signature = applications.passwords.verifier(of: proof.name).serverSignature(for: proof)
            let terms = applications.terms(ofName: proof.name)
            completion(end(signature == nil ? nil : terms, signature ?? [], question, peer, now()))
        case .certificate(let name):
            completion(
                end(applications.terms(ofCertificate: peer.certificateNames, as: name), [], question, peer, now()))
        case .password(let name, let password):
            check(password, of: name, applications) { [self] isRight in
                guard let isRight else { return completion(Outcome(answer: .unavailable)) }
                completion(end(isRight ? applications.terms(ofName: name) : nil, [], question, peer, now()))
            }
        }
    }

    /// - Parameter completion: nil if too many are waiting.
    private func check(
        _ password: [UInt8], of name: String, _ applications: Applications,
        _ completion: @escaping @Sendable (Bool?) -> Void
    ) {
        let verifier = applications.passwords.verifier(of: name)
        let code = cacheCode(name, password, verifier)
        let known = state.withLock { state -> Bool? in
            if let recent = state.recent[name], ConstantTime.areEqual(recent, code) { return true }
            guard state.pending < Authenticator.maximumPending else { return nil }
            state.pending += 1
            return false
        }
        guard known == false else { return completion(known) }
        threadPool.submit { [self] workState in
            // The pool is shutting down: nobody is refused for that.
            let isRight = workState == .active ? verifier.matches(password) : nil
            state.withLock { state in
                state.pending -= 1
                // Only of names that have a verifier, so that there are never many.
                guard isRight == true, state.applications.passwords.verifier(of: name) == verifier else { return }
                state.recent[name] = code
            }
            completion(isRight)
        }
    }

    /// Means nothing to anybody without the key, which only this process has.
    private func cacheCode(_ name: String, _ password: [UInt8], _ verifier: ScramVerifier) -> [UInt8] {
        let prefix = Array(name.utf8) + [0] + verifier.storedKey
        return Array(HMAC<SHA256>.authenticationCode(for: prefix + password, using: cacheKey))
    }

    private func end(
        _ terms: SubmissionTerms?, _ signature: [UInt8], _ question: AuthenticationQuestion, _ peer: Peer, _ now: UInt64
    ) -> Outcome {
        let address = Authenticator.countedAddress(of: peer)
        if let terms {
            state.withLock { $0.failures.succeeded(address: address, name: terms.principal.name) }
            events(.authenticated(application: terms.principal.name))
            return Outcome(answer: .accepted(terms, serverSignature: signature))
        }
        let (failure, isKnown) = state.withLock { state in
            (
                state.failures.failed(address: address, name: question.name, now: now),
                state.applications.applications.contains { $0.name == question.name }
            )
        }
        // A name that is no application's may be a password in the wrong place: it goes nowhere.
        events(
            .authenticationFailed(
                application: isKnown ? question.name : nil, address: peer.address ?? "local"))
        for key in failure.locked {
            switch key {
            case .address(let address): events(.lockedOut(.address(address)))
            case .name(let name): if isKnown { events(.lockedOut(.application(name))) }
            }
        }
        return Outcome(answer: .rejected, delay: failure.delay)
    }

    /// Nil for a program of this machine, which shares its address with all the others.
    private static func countedAddress(of peer: Peer) -> String? {
        peer.isLocal ? nil : peer.address.map(NetworkPrefix.host)
    }
}
