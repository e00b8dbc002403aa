// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import SMTP
import Spooling
import Synchronization
import Testing

@testable import Forwarding

/// What leaves when it is not what is stored: from memory, from a file and into a capture directory, and the faults
/// on the way.
@Suite struct DepartureTests {
    private static let signedHeader = "DKIM-Signature: v=1\r\nFrom: a@example.com\r\nDKIM-Signature: v=2\r\nTo: b\r\n"
    private static let unsignedHeader = "From: a@example.com\r\nTo: b\r\n"
    private static let delivered = "delivered 250 2.0.0 end of data"
    private static let withoutEightBit = ["PIPELINING", "SIZE 100000000"]
    /// Three blocks of a file, with something to stuff.
    private static let largeBody: String = {
        let line = "\u{FC}ber 400 Zeichen sind es nicht, aber alle anders\r\n..\r\n"
        return String(repeating: line, count: 3 * ForwardingLimits.blockOctets / line.utf8.count)
    }()

    /// A content file for the time of a test.
    private func withFile(
        _ content: String, _ body: (_ path: String, _ stored: StoredContent) async throws -> Void
    ) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        #expect(FileManager.default.createFile(atPath: path, contents: Data(content.utf8)))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path, .file(path: path, length: content.utf8.count))
    }

    private func body(_ content: [UInt8]) -> [UInt8] {
        guard let end = Data(content).range(of: Data([13, 10, 13, 10])) else { return [] }
        return Array(content[end.upperBound...])
    }

    /// What the encoder makes of a body.
    private func encoded(_ header: String, _ body: String) throws -> (header: [UInt8], body: [UInt8]) {
        let octets = Array(body.utf8)
        let plan = try Rendition.plan(headerSection: Array(header.utf8), goal: .sevenBit) { try $0(octets[...]) }
        let rendition = try #require(plan)
        var output: [UInt8] = []
        var encoder = rendition.makeEncoder()
        encoder.append(octets[...], to: &output)
        encoder.finish(to: &output)
        return (rendition.headerSection, output)
    }

    // MARK: Fields that don't leave

    @Test("fields that the signer removes don't leave, from memory or from a file", arguments: [false, true])
    func removed(isFile: Bool) async throws {
        let text = isFile ? String(repeating: "some text\r\n", count: 40_000) : "text\r\n"
        let content = "\(DepartureTests.signedHeader)\r\n\(text)"
        try await withFile(content) { _, file in
            let peer = try await ScriptedPeer.start(on: Bench.group)
            let bench = Bench([Bench.smarthost(peer.port)], signer: StubSigner(removesSignatures: true))
            let message = bench.message(
                to: ["b@example.net"], content: isFile ? file : .inline(Array(content.utf8)),
                headerLength: DepartureTests.signedHeader.utf8.count)
            #expect(await bench.deliver(message)?.words == [DepartureTests.delivered])
            let seen = try #require(peer.seen.messages.first)
            #expect(seen.content == StubSigner.field + Array("\(DepartureTests.unsignedHeader)\r\n\(text)".utf8))
            #expect(seen.mail.hasSuffix(" SIZE=\(seen.content.count)"))
            bench.parts.sites.stop()
            await peer.stop()
        }
    }

    @Test(
        "a capture holds what would have been sent: without removed fields, encoded where the route says so",
        arguments: [false, true], [false, true])
    func capture(isFile: Bool, encodes: Bool) async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("capture-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let text = isFile ? DepartureTests.largeBody : "\u{FC}ber\r\n"
        let content = "\(DepartureTests.signedHeader)\r\n\(text)"
        try await withFile(content) { _, file in
            let bench = Bench(
                [Route(name: "files", target: .capture(directory: directory.path), encodesEightBit: encodes)],
                signer: StubSigner(removesSignatures: true))
            let message = bench.message(
                to: ["b@example.net"], content: isFile ? file : .inline(Array(content.utf8)), isEightBit: true,
                headerLength: DepartureTests.signedHeader.utf8.count)
            #expect(await bench.deliver(message)?.words == ["delivered - 2.0.0 -"])
            let captured = [UInt8](try Data(contentsOf: directory.appendingPathComponent("\(message.queueID).eml")))
            let json = try String(
                contentsOf: directory.appendingPathComponent("\(message.queueID).json"), encoding: .utf8)
            #expect(json.contains("\"eight_bit\": \(!encodes)"))
            if encodes {
                let expected = try encoded(DepartureTests.signedHeader, text)
                #expect(!captured.contains { $0 > 127 })
                #expect(body(captured) == expected.body)
                #expect(!String(decoding: captured, as: UTF8.self).contains("DKIM-Signature"))
                #expect(captured.starts(with: StubSigner.field + Array("From: a@example.com\r\nTo: b\r\n".utf8)))
            } else {
                #expect(captured == StubSigner.field + Array("\(DepartureTests.unsignedHeader)\r\n\(text)".utf8))
            }
        }
    }

    // MARK: Routes that always encode

    @Test("a route that encodes does so also for a next hop with 8BITMIME, and fails without asking it otherwise")
    func always() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        var route = Bench.smarthost(peer.port)
        route.encodesEightBit = true
        let bench = Bench([route])
        let header = "From: a@example.com\r\n"
        let message = bench.message(
            to: ["b@example.net"], content: .inline(Array("\(header)\r\n\u{FC}ber\r\n".utf8)), isEightBit: true)
        #expect(await bench.deliver(message)?.words == [DepartureTests.delivered])
        #expect(peer.seen.messages.first?.content.contains { $0 > 127 } == false)
        #expect(peer.seen.messages.first?.mail.contains("BODY") == false)
        #expect(bench.signer.departures.withLock { $0.count } == 1)

        let subject = bench.message(
            to: ["b@example.net"], content: .inline(Array("\(header)Subject: \u{FC}ber\r\n\r\ntext\r\n".utf8)),
            isEightBit: true, headerLength: header.utf8.count + 16)
        let record = await bench.deliver(subject)
        #expect(record?.words == ["failed - 5.6.9 -"])
        guard case .failed(let diagnostic)? = record?.results.first?.result else { return }
        #expect(diagnostic.text.contains("header field Subject") && diagnostic.owner == .sender)
        #expect(peer.seen.commands.filter { $0.hasPrefix("MAIL") }.count == 1)
        // Never silently.
        #expect(bench.intake.kept.withLock { $0.first?.envelope.recipients.first?.localPart } == "a")
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("content that turns out to hold no octet above 127 is not declared as 8-bit, and not signed twice")
    func falseAlarm() async throws {
        let peer = try await ScriptedPeer.start(extensions: DepartureTests.withoutEightBit, on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        let content = Array("From: a@example.com\r\n\r\ntext\r\n".utf8)
        for count in 1...2 {
            let message = bench.message(to: ["b@example.net"], content: .inline(content), isEightBit: true)
            #expect(await bench.deliver(message)?.words == [DepartureTests.delivered])
            #expect(bench.signer.departures.withLock { $0.count } == count)
        }
        #expect(peer.seen.messages.map(\.content) == [StubSigner.field + content, StubSigner.field + content])
        #expect(peer.seen.messages.allSatisfy { !$0.mail.contains("BODY") })
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("signatures of a rendition are not kept for the next attempt, those of stored octets are")
    func keptFields() async throws {
        for (extensions, kept) in [(["8BITMIME"], StubSigner.field), ([], nil)] as [([String], [UInt8]?)] {
            let peer = try await ScriptedPeer.start(
                [["end": .reply("451 4.3.0 later")]], extensions: extensions, on: Bench.group)
            let bench = Bench([Bench.smarthost(peer.port)])
            let content = Array("From: a@example.com\r\n\r\n\u{FC}ber\r\n".utf8)
            let record = await bench.deliver(
                bench.message(to: ["b@example.net"], content: .inline(content), isEightBit: true))
            #expect(record?.words == ["deferred 451 4.3.0 end of data"])
            #expect(record?.keptFields == kept)
            bench.parts.sites.stop()
            await peer.stop()
        }
    }

    // MARK: Files

    @Test(
        "a file is encoded while it is sent; its size is declared if the signer has seen it", arguments: [true, false])
    func file(readsBodies: Bool) async throws {
        let header = "From: a@example.com\r\n"
        try await withFile("\(header)\r\n\(DepartureTests.largeBody)") { _, file in
            let peer = try await ScriptedPeer.start(extensions: DepartureTests.withoutEightBit, on: Bench.group)
            let signer = StubSigner(readsBodies: readsBodies)
            let bench = Bench([Bench.smarthost(peer.port)], signer: signer)
            let message = bench.message(to: ["b@example.net"], content: file, isEightBit: true)
            #expect(await bench.deliver(message)?.words == [DepartureTests.delivered])
            let seen = try #require(peer.seen.messages.first)
            let expected = try encoded(header, DepartureTests.largeBody)
            let whole: [UInt8] = StubSigner.field + expected.header + [13, 10] + expected.body
            #expect(seen.content == whole)
            if readsBodies {
                #expect(signer.bodies.withLock { $0.last } == expected.body)
                #expect(seen.mail.hasSuffix(" SIZE=\(seen.content.count)"))
            } else {
                #expect(!seen.mail.contains("SIZE"))
            }
            // The octets of the file were never in memory all at once.
            #expect(await eventually { bench.parts.budget.octetsInFlight == 0 })
            bench.parts.sites.stop()
            await peer.stop()
        }
    }

    @Test("the body of a rendition is hashed once for all next hops, and each is told its size")
    func hashedOnce() async throws {
        try await withFile("From: a@example.com\r\n\r\n\(DepartureTests.largeBody)") { _, file in
            let peer = try await ScriptedPeer.start(on: Bench.group)
            let signer = StubSigner(readsBodies: true)
            let routes = ["example.net", "example.org", "example.com"].map { domain in
                var route = Bench.smarthost(peer.port)
                route.name = domain
                route.recipientDomains = [domain].compactMap { DomainPattern($0) }
                route.encodesEightBit = true
                return route
            }
            let bench = Bench(routes, signer: signer)
            // One after the other, so that what the first finds out is there for the others.
            let message = bench.message(to: ["a@example.net"], content: file, isEightBit: true)
            let flight = MessageInFlight(message) { _, _ in }
            let environment = bench.environment
            var lengths: Set<Int?> = []
            for host in ["one.test", "two.test", "three.test"] {
                let content = try environment.depart(flight, for: NextHop(kind: .mx, host: host), as: .sevenBit)
                lengths.insert(content.length)
            }
            #expect(lengths.count == 1 && lengths.first != .some(nil))
            #expect(signer.bodies.withLock { $0.count } == 1)
            #expect(Set(signer.departures.withLock { $0.dropFirst().map(\.bodyHashes.count) }) == [1])
            let record = await bench.deliver(
                bench.message(
                    to: ["a@example.net", "b@example.org", "c@example.com"], content: file, isEightBit: true))
            #expect(record?.words == Array(repeating: DepartureTests.delivered, count: 3))
            #expect(peer.seen.messages.allSatisfy { $0.mail.hasSuffix(" SIZE=\($0.content.count)") })
            bench.parts.sites.stop()
            await peer.stop()
        }
    }

    @Test("what a signer computed of the stored body is there for the next next hop")
    func storedHashedOnce() throws {
        let signer = StubSigner(readsBodies: true)
        let bench = Bench([Bench.smarthost(25)], signer: signer)
        let flight = MessageInFlight(bench.message(to: ["a@example.net", "b@example.org"])) { _, _ in }
        for host in ["one.test", "two.test", "three.test"] {
            _ = try bench.environment.depart(flight, for: NextHop(kind: .mx, host: host), as: .stored)
        }
        #expect(signer.bodies.withLock { $0.count } == 1)
    }

    @Test(
        "a file that vanishes or changes between the passes defers, and the next hop gets no end of data",
        arguments: [1, 2], ["remove", "cut", "grow"])
    func changed(afterSignature number: Int, change: String) async throws {
        try await withFile("From: a@example.com\r\n\r\n\(DepartureTests.largeBody)") { path, file in
            let peer = try await ScriptedPeer.start(extensions: DepartureTests.withoutEightBit, on: Bench.group)
            let bench = Bench([Bench.smarthost(peer.port)], signer: StubSigner(readsBodies: number == 2))
            let signatures = Mutex(0)
            bench.signer.whenSigned.withLock { hook in
                hook = { _ in
                    let count = signatures.withLock { count in
                        count += 1
                        return count
                    }
                    guard count == number else { return }
                    switch change {
                    case "remove": try? FileManager.default.removeItem(atPath: path)
                    case "cut": unsafe truncate(path, 300_000)
                    default:
                        let handle = FileHandle(forWritingAtPath: path)
                        _ = try? handle?.seekToEnd()
                        try? handle?.write(contentsOf: Data("more\r\n".utf8))
                        try? handle?.close()
                    }
                }
            }
            let message = bench.message(to: ["b@example.net"], content: file, isEightBit: true)
            // At most what was accepted is read to plan and sign: what a file gained is found out when it is sent.
            #expect(await bench.deliver(message)?.words == ["deferred - 4.3.0 -"])
            #expect(peer.seen.messages.isEmpty)
            bench.signer.whenSigned.withLock { $0 = nil }
            let other = await bench.deliver(bench.message(to: ["b@example.net"]))
            #expect(other?.words == [DepartureTests.delivered])
            bench.parts.sites.stop()
            await peer.stop()
        }
    }

    // MARK: The connection meanwhile

    @Test("a connection that is lost while a message is converted costs no attempt")
    func lostMeanwhile() async throws {
        let peer = try await ScriptedPeer.start(extensions: DepartureTests.withoutEightBit, on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        let content = Array("From: a@example.com\r\n\r\n\u{FC}ber\r\n".utf8)
        let sites = bench.parts.sites
        bench.signer.whenSigned.withLock { hook in
            // The second signature is of the rendition.
            hook = { departure in if departure.headerSection.count > 21 { sites.abandon() } }
        }
        let record = await bench.deliver(
            bench.message(to: ["b@example.net"], content: .inline(content), isEightBit: true))
        #expect(record?.words == [DepartureTests.delivered])
        #expect(peer.seen.connections == 2)
        #expect(bench.signer.departures.withLock { $0.count } == 2)
        bench.signer.whenSigned.withLock { $0 = nil }
        sites.stop()
        await peer.stop()
    }

    @Test("a message that is converted when the relay shuts down stays due")
    func stoppedMeanwhile() async throws {
        let peer = try await ScriptedPeer.start(extensions: DepartureTests.withoutEightBit, on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        let content = Array("From: a@example.com\r\n\r\n\u{FC}ber\r\n".utf8)
        let sites = bench.parts.sites
        bench.signer.whenSigned.withLock { hook in
            hook = { departure in
                guard departure.headerSection.count > 21 else { return }
                sites.stop()
                sites.abandon()
            }
        }
        let message = bench.message(to: ["b@example.net"], content: .inline(content), isEightBit: true)
        bench.parts.dispatcher.dispatch(message)
        #expect(await eventually { bench.released.withLock { $0 } == [message.queueID] })
        #expect(peer.seen.messages.isEmpty)
        #expect(bench.parts.budget.messagesInFlight == 0 && bench.parts.budget.octetsInFlight == 0)
        bench.signer.whenSigned.withLock { $0 = nil }
        await peer.stop()
    }
}
