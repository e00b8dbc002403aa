// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Logging
import Mail
import NIOCore
import SMTP
import Spooling
import Synchronization
import Testing

@testable import Forwarding

/// The service on a real spool.
@Suite struct ForwarderTests {
    @Test("what is in the queue arrives once each, and the queue is empty after it")
    func delivers() async throws {
        try await withSpool { spool in
            let peer = try await ScriptedPeer.start(on: Bench.group)
            let forwarder = forwarder(spool, [Bench.smarthost(peer.port)])
            let running = Task { try await forwarder.run() }
            for number in 0..<300 { try await enqueue(number, in: spool) }
            #expect(await eventually { peer.seen.messages.count == 300 && spool.counts.messages == 0 })
            #expect(Set(peer.seen.messages.map { $0.recipients[0] }).count == 300)
            running.cancel()
            try await running.value
            #expect(await eventually { forwarder.connectionCount == 0 && peer.seen.open == 0 })
            await peer.stop()
        }
    }

    @Test("a budget smaller than the queue delivers all of it")
    func smallBudget() async throws {
        try await withSpool { spool in
            let peer = try await ScriptedPeer.start(on: Bench.group)
            for number in 0..<100 { try await enqueue(number, in: spool) }
            let forwarder = forwarder(
                spool, [Bench.smarthost(peer.port)], ForwardingLimits(messagesInFlight: 3, octetsInFlight: 100))
            let running = Task { try await forwarder.run() }
            #expect(await eventually { peer.seen.messages.count == 100 && spool.counts.messages == 0 })
            running.cancel()
            try await running.value
            await peer.stop()
        }
    }

    @Test("at shutdown a transaction that has begun ends, and what has not begun stays due")
    func shutdown() async throws {
        try await withSpool { spool in
            // Every message stops at its end of data, on two connections.
            let peer = try await ScriptedPeer.start([["end": .silence]], on: Bench.group)
            let forwarder = forwarder(
                spool, [Bench.smarthost(peer.port, connections: 2)], ForwardingLimits(shutdownGraceSeconds: 0))
            for number in 0..<10 { try await enqueue(number, in: spool) }
            let running = Task { try await forwarder.run() }
            #expect(await eventually { peer.seen.commands.filter { $0 == "DATA" }.count == 2 })
            running.cancel()
            try await running.value
            // The two were broken off and are deferred, the eight go on waiting.
            #expect(await eventually { spool.counts.active == 0 })
            #expect(spool.counts.deferred == 2)
            #expect(spool.counts.queued == 8)
            await peer.stop()
        }
    }

    @Test("a failed message leaves the queue when its sender has been told, and a deferred one stays")
    func outcomes() async throws {
        try await withSpool { spool in
            let peer = try await ScriptedPeer.start(
                [["RCPT r1@example.net": .reply("550 5.1.1 no"), "RCPT r2@example.net": .reply("450 later")]],
                on: Bench.group)
            let intake = KeepingIntake()
            let forwarder = forwarder(spool, [Bench.smarthost(peer.port)], intake: intake)
            for number in 1...3 { try await enqueue(number, in: spool) }
            let running = Task { try await forwarder.run() }
            #expect(await eventually { spool.counts.deferred == 1 && spool.counts.messages == 1 })
            #expect(intake.kept.withLock { $0.count } == 1)
            running.cancel()
            try await running.value
            await peer.stop()
        }
    }

    @Test("what waits for a key leaves when there is one, and asks nothing of the next hop before")
    func waits() async throws {
        try await withSpool { spool in
            let peer = try await ScriptedPeer.start(on: Bench.group)
            let signer = StubSigner(fault: DepartureSigningError(text: "no key", isWantOfKey: true))
            let forwarder = forwarder(spool, [Bench.smarthost(peer.port)], signer: signer)
            for number in 0..<300 { try await enqueue(number, in: spool) }
            let running = Task { try await forwarder.run() }
            #expect(await eventually { spool.counts.deferred == 300 })
            forwarder.retryUnsignable()
            #expect(peer.seen.connections == 0 && signer.departures.withLock { $0.isEmpty })
            signer.fault.withLock { $0 = nil }
            forwarder.retryUnsignable()
            #expect(await eventually { peer.seen.messages.count == 300 && spool.counts.messages == 0 })
            running.cancel()
            try await running.value
            await peer.stop()
        }
    }

    @Test("what waited for a key when the last daemon ended leaves by itself after a start with one")
    func waitedBefore() async throws {
        try await withSpool { spool in
            let peer = try await ScriptedPeer.start(on: Bench.group)
            let signer = StubSigner(fault: DepartureSigningError(text: "no key", isWantOfKey: true))
            try await enqueue(1, in: spool)
            let first = forwarder(spool, [Bench.smarthost(peer.port)], signer: signer)
            let running = Task { try await first.run() }
            #expect(await eventually { spool.counts.deferred == 1 })
            running.cancel()
            try await running.value
            signer.fault.withLock { $0 = nil }
            let second = forwarder(spool, [Bench.smarthost(peer.port)], signer: signer)
            let runningAgain = Task { try await second.run() }
            #expect(await eventually { peer.seen.messages.count == 1 && spool.counts.messages == 0 })
            runningAgain.cancel()
            try await runningAgain.value
            await peer.stop()
        }
    }

    @Test("what waits for a key leaves when its route takes it unsigned")
    func replacedRoute() async throws {
        try await withSpool { spool in
            let peer = try await ScriptedPeer.start(on: Bench.group)
            let signer = StubSigner(fault: DepartureSigningError(text: "no key", isWantOfKey: true))
            var route = Bench.smarthost(peer.port)
            let forwarder = forwarder(spool, [route], signer: signer)
            try await enqueue(1, in: spool)
            let running = Task { try await forwarder.run() }
            #expect(await eventually { spool.counts.deferred == 1 })
            route.signing.isUnsigned = true
            forwarder.replaceRoutes(RoutingTable([route]))
            #expect(await eventually { peer.seen.messages.count == 1 && spool.counts.messages == 0 })
            running.cancel()
            try await running.value
            await peer.stop()
        }
    }

    @Test("the spool knows which keys were used for what has left")
    func keyUses() async throws {
        try await withSpool { spool in
            let peer = try await ScriptedPeer.start(on: Bench.group)
            let signer = StubSigner()
            let sdid = try #require(Domain("example.com"))
            let start = ForwarderTests.clock.now()
            signer.keyUses.withLock { $0 = ["r", "e"].map { KeyUse(sdid: sdid, selector: $0, time: start) } }
            let forwarder = forwarder(spool, [Bench.smarthost(peer.port)], signer: signer)
            for number in 0..<50 { try await enqueue(number, in: spool) }
            let running = Task { try await forwarder.run() }
            #expect(await eventually { spool.counts.messages == 0 })
            running.cancel()
            try await running.value
            #expect(Set(spool.keyUses().map(\.selector)) == ["r", "e"])
            #expect(spool.keyUses().allSatisfy { $0.time >= start && $0.time <= ForwarderTests.clock.now() })
            await peer.stop()
        }
    }

    private func forwarder(
        _ spool: Spool, _ routes: [Route], _ limits: ForwardingLimits = ForwardingLimits(),
        intake: KeepingIntake = KeepingIntake(), signer: StubSigner = StubSigner()
    ) -> Forwarder {
        Forwarder(
            configuration: ForwarderConfiguration(
                hostname: "relay.example.com", routes: RoutingTable(routes), limits: limits),
            spool: spool, signer: signer, intake: intake, resolver: TableResolver(), eventLoopGroup: Bench.group,
            threadPool: Bench.threadPool, clock: ForwarderTests.clock, events: { _ in },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private static let clock = WallClock {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }

    private func withSpool(_ body: (Spool) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("spool-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let spool = try Spool.open(
            SpoolConfiguration(directory: directory.path), clock: ForwarderTests.clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        do {
            try await body(spool)
        } catch {
            await spool.close()
            throw error
        }
        await spool.close()
    }

    private func enqueue(_ number: Int, in spool: Spool) async throws {
        let now = ForwarderTests.clock.now()
        let (sender, recipient) = (Bench.mailbox("a@example.com"), Bench.mailbox("r\(number)@example.net"))
        let (from, to, domain) = (try #require(sender), try #require(recipient), try #require(Domain("example.com")))
        let message = NewMessage(
            queueID: QueueID(arrival: now, distinguisher: UInt64(number)),
            envelope: Envelope(reversePath: .mailbox(from), recipients: [to]), arrival: now,
            expiry: now.advanced(bySeconds: 3600), headerLength: 21, bodyHashes: [], authorDomain: domain)
        _ = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<QueueID, any Error>) in
            spool.enqueue(message, content: .inline(Array("From: a@example.com\r\n\r\ntext\r\n".utf8))) { result in
                continuation.resume(with: result.mapError { $0 as any Error })
            }
        }
    }
}
