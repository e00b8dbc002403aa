// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Logging
import Mail
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import Receiving

/// Start and end of the service.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ReceivingShutdownTests {
    private let pool = NIOThreadPool.singleton
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func service(
        _ listeners: [ListenerConfiguration] = [ListenerConfiguration(address: "127.0.0.1", port: 0)],
        intake: FakeIntake = FakeIntake(), drainTime: Duration = .seconds(20)
    ) -> ReceivingService {
        ReceivingService(
            configuration: ReceivingConfiguration(
                hostname: "relay.example.com", listeners: listeners, drainTime: drainTime),
            intake: intake, group: MultiThreadedEventLoopGroup.singleton, threadPool: pool, logger: logger)
    }

    private func client<Result: Sendable>(
        _ port: Int, _ body: (inout RawClient.Conversation) async throws -> Result
    ) async throws -> Result {
        try await RawClient.with(port: port, group: MultiThreadedEventLoopGroup.singleton, body)
    }

    @Test func aShutdownLetsTransactionsFinishAndEndsTheRest() async throws {
        let intake = FakeIntake()
        let service = service(intake: intake)
        let group = ServiceGroup(services: [service], gracefulShutdownSignals: [], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try await service.listening()[0].port
            try await client(port) { idle in
                #expect(try await idle.reply()?.hasPrefix("220") == true)
                try await client(port) { busy in
                    #expect(try await busy.reply()?.hasPrefix("220") == true)
                    try await busy.send(
                        "HELO a\r\nMAIL FROM:<ada@example.com>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n")
                    for _ in 0..<4 { _ = try await busy.reply() }
                    await group.triggerGracefulShutdown()
                    #expect(try await idle.reply() == "421 4.3.2 Shutting down, try again later")
                    #expect(try await idle.line() == nil)
                    #expect(try await busy.ask("Subject: one\r\n.") == "250 2.0.0 queued as 0000000020001")
                    #expect(try await busy.reply() == "421 4.3.2 Shutting down, try again later")
                    // Refused; or, if the port has gone to another program meanwhile, no business of this service.
                    try? await client(port) { _ in }
                    #expect(service.sessionCounts.accepted == 2)
                }
            }
            try await tasks.waitForAll()
        }
        #expect(intake.messages.count == 1)
        #expect(service.sessionCounts.open == 0)
    }

    @Test func aTransactionThatTakesLongerThanTheDrainIsCutOff() async throws {
        let intake = FakeIntake()
        let service = service(intake: intake)
        let port = try await service.bind()[0].port
        try await client(port) { client in
            #expect(try await client.reply()?.hasPrefix("220") == true)
            try await client.send("HELO a\r\nMAIL FROM:<ada@example.com>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n")
            for _ in 0..<4 { _ = try await client.reply() }
            await service.drain(for: .milliseconds(1))
            #expect(try await client.line() == nil)
        }
        #expect(intake.aborted == 1)
        #expect(service.sessionCounts.open == 0)
    }

    @Test func cancellationEndsTheService() async throws {
        let service = service()
        let running = Task { try await service.run() }
        let port = try await service.listening()[0].port
        try await client(port) { client in
            #expect(try await client.reply()?.hasPrefix("220") == true)
            running.cancel()
            while try await client.line() != nil {}
        }
        try await running.value
    }

    @Test func aPortInUseIsNamedWithItsRemedy() async throws {
        let first = service()
        let port = try await first.bind()[0].port
        let listener = ListenerConfiguration(address: "127.0.0.1", port: port)
        // All or none: the free port is let go again.
        let second = service([ListenerConfiguration(address: "127.0.0.1", port: 0), listener])
        await #expect(throws: ReceivingError.addressInUse(listener.place)) { try await second.bind() }
        await #expect(throws: ReceivingError.addressInUse(listener.place)) { try await second.run() }
        await #expect(throws: ReceivingError.addressInUse(listener.place)) { try await second.listening() }
        #expect(ReceivingError.addressInUse(listener.place).description.contains("ss -ltnp 'sport = :\(port)'"))
        #expect(second.listeners.isEmpty)
        await first.drain(for: .zero)
    }

    @Test func anAddressThatIsNoneIsNamed() async throws {
        let name = ListenerConfiguration(address: "localhost", port: 0)
        await #expect(throws: ReceivingError.notAnAddress("localhost")) { try await service([name]).bind() }
        let foreign = ListenerConfiguration(address: "192.0.2.1", port: 0)
        await #expect(throws: ReceivingError.addressNotOurs(foreign.place)) { try await service([foreign]).bind() }
    }

    @Test func aPrivilegedPortNamesTheRemedies() {
        let listener = ListenerConfiguration(address: "::1", port: 587)
        let error = ReceivingError(IOError(errnoCode: 13, reason: "bind"), listener.place)
        #expect(error == .privilegeNeeded(listener.place))
        for remedy in ["[::1]:587", "CAP_NET_BIND_SERVICE", "net.ipv4.ip_unprivileged_port_start=587", "1024"] {
            #expect(error.description.contains(remedy))
        }
    }

    @Test func bothAddressFamiliesListenBesideEachOther() async throws {
        let first = service([ListenerConfiguration(address: "0.0.0.0", port: 0)])
        let port = try await first.bind()[0].port
        let second = service([ListenerConfiguration(address: "::", port: port)])
        do throws(ReceivingError) {
            let bound = try await second.bind()
            #expect(bound.map(\.description) == ["[::]:\(port)"])
            await second.drain(for: .zero)
        } catch {
            // A machine without IPv6 may say so, and nothing else.
            #expect(error == .addressNotOurs(.address("::", port: port)))
        }
        await first.drain(for: .zero)
    }
}
