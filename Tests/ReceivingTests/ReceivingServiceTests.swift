// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Logging
import Mail
import NIOCore
import NIOPosix
import Receiving
import SMTP
import ServiceLifecycle
import Testing

/// The service on real sockets of the loopback interface.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ReceivingServiceTests {
    /// A service that listens on a free port for the time of `body`.
    private func withService(
        limits: ReceivingLimits = ReceivingLimits(), intake: FakeIntake = FakeIntake(), listeners: Int = 1,
        _ body: (ReceivingService, Int, FakeIntake) async throws -> Void
    ) async throws {
        let pool = NIOThreadPool(numberOfThreads: 2)
        pool.start()
        let service = ReceivingService(
            configuration: ReceivingConfiguration(
                hostname: "relay.example.com",
                listeners: Array(repeating: ListenerConfiguration(address: "127.0.0.1", port: 0), count: listeners),
                limits: limits),
            intake: intake, group: MultiThreadedEventLoopGroup.singleton, threadPool: pool,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let bound = try await service.bind()
        #expect(bound.count == listeners)
        do {
            try await body(service, bound[0].port, intake)
        } catch {
            Issue.record(error)
        }
        await service.drain(for: .seconds(5))
        #expect(service.sessionCounts.open == 0)
        try await pool.shutdownGracefully()
        #expect(intake.misuses == [])
    }

    private func client<Result: Sendable>(
        _ port: Int, _ body: (inout RawClient.Conversation) async throws -> Result
    ) async throws -> Result {
        try await RawClient.with(port: port, group: MultiThreadedEventLoopGroup.singleton, body)
    }

    private func begin(_ client: inout RawClient.Conversation) async throws {
        #expect(try await client.reply() == "220 relay.example.com ESMTP Waxwing")
        #expect(try await client.ask("EHLO client") == "250 HELP")
        #expect(try await client.ask("MAIL FROM:<ada@example.com>") == "250 2.1.0 Sender OK")
        #expect(try await client.ask("RCPT TO:<bob@example.org>") == "250 2.1.5 Recipient OK")
        #expect(try await client.ask("DATA") == "354 End data with <CR><LF>.<CR><LF>")
    }

    @Test func aMessageComesThrough() async throws {
        try await withService { _, port, intake in
            try await client(port) { client in
                try await begin(&client)
                #expect(try await client.ask("Subject: one\r\n\r\n..\r\n.") == "250 2.0.0 queued as 0000000020001")
                #expect(try await client.ask("QUIT") == "221 2.0.0 Bye")
                #expect(try await client.line() == nil)
            }
            #expect(intake.messages.map(\.content) == [Array("Subject: one\r\n\r\n.\r\n".utf8)])
            #expect(intake.messages.first?.submission.client?.address == "127.0.0.1")
        }
    }

    @Test func largeContentGoesToAThreadThatMayBlock() async throws {
        let intake = FakeIntake(offloadLimit: 100_000)
        try await withService(intake: intake) { _, port, intake in
            let line = String(repeating: "x", count: 70) + "\r\n..dot\r\n"
            let text = String(repeating: line, count: 20_000)
            try await client(port) { client in
                try await begin(&client)
                try await client.send(text)
                #expect(try await client.ask(".\r\nNOOP") == "250 2.0.0 queued as 0000000020001")
                #expect(try await client.reply() == "250 2.0.0 OK")
            }
            let expected = String(repeating: String(repeating: "x", count: 70) + "\r\n.dot\r\n", count: 20_000)
            #expect(intake.messages.first?.content == Array(expected.utf8))
            #expect(intake.offloadedThreads.count >= 1)
        }
    }

    @Test func aClientThatLeavesInTheMiddleOfALargeContentAbortsIt() async throws {
        let intake = FakeIntake(offloadLimit: 1000)
        try await withService(intake: intake) { service, port, intake in
            for _ in 0..<10 {
                try await client(port) { client in
                    try await begin(&client)
                    try await client.send(String(repeating: "some text\r\n", count: 50_000))
                }
            }
            await service.drain(for: .seconds(5))
        }
        // The threads have ended, and with them the last abort.
        #expect(intake.begun == 10)
        #expect(intake.aborted == 10)
        #expect(intake.messages.isEmpty)
    }

    @Test func oneSessionTooManyIsTurnedAway() async throws {
        try await withService(limits: ReceivingLimits(sessions: 2)) { service, port, _ in
            try await client(port) { first in
                #expect(try await first.reply() == "220 relay.example.com ESMTP Waxwing")
                try await client(port) { second in
                    #expect(try await second.reply() == "220 relay.example.com ESMTP Waxwing")
                    try await client(port) { third in
                        try await third.send("EHLO client\r\n")
                        #expect(try await third.reply() == "421 4.3.2 Too many sessions, try again later")
                        #expect(try await third.line() == nil)
                    }
                    #expect(service.sessionCounts == SessionCounts(open: 2, accepted: 2, refused: 1))
                }
            }
        }
    }

    @Test func oneSessionTooManyOfAnAddressIsTurnedAway() async throws {
        try await withService(limits: ReceivingLimits(sessionsPerAddress: 1)) { _, port, _ in
            try await client(port) { first in
                #expect(try await first.reply() == "220 relay.example.com ESMTP Waxwing")
                try await client(port) { second in
                    let reply = try await second.reply()
                    #expect(reply == "421 4.7.0 Too many sessions from this address, try again later")
                }
                #expect(try await first.ask("QUIT") == "221 2.0.0 Bye")
                #expect(try await first.line() == nil)
            }
        }
    }

    @Test func newLimitsHoldForNewSessionsAndOpenOnesKeepTheirs() async throws {
        let before = ReceivingLimits(messageOctets: 5000, recipients: 2, errors: 2, sessions: 2)
        let after = ReceivingLimits(messageOctets: 7000, recipients: 1, errors: 3, sessions: 1, sessionsPerAddress: 9)
        try await withService(limits: before) { service, port, _ in
            try await client(port) { first in
                #expect(try await first.reply() == "220 relay.example.com ESMTP Waxwing")
                service.replaceLimits(after)
                // Already one session: with the new limit there is no room for another.
                try await client(port) { second in
                    let reply = try await second.reply()
                    #expect(reply == "421 4.3.2 Too many sessions, try again later")
                }
                #expect(try await first.ask("HELO client") == "250 relay.example.com")
                #expect(try await first.ask("MAIL FROM:<ada@example.com>") == "250 2.1.0 Sender OK")
                #expect(try await first.ask("RCPT TO:<bob@example.org>") == "250 2.1.5 Recipient OK")
                #expect(try await first.ask("RCPT TO:<eve@example.org>") == "250 2.1.5 Recipient OK")
                #expect(try await first.ask("QUIT") == "221 2.0.0 Bye")
                #expect(try await first.line() == nil)
            }
            // The first session's end is noted a moment after the client saw it.
            while service.sessionCounts.open > 0 { await Task.yield() }
            try await client(port) { third in
                #expect(try await third.reply() == "220 relay.example.com ESMTP Waxwing")
                try await third.send("EHLO client\r\n")
                var extensions: [String] = []
                while let line = try await third.line() {
                    extensions.append(String(line.dropFirst(4)))
                    if line.hasPrefix("250 ") { break }
                }
                #expect(extensions.contains("SIZE 7000"))
                #expect(try await third.ask("MAIL FROM:<ada@example.com>") == "250 2.1.0 Sender OK")
                #expect(try await third.ask("RCPT TO:<bob@example.org>") == "250 2.1.5 Recipient OK")
                #expect(try await third.ask("RCPT TO:<eve@example.org>")?.hasPrefix("452 4.5.3") == true)
            }
        }
    }

    @Test func aListenerSaysWhatBecomesOfBareLineFeedsAndNewSessionsHearOfAChange() async throws {
        let isListening = ListenerConfiguration(address: "127.0.0.1", port: 0, bareLineFeed: .normalise)
        try await withService { service, port, intake in
            for change in [[isListening], [ListenerConfiguration(address: "127.0.0.1", port: 1)], []] {
                service.replaceListeners(change)
                try await client(port) { client in
                    try await begin(&client)
                    #expect(try await client.ask("Subject: one\n\nx\n\r\n.")?.hasPrefix("250 ") == true)
                }
            }
            #expect(intake.messages.map(\.repairs) == [[.lineEnds], [.lineEnds], [.lineEnds]])
            #expect(intake.messages.first?.content == Array("Subject: one\r\n\r\nx\r\n\r\n".utf8))
            service.replaceListeners([ListenerConfiguration(address: "127.0.0.1", port: 0)])
            try await client(port) { client in
                try await begin(&client)
                #expect(try await client.ask("Subject: one\n\nx\r\n.")?.hasPrefix("550 5.5.2 ") == true)
            }
        }
    }

    @Test func aLimitPerAddressThatComesLaterCountsTheSessionsThatAreOpen() async throws {
        try await withService { service, port, _ in
            try await client(port) { first in
                #expect(try await first.reply() == "220 relay.example.com ESMTP Waxwing")
                service.replaceLimits(ReceivingLimits(sessionsPerAddress: 1))
                try await client(port) { second in
                    let reply = try await second.reply()
                    #expect(reply == "421 4.7.0 Too many sessions from this address, try again later")
                }
            }
        }
    }

    @Test func manySessionsAtATimeLoseNothing() async throws {
        let sessions = 50
        let messages = 20
        try await withService(intake: FakeIntake(offloadLimit: 20_000)) { service, port, intake in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for session in 0..<sessions {
                    group.addTask {
                        try await client(port) { client in
                            #expect(try await client.reply() == "220 relay.example.com ESMTP Waxwing")
                            #expect(try await client.ask("EHLO client") == "250 HELP")
                            for message in 0..<messages {
                                try await client.send(
                                    "MAIL FROM:<s\(session)@example.com>\r\nRCPT TO:<m\(message)@example.org>\r\nDATA\r\n"
                                )
                                _ = try await client.reply()
                                _ = try await client.reply()
                                #expect(try await client.reply()?.hasPrefix("354") == true)
                                let body = String(repeating: "s\(session)m\(message)\r\n", count: message * 300)
                                #expect(try await client.ask(body + ".")?.hasPrefix("250 2.0.0 queued as") == true)
                            }
                            #expect(try await client.ask("QUIT") == "221 2.0.0 Bye")
                        }
                    }
                }
                try await group.waitForAll()
            }
            let taken = intake.messages
            #expect(taken.count == sessions * messages)
            for message in taken {
                let from = message.submission.envelope.reversePath.description.prefix { $0 != "@" }
                let to = message.submission.envelope.recipients[0].localPart
                let count = (Int(to.dropFirst()) ?? 0) * 300
                #expect(message.content.elementsEqual(String(repeating: "\(from)\(to)\r\n", count: count).utf8))
            }
            #expect(service.sessionCounts.accepted == sessions)
        }
    }
}
