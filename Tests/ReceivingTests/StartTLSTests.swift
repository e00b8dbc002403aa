// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Logging
import NIOCore
import NIOPosix
import Receiving
import Testing

/// STARTTLS and what stands in its way, over real sockets.
@Suite(.serialized, .timeLimit(.minutes(2))) struct StartTLSTests {
    private func withService(
        _ configure: (inout ListenerConfiguration) -> Void, _ body: (BoundListener, FakeIntake) async throws -> Void
    ) async throws {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        var listener = ListenerConfiguration(address: "127.0.0.1", port: 0)
        listener.security = .startTLS
        configure(&listener)
        let tls = ServerTLS(hostname: "relay.example.com")
        try tls.replace(nil)
        let intake = FakeIntake()
        let service = ReceivingService(
            configuration: ReceivingConfiguration(hostname: "relay.example.com", listeners: [listener]), tls: tls,
            intake: intake, group: MultiThreadedEventLoopGroup.singleton, threadPool: pool,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let bound = try await service.bind()
        do {
            try await body(bound[0], intake)
        } catch {
            Issue.record(error)
        }
        await service.drain(for: .seconds(5))
        #expect(service.sessionCounts.open == 0)
        try await pool.shutdownGracefully()
        #expect(intake.misuses == [])
    }

    @Test(
        "what comes in one packet with STARTTLS ends the connection, and nothing of it is obeyed",
        arguments: [
            "STARTTLS\r\nRSET\r\n", "STARTTLS\r\nN", "STARTTLS\r\nMAIL FROM:<mallory@example.com>\r\n",
            "STARTTLS\r\n\u{16}\u{3}\u{1}",
        ])
    func injection(_ text: String) async throws {
        try await withService({ _ in }) { bound, intake in
            try await RawClient.with(port: bound.port, group: MultiThreadedEventLoopGroup.singleton) { client in
                _ = try await client.reply()
                #expect(try await client.ask("EHLO app.example") == "250 HELP")
                try await client.send(text)
                #expect(try await client.reply() == "554 5.5.0 Client talks before its turn")
                #expect(try await client.line() == nil)
            }
            #expect(intake.begun == 0)
        }
    }

    @Test func whatComesInTheClearAfterTheReplyIsNoHandshake() async throws {
        try await withService({ _ in }) { bound, intake in
            try await RawClient.with(port: bound.port, group: MultiThreadedEventLoopGroup.singleton) { client in
                _ = try await client.reply()
                #expect(try await client.ask("STARTTLS") == "220 2.0.0 Begin TLS")
                try await client.send("EHLO mallory.example\r\nMAIL FROM:<mallory@example.com>\r\n")
                while let line = try? await client.line() { #expect(!line.hasPrefix("250")) }
            }
            #expect(intake.begun == 0)
        }
    }

    @Test func aProxySpeaksFirstAndNobodyElseMay() async throws {
        let range = try #require(AddressRange("127.0.0.0/8"))
        try await withService({ $0.proxies = [range] }) { bound, _ in
            try await RawClient.with(port: bound.port, group: MultiThreadedEventLoopGroup.singleton) { client in
                try await client.send("PROXY TCP4 192.0.2.7 127.0.0.1 4000 587\r\n")
                #expect(try await client.reply() == "220 relay.example.com ESMTP Waxwing")
                #expect(try await client.ask("EHLO app.example") == "250 HELP")
                // Not on this machine, so not let in.
                #expect(try await client.ask("MAIL FROM:<a@example.com>")?.hasPrefix("530 5.7.0") == true)
            }
            try await RawClient.with(port: bound.port, group: MultiThreadedEventLoopGroup.singleton) { client in
                try await client.send("EHLO app.example\r\n")
                #expect((try? await client.line()) == nil)
            }
        }
        let elsewhere = try #require(AddressRange("192.0.2.0/24"))
        try await withService({ $0.proxies = [elsewhere] }) { bound, _ in
            try await RawClient.with(port: bound.port, group: MultiThreadedEventLoopGroup.singleton) { client in
                try? await client.send("PROXY TCP4 192.0.2.7 127.0.0.1 4000 587\r\n")
                #expect((try? await client.line()) == nil)
            }
        }
    }
}
