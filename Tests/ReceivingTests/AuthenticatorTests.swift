// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import NIOCore
import NIOPosix
import SMTP
import Synchronization
import Testing

@testable import Receiving

/// What is answered to whom, how late, and when nothing is any more.
///
/// The clock is a number.
@Suite struct AuthenticatorTests {
    private final class Fixture: Sendable {
        let pool = NIOThreadPool(numberOfThreads: 1)
        let authenticator: Authenticator
        let events: Log

        init() throws {
            pool.start()
            let log = Log()
            self.events = log
            authenticator = Authenticator(threadPool: pool, events: { log.add("\($0)") })
            var passwords = PasswordTable()
            let verifier = ScramVerifier(
                password: Array("secret".utf8), salt: [UInt8](repeating: 7, count: 16), iterations: 4096)
            passwords.set(verifier, for: "news")
            passwords.set(verifier, for: "shop")
            authenticator.replace(
                Applications(
                    [
                        Application(name: "news", usesPassword: true, certificateNames: ["news.example"]),
                        // It has a verifier, and may not use it.
                        Application(name: "shop", networks: []),
                    ], passwords: passwords))
        }

        func ask(_ question: AuthenticationQuestion, from peer: Peer, at seconds: UInt64 = 0) async
            -> Authenticator.Outcome
        {
            await withCheckedContinuation { continuation in
                authenticator.decide(question, from: peer, now: { seconds * 1_000_000_000 }) {
                    continuation.resume(returning: $0)
                }
            }
        }

        func password(_ name: String, _ password: String, from peer: Peer, at seconds: UInt64 = 0) async
            -> Authenticator.Outcome
        {
            await ask(.password(name: name, password: Array(password.utf8)), from: peer, at: seconds)
        }
    }

    private final class Log: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }

    private func peer(_ address: String) throws -> Peer {
        Peer(try SocketAddress(ipAddress: address, port: 1))
    }

    private var terms: SubmissionTerms {
        SubmissionTerms(principal: Principal(application: "news", name: "news", isAuthenticated: true))
    }

    @Test func theRightPasswordIsTakenAndRememberedAndOthersAreNot() async throws {
        let fixture = try Fixture()
        let local = try peer("127.0.0.1")
        #expect(await fixture.password("news", "secret", from: local).answer == .accepted(terms))
        #expect(await fixture.password("news", "secret", from: local).answer == .accepted(terms))
        for (name, password) in [("news", "Secret"), ("nobody", "secret"), ("", "secret"), ("shop", "secret")] {
            let outcome = await fixture.password(name, password, from: local)
            #expect(outcome.answer == .rejected, "\(name)")
            #expect(outcome.delay > 0)
        }
        // After a change of the password nothing remembered lets anybody in.
        fixture.authenticator.replace(
            Applications([Application(name: "news", usesPassword: true)], passwords: PasswordTable()))
        #expect(await fixture.password("news", "secret", from: local).answer == .rejected)
        #expect(!fixture.events.all.joined().lowercased().contains("secret"))
        try await fixture.pool.shutdownGracefully()
    }

    @Test func theSaltTellsNobodyWhoIsThere() async throws {
        let fixture = try Fixture()
        let local = try peer("127.0.0.1")
        var salts: [[UInt8]] = []
        for name in ["news", "nobody", "nobody"] {
            guard case .challenge(let challenge) = await fixture.ask(.challenge(name: name), from: local).answer else {
                Issue.record("no challenge for \(name)")
                continue
            }
            #expect(challenge.salt.count == 16 && challenge.iterations == 4096)
            #expect(!challenge.nonce.contains(","))
            salts.append(challenge.salt)
        }
        #expect(salts.count == 3 && salts[1] == salts[2] && salts[0] != salts[1])
        try await fixture.pool.shutdownGracefully()
    }

    @Test func aCertificateIsForTheApplicationThatNamesIt() async throws {
        let fixture = try Fixture()
        var known = try peer("192.0.2.7")
        known.certificateNames = ["other.example", "NEWS.example"]
        #expect(await fixture.ask(.certificate(name: ""), from: known).answer == .accepted(terms))
        #expect(await fixture.ask(.certificate(name: "news"), from: known).answer == .accepted(terms))
        #expect(await fixture.ask(.certificate(name: "shop"), from: known).answer == .rejected)
        #expect(await fixture.ask(.certificate(name: ""), from: try peer("192.0.2.7")).answer == .rejected)
        try await fixture.pool.shutdownGracefully()
    }

    @Test func whoGuessesWaitsLongerAndLongerAndIsThenLockedOut() async throws {
        let fixture = try Fixture()
        let stranger = try peer("2001:db8::1")
        var delays: [UInt64] = []
        for number in 0..<FailureTable.maximumPerAddress {
            // Another name and another address of the same network each time: it is the same host.
            let peer = try peer("2001:db8::\(number + 1)")
            delays.append(await fixture.password("name\(number)", "secret", from: peer).delay / 1_000_000)
        }
        #expect(delays == [500, 1000, 2000, 4000, 8000, 8000, 8000, 8000, 8000, 8000])
        #expect(await fixture.password("news", "secret", from: stranger).answer == .lockedOut)
        #expect(fixture.events.all.last?.contains("lockedOut") == true)
        // Others come in, and after a while so does this one.
        #expect(await fixture.password("news", "secret", from: try peer("192.0.2.7")).answer == .accepted(terms))
        #expect(await fixture.password("news", "secret", from: stranger, at: 1000).answer == .accepted(terms))
        try await fixture.pool.shutdownGracefully()
    }

    @Test func programsOfThisMachineDoNotLockEachOtherOut() async throws {
        let fixture = try Fixture()
        let local = try peer("127.0.0.1")
        for _ in 0..<(FailureTable.maximumPerAddress + 1) {
            #expect(await fixture.password("nobody", "x", from: local).answer == .rejected)
        }
        #expect(await fixture.password("news", "secret", from: local).answer == .accepted(terms))
        try await fixture.pool.shutdownGracefully()
    }
}

/// The counting, without secrets.
@Suite struct FailureTableTests {
    @Test func aNameIsLockedButNotForWhoHasBeenInAsIt() {
        var table = FailureTable()
        table.succeeded(address: "192.0.2.1", name: "news")
        for number in 0..<FailureTable.maximumPerName {
            #expect(table.verdict(address: "198.51.100.\(number)", name: "news", now: 0) == .mayTry)
            let failure = table.failed(address: "198.51.100.\(number)", name: "news", now: 0)
            #expect(failure.locked == (number == FailureTable.maximumPerName - 1 ? [.name("news")] : []))
        }
        #expect(table.verdict(address: "203.0.113.9", name: "news", now: 0) == .nameLocked)
        #expect(table.verdict(address: "192.0.2.1", name: "news", now: 0) == .mayTry)
        #expect(table.verdict(address: "203.0.113.9", name: "shop", now: 0) == .mayTry)
        #expect(table.verdict(address: "203.0.113.9", name: "news", now: FailureTable.memory + 1) == .mayTry)
    }

    @Test func theTableIsBoundedWhoeverComes() {
        var table = FailureTable()
        for number in 0..<(FailureTable.maximumEntries * 2) {
            _ = table.failed(address: "\(number)", name: "name \(number)", now: UInt64(number))
            #expect(table.count <= FailureTable.maximumEntries)
        }
        // The last are still there.
        for _ in 1..<FailureTable.maximumPerAddress { _ = table.failed(address: "19999", name: "", now: 20_000) }
        #expect(table.verdict(address: "19999", name: "", now: 20_000) == .addressLocked)
    }
}
