// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import NIOCore
import SMTP
import Spooling
import Synchronization
import Testing

@testable import Forwarding

@Suite struct DeliveryTests {
    @Test("connections are used again, up to the messages that the route grants each")
    func reuse() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port, connections: 2, messages: 10)])
        let records = await bench.deliver((0..<100).map { _ in bench.message(to: ["b@example.net"]) })
        #expect(records.allSatisfy { $0.words == ["delivered 250 2.0.0 end of data"] })
        let seen = peer.seen
        #expect(seen.messages.count == 100)
        #expect((10...12).contains(seen.connections))
        // A connection that has said QUIT may still be open beside its successor, and the last may not be greeted yet.
        #expect(
            await eventually { peer.seen.commands.filter { $0.hasPrefix("EHLO") }.count == peer.seen.connections })
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("no more connections are opened than the route grants")
    func connectionLimit() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port, connections: 3)])
        _ = await bench.deliver((0..<200).map { _ in bench.message(to: ["b@example.net"]) })
        #expect(peer.seen.connections <= 3)
        #expect(peer.seen.messages.count == 200)
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("MAIL, RCPT and DATA carry the envelope, SIZE with the signature and BODY")
    func commands() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        _ = await bench.deliver(bench.message(to: ["b@example.net", "c@example.org"], isEightBit: true))
        #expect(
            peer.seen.commands == [
                "EHLO relay.example.com", "MAIL FROM:<a@example.com> SIZE=45 BODY=8BITMIME", "RCPT TO:<b@example.net>",
                "RCPT TO:<c@example.org>", "DATA",
            ])
        let departure = bench.signer.departures.withLock { $0.first }
        #expect(departure?.headerSection == Array("From: a@example.com\r\n".utf8))
        #expect(departure?.nextHop == NextHop(kind: .smarthost, host: "127.0.0.1"))
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("too many recipients are split over transactions, and each gets the message once")
    func split() async throws {
        let limited: ScriptedPeer.Script = [
            "RCPT d@example.net": .reply("452 4.5.3 too many"), "RCPT e@example.net": .reply("552 too many"),
        ]
        let peer = try await ScriptedPeer.start([limited], on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        let record = await bench.deliver(
            bench.message(to: ["b@example.net", "c@example.net", "d@example.net", "e@example.net"]))
        // Alone d and e get the same reply, and then it is a deferral.
        #expect(
            record?.words == [
                "delivered 250 2.0.0 end of data", "delivered 250 2.0.0 end of data", "deferred 452 4.5.3 RCPT",
                "deferred 552 5.0.0 RCPT",
            ])
        #expect(peer.seen.messages.map(\.recipients) == [["b@example.net", "c@example.net"]])
        #expect(record?.keptFields == StubSigner.field)
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("more than a hundred recipients go in several transactions")
    func manyRecipients() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        let recipients = (0..<250).map { "r\($0)@example.net" }
        let record = await bench.deliver(bench.message(to: recipients))
        #expect(record?.words == Array(repeating: "delivered 250 2.0.0 end of data", count: 250))
        #expect(Set(peer.seen.messages.flatMap(\.recipients)) == Set(recipients))
        #expect(peer.seen.messages.map(\.recipients.count).sorted() == [50, 100, 100])
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("content in a file arrives as it is, whatever stands at the ends of its blocks", arguments: [0, 1, 2, 3])
    func file(shift: Int) async throws {
        let block = ForwardingLimits.blockOctets
        var content = Array("From: a@example.com\r\n\r\n".utf8)
        // Lines of dots, moved so that each octet of CRLF . CRLF comes to stand at the end of a block.
        content += Array(repeating: UInt8(ascii: "x"), count: shift)
        while content.count < 3 * block { content += Array("\r\n.\r\n..".utf8) }
        content += Array("\r\n".utf8)
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        #expect(FileManager.default.createFile(atPath: path, contents: Data(content)))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        let record = await bench.deliver(
            bench.message(to: ["b@example.net"], content: .file(path: path, length: content.count)))
        #expect(record?.words == ["delivered 250 2.0.0 end of data"])
        #expect(peer.seen.messages.first?.content == StubSigner.field + content)
        #expect(
            bench.signer.departures.withLock { $0.first?.headerSection } == Array("From: a@example.com\r\n".utf8))
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("a file that is missing, or not there any more, defers and does not reach the next hop")
    func missingFile() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        let record = await bench.deliver(
            bench.message(to: ["b@example.net"], content: .file(path: "/nonexistent/x", length: 5)))
        #expect(record?.words == ["deferred - 4.3.0 -"])
        #expect(peer.seen.messages.isEmpty)
    }

    @Test("a file that lost or gained octets never gets an end of data", arguments: [-1, 1])
    func changedFile(_ difference: Int) async throws {
        var content = Array("From: a@example.com\r\n\r\n".utf8)
        while content.count < 2 * ForwardingLimits.blockOctets { content += Array("some text\r\n".utf8) }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        #expect(FileManager.default.createFile(atPath: path, contents: Data(content)))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        let record = await bench.deliver(
            bench.message(to: ["b@example.net"], content: .file(path: path, length: content.count + difference)))
        #expect(record?.words == ["deferred - 4.3.0 -"])
        #expect(peer.seen.messages.isEmpty)
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("content that is shorter than its header section never leaves", arguments: ["", "From: a@example.com"])
    func shortContent(content: String) async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        let record = await bench.deliver(bench.message(to: ["b@example.net"], content: .inline(Array(content.utf8))))
        #expect(record?.words == ["deferred - 4.3.0 -"])
        #expect(peer.seen.connections == 0)
        await peer.stop()
    }

    @Test(
        "content with a line end that is not CRLF never leaves",
        arguments: ["From: a@example.com\r\n\r\na\nb\r\n", "From: a@example.com\r\n\r\na\rb\r\n"])
    func bareLineEnds(content: String) async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        let record = await bench.deliver(bench.message(to: ["b@example.net"], content: .inline(Array(content.utf8))))
        #expect(record?.words == ["failed - 5.6.0 -"])
        #expect(peer.seen.messages.isEmpty)
        await peer.stop()
    }

    @Test("a message that can't be signed waits, and nothing of it leaves")
    func unsignable() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let signer = StubSigner(fault: DepartureSigningError(text: "no active key"))
        let bench = Bench([Bench.smarthost(peer.port)], signer: signer)
        let record = await bench.deliver(bench.message(to: ["b@example.net"]))
        #expect(record?.words == ["deferred - 4.7.5 -"])
        #expect(peer.seen.connections == 0)
        let told = bench.events.withLock { events in
            events.contains { if case .signingDeferred = $0 { true } else { false } }
        }
        #expect(told)
        await peer.stop()
    }

    @Test("an idle connection says QUIT when its time is up")
    func idle() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        var timeouts = ClientTimeouts()
        timeouts.idle = .milliseconds(50)
        let bench = Bench([Bench.smarthost(peer.port)], timeouts: timeouts)
        _ = await bench.deliver(bench.message(to: ["b@example.net"]))
        #expect(await eventually { peer.seen.commands.last == "QUIT" && peer.seen.open == 0 })
        #expect(bench.parts.sites.connectionCount == 0)
        await peer.stop()
    }
}

/// Waits for something that comes about by itself, for a minute at most.
func eventually(_ condition: () -> Bool) async -> Bool {
    for _ in 0..<6000 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return false
}
