// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Mail
import Spooling
import Synchronization
import Testing

@testable import Forwarding

@Suite("Capture of all mail")
struct CaptureSwitchTests {
    private func capture(_ to: String = "dev@example.com", except: [String] = []) throws -> Capture {
        Capture(.mailbox(try #require(Mailbox(written: to))), except: except.compactMap { RecipientPattern($0) })
    }

    @Test("one mailbox gets the message once, and a field says whom it was for")
    func mailbox() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        bench.parts.dispatcher.replaceRoutes(RoutingTable([Bench.smarthost(peer.port)], capture: try capture()))
        let record = await bench.deliver(bench.message(to: ["a@customer.test", "b@customer.test"]))
        #expect(record?.words == ["delivered 250 2.0.0 end of data", "delivered 250 2.0.0 end of data"])
        #expect(peer.seen.messages.map(\.recipients) == [["dev@example.com"]])
        let field = "X-Captured-For: a@customer.test,\r\n\tb@customer.test\r\n"
        #expect(
            peer.seen.messages.first?.content
                == Array(field.utf8) + StubSigner.field + Array("From: a@example.com\r\n\r\n.text\r\n".utf8))
        #expect(!peer.seen.commands.contains { $0.contains("customer.test") })
        await peer.stop()
    }

    @Test("what is excepted still gets its mail, in a message of its own")
    func exceptions() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let routes = [Bench.smarthost(peer.port)]
        let bench = Bench(routes)
        bench.parts.dispatcher.replaceRoutes(
            RoutingTable(routes, capture: try capture(except: ["@ours.test", "ada@example.org", "@*.lab.test"])))
        let recipients = [
            "a@customer.test", "b@ours.test", "ada@example.org", "bob@example.org", "x@a.lab.test", "y@lab.test",
            "dev@example.com", "z@sub.ours.test",
        ]
        let record = await bench.deliver(bench.message(to: recipients))
        #expect(record?.results.count == recipients.count)
        let messages = peer.seen.messages.sorted { $0.recipients.count < $1.recipients.count }
        #expect(messages.count == 2)
        #expect(messages.first?.recipients == ["dev@example.com"])
        #expect(messages.last?.recipients == ["b@ours.test", "ada@example.org", "x@a.lab.test", "dev@example.com"])
        #expect(!messages[1].content.starts(with: Array("X-Captured-For".utf8)))
        await peer.stop()
    }

    @Test("a refusal of the one is a failure of all, and their sender is told at a captured address too")
    func failure() async throws {
        let peer = try await ScriptedPeer.start([["RCPT dev@example.com": .reply("550 5.1.1 no")]], on: Bench.group)
        let routes = [Bench.smarthost(peer.port)]
        let bench = Bench(routes)
        bench.parts.dispatcher.replaceRoutes(RoutingTable(routes, capture: try capture()))
        let record = await bench.deliver(bench.message(to: ["a@customer.test", "b@customer.test"]))
        #expect(record?.words == ["failed 550 5.1.1 RCPT", "failed 550 5.1.1 RCPT"])
        // The notification comes back through the spool like any other message.
        let notification = try #require(bench.intake.kept.withLock { $0.first })
        let report = await bench.deliver(
            bench.message(to: notification.envelope.recipients.map(\.description), from: nil))
        #expect(report?.words.count == 1)
        #expect(peer.seen.commands.filter { $0.hasPrefix("RCPT") }.allSatisfy { $0.contains("dev@example.com") })
        await peer.stop()
    }

    @Test("its route is that of the mailbox, not those of the recipients")
    func route() async throws {
        let (right, wrong) = (
            try await ScriptedPeer.start(on: Bench.group), try await ScriptedPeer.start(on: Bench.group)
        )
        var first = Bench.smarthost(right.port)
        first.name = "dev"
        first.recipientDomains = [DomainPattern("example.com")].compactMap { $0 }
        let routes = [first, Bench.smarthost(wrong.port)]
        let bench = Bench(routes)
        bench.parts.dispatcher.replaceRoutes(RoutingTable(routes, capture: try capture()))
        let record = await bench.deliver(bench.message(to: ["a@customer.test"]))
        #expect(record?.words == ["delivered 250 2.0.0 end of data"])
        #expect(right.seen.messages.count == 1 && wrong.seen.connections == 0)
        await right.stop()
        await wrong.stop()
    }

    @Test("a directory gets all mail, whatever the routes are")
    func directory() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("capture-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let bench = Bench([])
        bench.parts.dispatcher.replaceRoutes(RoutingTable([], capture: Capture(.directory(directory.path))))
        let message = bench.message(to: ["a@customer.test"])
        #expect(await bench.deliver(message)?.words == ["delivered - 2.0.0 -"])
        let content = try Data(contentsOf: directory.appendingPathComponent("\(message.queueID).eml"))
        #expect(content.starts(with: Data("X-Captured-For: a@customer.test\r\nX-Signed".utf8)))
    }

    @Test("what is signed and waits when capture is switched on does not go to its recipients any more")
    func waiting() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let routes = [Bench.smarthost(peer.port)]
        let bench = Bench(routes)
        let table = RoutingTable(routes, capture: try capture())
        bench.signer.whenSigned.withLock { $0 = { _ in bench.parts.dispatcher.replaceRoutes(table) } }
        let message = bench.message(to: ["a@customer.test"])
        bench.parts.dispatcher.dispatch(message)
        #expect(await eventually { bench.released.withLock { $0 == [message.queueID] } })
        #expect(!peer.seen.commands.contains { $0.contains("customer.test") })
        // As the spool gives it out again.
        #expect(await bench.deliver(message)?.words == ["delivered 250 2.0.0 end of data"])
        #expect(peer.seen.messages.map(\.recipients) == [["dev@example.com"]])
        await peer.stop()
    }

    @Test("the field names a hundred recipients, and how many more there are, in lines that may be sent")
    func field() throws {
        let mailboxes = try (0..<250).map { try #require(Mailbox(written: "r\($0)@customer.test")) }
        let lines = String(decoding: CapturedField.octets(mailboxes), as: UTF8.self).split(separator: "\r\n")
        #expect(lines.count == 100)
        #expect(lines.last == "\tr99@customer.test (and 150 more)")
        #expect(lines.allSatisfy { $0.utf8.count <= 998 })
        let odd = Mailbox(localPart: "\"a\r\nEvil: ä\"", host: mailboxes[0].host)
        #expect(CapturedField.octets([odd]).filter { $0 == 10 }.count == 1)
    }

    @Test("everybody is no exception", arguments: ["@*", "*", "a@*", "example.com", "", "@", "a b@example.com"])
    func patterns(text: String) {
        #expect(RecipientPattern(text) == nil)
    }
}
