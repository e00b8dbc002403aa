// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Foundation
import Mail
import SMTP
import Spooling
import Synchronization
import Testing

@testable import Forwarding

/// 8-bit content on its way to next hops that take it and to others.
@Suite struct EightBitTests {
    private static let header = "From: a@example.com\r\n"
    /// Enough of it that quoted-printable is the shorter encoding.
    private static let plain = "and much that every next hop takes as it is\r\n"
    private static let body = "Na\u{EF}ve caf\u{E9}, costing 5 \u{20AC}\r\n" + plain
    private static let encoded = "Na=C3=AFve caf=C3=A9, costing 5 =E2=82=AC\r\n" + plain
    private static let delivered = "delivered 250 2.0.0 end of data"
    private static let withoutEightBit = ["PIPELINING", "SIZE 100000000"]
    /// Nothing in it may change, whatever a next hop takes.
    private static let signedHeader =
        header + "MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b; protocol=\"application/x\"\r\n"
    private static let signedBody =
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nNa\u{EF}ve\r\n"
        + "--b\r\nContent-Type: application/x\r\n\r\nsignature\r\n--b--\r\n"

    private func message(
        _ bench: Bench, _ header: String = EightBitTests.header, _ body: String = EightBitTests.body,
        to recipients: [String] = ["b@example.net"], attempts: Int = 0
    ) -> ClaimedMessage {
        bench.message(
            to: recipients, content: .inline(Array("\(header)\r\n\(body)".utf8)), isEightBit: true,
            headerLength: header.utf8.count, attempts: attempts)
    }

    /// The declared size; nil if none was.
    private func size(_ message: ScriptedPeer.Message) -> Int? {
        message.mail.split(separator: " ").first { $0.hasPrefix("SIZE=") }.flatMap { Int($0.dropFirst(5)) }
    }

    private func body(_ content: [UInt8]) -> [UInt8] {
        guard let end = Data(content).range(of: Data([13, 10, 13, 10])) else { return [] }
        return Array(content[end.upperBound...])
    }

    @Test("content stays as it is for a next hop with 8BITMIME")
    func kept() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        #expect(await bench.deliver(message(bench))?.words == [EightBitTests.delivered])
        let seen = try #require(peer.seen.messages.first)
        #expect(seen.mail.hasSuffix(" BODY=8BITMIME"))
        #expect(seen.content == StubSigner.field + Array("\(EightBitTests.header)\r\n\(EightBitTests.body)".utf8))
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("without 8BITMIME it is encoded, signed as it is sent, and declared in its new size")
    func encodes() async throws {
        let peer = try await ScriptedPeer.start(extensions: EightBitTests.withoutEightBit, on: Bench.group)
        let signer = StubSigner(readsBodies: true)
        let bench = Bench([Bench.smarthost(peer.port, connections: 1)], signer: signer)
        var message = message(bench)
        message.keptFields = Array("X-Kept: of the stored octets\r\n".utf8)
        message.message.bodyHashes = [BodyHash(canonicalization: .relaxed, digest: Array(repeating: 1, count: 32))]
        #expect(await bench.deliver(message)?.words == [EightBitTests.delivered])
        let seen = try #require(peer.seen.messages.first)
        #expect(!seen.content.contains { $0 > 127 })
        #expect(!seen.mail.contains("BODY="))
        #expect(size(seen) == seen.content.count)
        #expect(body(seen.content) == Array(EightBitTests.encoded.utf8))

        let departures = signer.departures.withLock { $0 }
        #expect(departures.map(\.keptFields) == [message.keptFields, nil])
        #expect(departures.map(\.bodyHashes) == [message.bodyHashes, []])
        let signedBody = signer.bodies.withLock { $0.last } ?? []
        let signed: [UInt8] = StubSigner.field + (departures.last?.headerSection ?? []) + [13, 10] + signedBody
        #expect(seen.content == signed)
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("one connection converts many, and once the site is known they come to it converted")
    func remembers() async throws {
        let peer = try await ScriptedPeer.start(extensions: EightBitTests.withoutEightBit, on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port, connections: 1)])
        let first = await bench.deliver((0..<40).map { _ in message(bench) })
        #expect(first.allSatisfy { $0.words == [EightBitTests.delivered] })
        #expect(peer.seen.connections == 1)
        let before = bench.signer.departures.withLock { $0.count }
        #expect(before > 40)
        let second = await bench.deliver((0..<40).map { _ in message(bench) })
        #expect(second.allSatisfy { $0.words == [EightBitTests.delivered] })
        #expect(bench.signer.departures.withLock { $0.count } == before + 40)
        #expect(peer.seen.messages.allSatisfy { body($0.content) == Array(EightBitTests.encoded.utf8) })
        #expect(peer.seen.messages.count == 80)
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("the recipients of a message share its rendition and the signature for their next hop")
    func shared() async throws {
        let peer = try await ScriptedPeer.start(extensions: EightBitTests.withoutEightBit, on: Bench.group)
        var route = Bench.smarthost(peer.port, connections: 3)
        route.maximumRecipients = 10
        let bench = Bench([route])
        let message = message(bench, to: (0..<100).map { "r\($0)@example.net" })
        let record = await bench.deliver(message)
        #expect(record?.words == Array(repeating: EightBitTests.delivered, count: 100))
        #expect(Set(peer.seen.messages.flatMap(\.recipients)).count == 100)
        #expect(peer.seen.messages.count == 10)
        // Once as stored, before anything was known, and once as sent.
        #expect(bench.signer.departures.withLock { $0.count } == 2)
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("the memory of a rendition is counted until its message is done")
    func memory() async throws {
        let peer = try await ScriptedPeer.start(extensions: EightBitTests.withoutEightBit, on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)], limits: ForwardingLimits(octetsInFlight: 100_000))
        let text = String(repeating: String(repeating: "\u{E9}", count: 60) + "\r\n", count: 300)
        let taken = Mutex<[Int]>([])
        let budget = bench.parts.budget
        bench.signer.whenSigned.withLock { hook in
            hook = { _ in taken.withLock { $0.append(budget.octetsInFlight) } }
        }
        let message = message(bench, EightBitTests.header, text)
        #expect(await bench.deliver(message)?.words == [EightBitTests.delivered])
        let sent = try #require(peer.seen.messages.first)
        #expect(
            taken.withLock { $0 } == [message.content.length, message.content.length + body(sent.content).count])
        #expect(await eventually { budget.octetsInFlight == 0 })
        bench.signer.whenSigned.withLock { $0 = nil }
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("of one MX set each host gets what it takes")
    func mixed() async throws {
        let refused: ScriptedPeer.Script = ["connect": .reply("421 4.3.2 busy")]
        let plain = try await ScriptedPeer.start(
            [[:], refused, [:], refused], extensions: EightBitTests.withoutEightBit, on: Bench.group)
        let able = try await ScriptedPeer.start(at: "127.0.0.2", port: plain.port, on: Bench.group)
        let bench = Bench([EightBitTests.internet(plain.port)], resolver: EightBitTests.twoHosts)
        // One message a connection: the first and third go to the host without 8BITMIME, the others find it busy.
        for _ in 0..<4 {
            #expect(await bench.deliver(message(bench, to: ["b@one.test"]))?.words == [EightBitTests.delivered])
        }
        let (original, encoded) = (Array(EightBitTests.body.utf8), Array(EightBitTests.encoded.utf8))
        #expect(plain.seen.messages.map { body($0.content) } == [encoded, encoded])
        // The second message was encoded before it was known that a host of the site has 8BITMIME.
        #expect(able.seen.messages.map { body($0.content) } == [encoded, original])
        #expect(able.seen.messages.map { $0.mail.hasSuffix("BODY=8BITMIME") } == [false, true])
        // Twice where the connection was the first to know that the octets must change.
        #expect(bench.signer.departures.withLock { $0.count } == 6)
        bench.parts.sites.stop()
        await plain.stop()
        await able.stop()
    }

    @Test("what can't be encoded waits a few attempts for the host that takes it, where a site has one")
    func mixedImpossible() async throws {
        let refused: ScriptedPeer.Script = ["connect": .reply("421 4.3.2 busy")]
        let plain = try await ScriptedPeer.start(
            [[:], refused, [:]], extensions: EightBitTests.withoutEightBit, on: Bench.group)
        let able = try await ScriptedPeer.start(at: "127.0.0.2", port: plain.port, on: Bench.group)
        let bench = Bench([EightBitTests.internet(plain.port)], resolver: EightBitTests.twoHosts)
        var words: [String] = []
        for attempts in [0, 0, 0, 3, 4] {
            let message = message(
                bench, EightBitTests.signedHeader, EightBitTests.signedBody, to: ["b@one.test"], attempts: attempts)
            words += await bench.deliver(message)?.words ?? []
            // The connection is still good, and used up by this.
            _ = await bench.deliver(bench.message(to: ["c@one.test"]))
        }
        #expect(
            words.map { String($0.prefix(13)) } == [
                "failed - 5.6.", "delivered 250", "deferred - 4.", "deferred - 4.", "failed - 5.6.",
            ])
        bench.parts.sites.stop()
        await plain.stop()
        await able.stop()
    }

    private static func internet(_ port: Int) -> Route {
        Route(
            name: "internet", target: .mx(port: port), allowsPrivateTargets: true, tls: .off, maximumConnections: 1,
            maximumMessagesPerConnection: 1)
    }

    private static let twoHosts = TableResolver(
        exchangers: [
            "one.test": .success(
                .records([MXRecord(preference: 1, host: "mx1.test"), MXRecord(preference: 2, host: "mx2.test")]))
        ],
        hosts: [
            "mx1.test": .success(["127.0.0.1"].compactMap { IPAddress($0) }),
            "mx2.test": .success(["127.0.0.2"].compactMap { IPAddress($0) }),
        ])
}
