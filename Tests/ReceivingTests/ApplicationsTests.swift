// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import NIOCore
import SMTP
import Testing

@testable import Receiving

/// Who may submit without saying a word, from where.
@Suite struct ApplicationsTests {
    private func peer(_ address: String) throws -> Peer {
        Peer(try SocketAddress(ipAddress: address, port: 1))
    }

    private func peer(user: UInt32) -> Peer {
        var peer = Peer(nil)
        peer.userID = user
        return peer
    }

    private func network(_ text: String) throws -> NetworkPrefix {
        try #require(NetworkPrefix(text))
    }

    @Test("without any application nobody but programs of this machine may submit")
    func noOpenRelay() throws {
        let applications = Applications()
        for address in ["192.0.2.7", "10.0.0.1", "192.168.1.1", "::", "fe80::1", "2001:db8::1", "0.0.0.0", "128.0.0.1"]
        {
            let peer = try peer(address)
            #expect(!applications.allowsUnclaimed(peer) && applications.terms(of: peer) == nil, "\(address)")
        }
        #expect(!applications.hasPasswords && !applications.hasCertificates)
        for address in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            #expect(applications.allowsUnclaimed(try peer(address)), "\(address)")
        }
        #expect(applications.allowsUnclaimed(peer(user: 1000)))
        #expect(!applications.allowsUnclaimed(peer(user: Applications.overflowUserID)))
        #expect(!applications.allowsUnclaimed(Peer(nil)))
        #expect(!Applications(allowsLocalPeers: false).allowsUnclaimed(try peer("127.0.0.1")))
    }

    @Test func theFirstTableThatNamesAnAddressOrAUserIsTaken() throws {
        let applications = Applications([
            Application(name: "one", networks: [try network("192.0.2.7"), try network("127.0.0.1")]),
            Application(name: "net", networks: [try network("192.0.2.0/24"), try network("2001:db8::/32")]),
            Application(name: "web", userIDs: [33, Applications.overflowUserID], maximumRecipients: 5),
        ])
        func name(_ peer: Peer) -> String? { applications.terms(of: peer)?.principal.application }
        #expect(name(try peer("192.0.2.7")) == "one")
        #expect(name(try peer("::ffff:192.0.2.7")) == "one")
        #expect(name(try peer("192.0.2.8")) == "net")
        #expect(name(try peer("2001:db8:ffff::1")) == "net")
        #expect(name(try peer("127.0.0.1")) == "one")
        #expect(name(try peer("192.0.3.8")) == nil)
        #expect(name(peer(user: 33)) == "web")
        #expect(name(peer(user: 34)) == nil)
        #expect(name(peer(user: Applications.overflowUserID)) == nil)
        #expect(applications.terms(of: peer(user: 33))?.maximumRecipients == 5)
        #expect(applications.terms(of: peer(user: 33))?.principal.isAuthenticated == false)
    }

    @Test(
        "what is neither an address nor a prefix is refused",
        arguments: [
            "", "192.0.2", "192.0.2.1/33", "192.0.2.1/24", "192.0.2.0/", "192.0.2.0/+8", "::1/129", "example.com",
            "1/2/3",
            "192.0.2.0/24/1", "192.0.2.1 ",
        ])
    func notANetwork(_ text: String) {
        #expect(NetworkPrefix(text) == nil)
    }

    @Test func aPrefixSaysItselfAndItsBounds() throws {
        for text in ["192.0.2.7", "192.0.2.0/25", "0.0.0.0/0", "2001:db8::/33", "::1"] {
            #expect(try network(text).description == text)
        }
        #expect(try network("192.0.2.0/25").contains("192.0.2.127"))
        #expect(try !network("192.0.2.0/25").contains("192.0.2.128"))
        #expect(try !network("0.0.0.0/0").contains("::1"))
        #expect(try network("127.0.0.0/8").isLoopback && network("::1").isLoopback)
        #expect(try !network("0.0.0.0/0").isLoopback && !network("126.0.0.0/7").isLoopback)
    }
}

/// Token buckets; the clock is a number.
@Suite struct RateLimiterTests {
    private let news = Principal(application: "news", name: "news", isAuthenticated: true)
    private let second: UInt64 = 1_000_000_000

    private func limiter(_ rates: String...) throws -> RateLimiter {
        let limiter = RateLimiter()
        limiter.replace(["news": try rates.map { text throws(PatternError) in try Rate(text) }])
        return limiter
    }

    @Test func whatIsOverTheRateWaitsAsLongAsTheReplySays() throws {
        let limiter = try limiter("2/min")
        #expect(limiter.admit(news, now: 0) == nil)
        #expect(limiter.admit(news, now: 0) == nil)
        let refusal = try #require(limiter.admit(news, now: 0))
        #expect(refusal.replyCode == 450 && refusal.status == EnhancedStatusCode(4, 7, 1))
        #expect(
            refusal.lines == [
                "Application news hands in more than its rate of 2 messages in 60 s allows; try again in 30 s"
            ])
        #expect(limiter.admit(news, now: 29 * second) != nil)
        #expect(limiter.admit(news, now: 31 * second) == nil)
        #expect(limiter.admit(news, now: 31 * second) != nil)
    }

    @Test func recipientsAndOctetsLeaveADebt() throws {
        let limiter = try limiter("100 recipients/hour", "1 KiB/min", "1000/day")
        #expect(limiter.admit(news, now: 0) == nil)
        limiter.charge(news, .recipients, 200, now: 0)
        limiter.charge(news, .octets, 1, now: 0)
        let refusal = try #require(limiter.admit(news, now: 0))
        #expect(refusal.lines.first?.contains("100 recipients in 3600 s") == true)
        #expect(limiter.admit(news, now: 3500 * second) != nil)
        #expect(limiter.admit(news, now: 3700 * second) == nil)
    }

    @Test func othersAreNotHeldUpAndNewRatesCountAnew() throws {
        let limiter = try limiter("1/day")
        let other = Principal(application: "shop", name: "shop", isAuthenticated: false)
        let local = Principal(application: nil, name: "127.0.0.1", isAuthenticated: false)
        #expect(limiter.admit(news, now: 0) == nil)
        limiter.replace(["news": [try Rate("1/day")], "shop": []])
        #expect(limiter.admit(news, now: 0) != nil, "the same rate keeps its count")
        for _ in 0..<10 {
            #expect(limiter.admit(other, now: 0) == nil)
            #expect(limiter.admit(local, now: 0) == nil)
        }
        limiter.replace(["news": [try Rate("2/day")]])
        #expect(limiter.admit(news, now: 0) == nil)
    }

    @Test(
        "a rate is a number, what it counts and a time",
        arguments: [
            ("100/min", Rate(kind: .messages, amount: 100, period: .minute)),
            ("20000 messages/day", Rate(kind: .messages, amount: 20_000, period: .day)),
            ("1 recipient / h", Rate(kind: .recipients, amount: 1, period: .hour)),
            ("2 GiB/day", Rate(kind: .octets, amount: 2 << 30, period: .day)),
            ("5MiB/hour", Rate(kind: .octets, amount: 5 << 20, period: .hour)),
        ])
    func rates(_ text: String, _ rate: Rate) throws {
        #expect(try Rate(text) == rate)
    }

    @Test(
        "anything else is none",
        arguments: [
            "", "100", "100/", "/min", "0/min", "-1/min", "100/week", "100 mails/min", "1 GB/day",
            "9999999999999999999/min",
            "9000000 TiB/day", "1/min/day", "1.5/min",
        ])
    func notRates(_ text: String) {
        #expect(throws: PatternError.self) { try Rate(text) }
    }
}
