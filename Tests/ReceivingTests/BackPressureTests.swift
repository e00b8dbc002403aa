// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Dispatch
import Logging
import Mail
import NIOCore
import NIOEmbedded
import NIOPosix
import SMTP
import Synchronization
import Testing

@testable import Receiving

/// Nothing is read from a client whose content waits for the disk.
@Suite(.timeLimit(.minutes(1))) struct BackPressureTests {
    /// An intake whose disk hangs until it is told to go on.
    private final class HangingIntake: Intake {
        let gate = DispatchSemaphore(value: 0)
        let calls = Mutex<[String]>([])

        func refusal(ofSize size: Int?) -> IntakeRefusal? { nil }
        func begin(_ submission: Submission) -> any IntakeTransaction { Transaction(self) }

        private final class Transaction: IntakeTransaction {
            private let intake: HangingIntake
            private let appended = Mutex(0)

            init(_ intake: HangingIntake) { self.intake = intake }

            func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
                let isFirst = appended.withLock { count in
                    count += 1
                    return count == 1
                }
                if !isFirst { intake.gate.wait() }
                intake.calls.withLock { $0.append("append \(bytes.count)") }
                return true
            }

            func note(_ repair: Repair) {}

            func finish(_ completion: @escaping @Sendable (IntakeResult) -> Void) {
                intake.calls.withLock { $0.append("finish") }
                completion(.accepted(QueueID(arrival: Timestamp(milliseconds: 1), distinguisher: 1)))
            }

            func abort() { intake.calls.withLock { $0.append("abort") } }
        }
    }

    /// Counts the reads that get as far as the socket.
    private final class ReadCounter: ChannelOutboundHandler, Sendable {
        typealias OutboundIn = ByteBuffer
        let reads = Mutex(0)

        func read(context: ChannelHandlerContext) {
            reads.withLock { $0 += 1 }
            context.read()
        }

        var count: Int { reads.withLock { $0 } }
    }

    private func session(
        _ intake: HangingIntake, _ pool: NIOThreadPool, _ counter: ReadCounter
    ) async throws -> NIOAsyncTestingChannel {
        let channel = NIOAsyncTestingChannel()
        let environment = SessionHandler.Environment(
            intake: intake, authenticator: Authenticator(threadPool: pool, events: { _ in }), rates: RateLimiter(),
            events: { _ in }, threadPool: pool, register: SessionRegister(maximumSessions: 1, maximumPerAddress: nil),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, idleTime: .minutes(5),
            transactionTime: .minutes(30))
        let configuration = ServerSession.Configuration(
            hostname: "relay.example.com", maximumMessageOctets: 1000, maximumRecipients: 100,
            maximumCommandOctets: 4096, maximumErrors: 20, maySubmit: true)
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        try await channel.testingEventLoop.executeInContext {
            try channel.pipeline.syncOperations.addHandler(counter)
            try channel.pipeline.syncOperations.addHandler(
                SessionHandler(environment, configuration: configuration, peer: Peer(address)))
        }
        try await channel.connect(to: address)
        await channel.testingEventLoop.advanceTime(by: .milliseconds(1))
        try await channel.writeInbound(
            ByteBuffer(
                string: "HELO client\r\nMAIL FROM:<ada@example.com>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"))
        // The first part of the content tells the session that the next ones are for another thread.
        try await channel.writeInbound(ByteBuffer(string: "first\r\n"))
        return channel
    }

    @Test func aSessionReadsNothingWhileItsContentIsBeingWritten() async throws {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let (intake, counter) = (HangingIntake(), ReadCounter())
        let channel = try await session(intake, pool, counter)
        channel.read()
        await channel.testingEventLoop.run()
        let before = counter.count
        try await channel.writeInbound(ByteBuffer(string: "second\r\n"))
        channel.read()
        channel.read()
        await channel.testingEventLoop.run()
        #expect(counter.count == before)
        #expect(intake.calls.withLock { $0 } == ["append 7"])
        intake.gate.signal()
        while counter.count == before { await channel.testingEventLoop.run() }
        #expect(counter.count == before + 1)
        #expect(intake.calls.withLock { $0 } == ["append 7", "append 8"])
        intake.gate.signal()
        try await channel.writeInbound(ByteBuffer(string: "third\r\n.\r\n"))
        var output = ""
        while !output.contains("queued") {
            await channel.testingEventLoop.run()
            while let buffer = try await channel.readOutbound(as: ByteBuffer.self) { output += String(buffer: buffer) }
        }
        #expect(intake.calls.withLock { $0 } == ["append 7", "append 8", "append 7", "finish"])
        _ = try await channel.finish(acceptAlreadyClosed: true)
        try await pool.shutdownGracefully()
    }

    @Test func aClientThatLeavesMeanwhileAbortsAfterTheWrite() async throws {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let (intake, counter) = (HangingIntake(), ReadCounter())
        let channel = try await session(intake, pool, counter)
        try await channel.writeInbound(ByteBuffer(string: "second\r\n"))
        try await channel.close()
        #expect(intake.calls.withLock { $0 } == ["append 7"])
        intake.gate.signal()
        while intake.calls.withLock({ $0.count }) < 3 { await channel.testingEventLoop.run() }
        #expect(intake.calls.withLock { $0 } == ["append 7", "append 8", "abort"])
        try await pool.shutdownGracefully()
    }
}
