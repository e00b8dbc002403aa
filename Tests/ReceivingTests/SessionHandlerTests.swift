// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Logging
import Mail
import NIOCore
import NIOEmbedded
import NIOPosix
import SMTP
import Testing

@testable import Receiving

/// The handler on an embedded channel: time stands still until a test moves it.
@Suite struct SessionHandlerTests {
    /// One embedded session.
    final class Fixture {
        let intake: FakeIntake
        let channel: EmbeddedChannel
        let register = SessionRegister(maximumSessions: 10, maximumPerAddress: nil)
        let pool = NIOThreadPool(numberOfThreads: 1)

        init(intake: FakeIntake = FakeIntake(), maySubmit: Bool = true) throws {
            self.intake = intake
            channel = EmbeddedChannel()
            let environment = SessionHandler.Environment(
                intake: intake, authenticator: Authenticator(threadPool: pool, events: { _ in }),
                rates: RateLimiter(), events: { _ in }, threadPool: pool, register: register,
                logger: Logger(label: "test") { _ in
                    SwiftLogNoOpLogHandler()
                }, idleTime: .minutes(5), transactionTime: .minutes(30))
            let configuration = ServerSession.Configuration(
                hostname: "relay.example.com", maximumMessageOctets: 1000, maximumRecipients: 100,
                maximumCommandOctets: 4096, maximumErrors: 20, maySubmit: maySubmit)
            let peer = Peer(try SocketAddress(ipAddress: "127.0.0.1", port: 1))
            _ = register.admit(channel, from: peer)
            try channel.pipeline.syncOperations.addHandler(
                SessionHandler(environment, configuration: configuration, peer: peer))
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        }

        func greeted() throws -> Fixture {
            channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
            #expect(try writes() == ["220 relay.example.com ESMTP Waxwing\r\n"])
            return self
        }

        func send(_ text: String) throws {
            try channel.writeInbound(ByteBuffer(string: text))
        }

        /// What was written since the last call, one element a write.
        func writes() throws -> [String] {
            var writes: [String] = []
            while let buffer = try channel.readOutbound(as: ByteBuffer.self) { writes.append(String(buffer: buffer)) }
            return writes.filter { !$0.isEmpty }
        }

        func wait(_ time: TimeAmount) {
            channel.embeddedEventLoop.advanceTime(by: time)
        }
    }

    private let transaction = "HELO client\r\nMAIL FROM:<ada@example.com>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"

    @Test func repliesOfABatchLeaveTogether() throws {
        let fixture = try Fixture().greeted()
        try fixture.send(transaction)
        #expect(
            try fixture.writes() == [
                "250 relay.example.com\r\n250 2.1.0 Sender OK\r\n250 2.1.5 Recipient OK\r\n"
                    + "354 End data with <CR><LF>.<CR><LF>\r\n"
            ])
    }

    @Test func aMessageIsAnsweredWhenTheIntakeAnswers() throws {
        let fixture = try Fixture().greeted()
        fixture.intake.holdAnswers()
        try fixture.send(transaction)
        _ = try fixture.writes()
        try fixture.send("Subject: one\r\n")
        try fixture.send("\r\n.\r\n")
        #expect(try fixture.writes() == [])
        fixture.intake.releaseAnswers()
        fixture.channel.embeddedEventLoop.run()
        #expect(try fixture.writes() == ["250 2.0.0 queued as 0000000020001\r\n"])
        let message = try #require(fixture.intake.messages.first)
        #expect(message.content == Array("Subject: one\r\n\r\n".utf8))
        #expect(message.submission.envelope.recipients.map(\.description) == ["bob@example.org"])
        #expect(
            message.submission.client
                == ClientDescription(heloName: "client", address: "127.0.0.1", protocolName: "SMTP"))
        #expect(fixture.intake.misuses == [])
    }

    @Test func whatComesWhileTheIntakeIsBusyWaitsItsTurn() throws {
        let fixture = try Fixture().greeted()
        fixture.intake.holdAnswers()
        try fixture.send(transaction)
        try fixture.send("a\r\n.\r\nNOOP\r\nQUIT\r\n")
        _ = try fixture.writes()
        fixture.intake.releaseAnswers()
        fixture.channel.embeddedEventLoop.run()
        #expect(
            try fixture.writes() == ["250 2.0.0 queued as 0000000020001\r\n250 2.0.0 OK\r\n221 2.0.0 Bye\r\n"])
        #expect(!fixture.channel.isActive)
    }

    @Test func whoTalksBeforeTheGreetingIsTurnedAway() throws {
        let fixture = try Fixture()
        try fixture.send("EHLO client\r\n")
        fixture.wait(.milliseconds(1))
        #expect(try fixture.writes() == ["554 5.5.0 Client talks before its turn\r\n"])
        fixture.wait(.seconds(3))
        #expect(!fixture.channel.isActive)
        #expect(fixture.register.counts.open == 0)
    }

    @Test func anIdleSessionEnds() throws {
        let fixture = try Fixture().greeted()
        fixture.wait(.minutes(4))
        try fixture.send("NOOP\r\n")
        #expect(try fixture.writes() == ["250 2.0.0 OK\r\n"])
        fixture.wait(.minutes(4))
        #expect(try fixture.writes() == [])
        fixture.wait(.minutes(1))
        #expect(try fixture.writes() == ["421 4.4.2 Time is up\r\n"])
        fixture.wait(.seconds(3))
        #expect(!fixture.channel.isActive)
    }

    @Test func aTrickleOfOctetsIsNoCommand() throws {
        let fixture = try Fixture().greeted()
        for _ in 0..<10 {
            try fixture.send("x")
            fixture.wait(.seconds(31))
        }
        #expect(try fixture.writes() == ["421 4.4.2 Time is up\r\n"])
    }

    @Test func aTransactionHasATimeOfItsOwn() throws {
        let fixture = try Fixture().greeted()
        fixture.wait(.minutes(2))
        try fixture.send(transaction)
        _ = try fixture.writes()
        for _ in 0..<29 {
            try fixture.send("x")
            fixture.wait(.minutes(1))
        }
        #expect(try fixture.writes() == [])
        try fixture.send("x")
        fixture.wait(.minutes(1))
        #expect(try fixture.writes() == ["421 4.4.2 Time is up\r\n"])
        #expect(fixture.intake.aborted == 1)
    }

    @Test func theIntakeMayTakeItsTime() throws {
        let fixture = try Fixture().greeted()
        fixture.intake.holdAnswers()
        try fixture.send(transaction)
        try fixture.send(".\r\n")
        _ = try fixture.writes()
        fixture.wait(.hours(2))
        #expect(try fixture.writes() == [])
        fixture.intake.releaseAnswers()
        fixture.channel.embeddedEventLoop.run()
        #expect(try fixture.writes() == ["250 2.0.0 queued as 0000000020001\r\n"])
        fixture.wait(.minutes(4))
        #expect(try fixture.writes() == [])
    }

    @Test func aClientThatLeavesAbortsItsContent() throws {
        let fixture = try Fixture().greeted()
        try fixture.send(transaction)
        try fixture.send("Subject: one\r\n")
        try fixture.channel.close().wait()
        #expect(fixture.intake.aborted == 1)
        #expect(fixture.intake.messages.isEmpty)
        #expect(fixture.intake.misuses == [])
        #expect(fixture.register.counts.open == 0)
    }

    @Test func aClientThatLeavesAfterTheEndOfDataLeavesItsMessage() throws {
        let fixture = try Fixture().greeted()
        fixture.intake.holdAnswers()
        try fixture.send(transaction)
        try fixture.send("Subject: one\r\n.\r\n")
        try fixture.channel.close().wait()
        fixture.intake.releaseAnswers()
        fixture.channel.embeddedEventLoop.run()
        #expect(fixture.intake.aborted == 0)
        #expect(fixture.intake.messages.count == 1)
        #expect(fixture.intake.misuses == [])
    }

    @Test func aRefusedContentIsAbortedAtOnce() throws {
        let fixture = try Fixture().greeted()
        try fixture.send(transaction)
        try fixture.send("a\nb\r\n")
        #expect(fixture.intake.aborted == 1)
        _ = try fixture.writes()
        try fixture.send(".\r\n")
        #expect(try fixture.writes() == ["550 5.5.2 bare LF/CR received; lines end with CRLF\r\n"])
        #expect(fixture.intake.misuses == [])
    }

    @Test func aDrainLetsTheTransactionFinish() throws {
        let fixture = try Fixture().greeted()
        try fixture.send(transaction)
        _ = try fixture.writes()
        fixture.channel.pipeline.fireUserInboundEventTriggered(DrainEvent())
        #expect(try fixture.writes() == [])
        try fixture.send(".\r\n")
        fixture.channel.embeddedEventLoop.run()
        #expect(
            try fixture.writes() == [
                "250 2.0.0 queued as 0000000020001\r\n421 4.3.2 Shutting down, try again later\r\n"
            ])
        fixture.wait(.seconds(3))
        #expect(!fixture.channel.isActive)
    }

    @Test func aDrainEndsAnIdleSession() throws {
        let fixture = try Fixture().greeted()
        fixture.channel.pipeline.fireUserInboundEventTriggered(DrainEvent())
        #expect(try fixture.writes() == ["421 4.3.2 Shutting down, try again later\r\n"])
        try fixture.send("NOOP\r\n")
        #expect(try fixture.writes() == [])
        fixture.wait(.seconds(3))
        #expect(!fixture.channel.isActive)
    }

    @Test func aClientThatEndsItsSideStillGetsItsReplies() throws {
        let fixture = try Fixture().greeted()
        fixture.intake.holdAnswers()
        try fixture.send(transaction)
        _ = try fixture.writes()
        try fixture.send("Subject: one\r\n.\r\n")
        fixture.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(fixture.channel.isActive)
        fixture.intake.releaseAnswers()
        fixture.channel.embeddedEventLoop.run()
        #expect(try fixture.writes() == ["250 2.0.0 queued as 0000000020001\r\n"])
        #expect(!fixture.channel.isActive)
    }

    @Test func anUnfinishedContentOfAClientThatEndsItsSideIsAborted() throws {
        let fixture = try Fixture().greeted()
        try fixture.send(transaction)
        try fixture.send("Subject: one\r\n")
        fixture.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(!fixture.channel.isActive)
        #expect(fixture.intake.aborted == 1)
        #expect(fixture.intake.misuses == [])
    }

    @Test(
        "peers are told apart",
        arguments: [
            ("127.0.0.1", "127.0.0.1", true), ("127.9.9.9", "127.9.9.9", true), ("192.0.2.1", "192.0.2.1", false),
            ("::1", "::1", true), ("::ffff:127.0.0.1", "127.0.0.1", true), ("::ffff:192.0.2.1", "192.0.2.1", false),
            ("2001:db8::1", "2001:db8::1", false), ("::", "::", false), ("0.0.0.0", "0.0.0.0", false),
        ])
    func peers(_ given: String, _ address: String, _ isLoopback: Bool) throws {
        let peer = Peer(try SocketAddress(ipAddress: given, port: 25))
        #expect(peer.address == address)
        #expect(peer.isLoopback == isLoopback)
    }
}
