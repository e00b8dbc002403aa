// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import NIOCore
import Spooling
import Synchronization
import Testing

@testable import Forwarding

/// What a next hop can do wrong, and what becomes of a message with the recipients b and c.
@Suite struct NextHopFaultTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var script: ScriptedPeer.Script
        /// For b, and for c where that is different.
        var outcomes: [String]
        var extensions = ["PIPELINING", "8BITMIME", "SIZE 100000000"]

        var testDescription: String { name }

        init(_ name: String, _ script: ScriptedPeer.Script, _ outcomes: String...) {
            self.name = name
            self.script = script
            self.outcomes = outcomes.count == 1 ? [outcomes[0], outcomes[0]] : outcomes
        }
    }

    static let cases: [Case] = [
        Case("none", [:], "delivered 250 2.0.0 end of data"),
        Case("greeting 421", ["connect": .reply("421 4.3.2 busy")], "deferred 421 4.3.2 connection"),
        Case("greeting 554", ["connect": .reply("554 5.7.1 no")], "deferred 554 5.7.1 connection"),
        Case("greeting 521", ["connect": .reply("521 no mail here")], "deferred 521 5.0.0 connection"),
        Case("no greeting, closed", ["connect": .drop], "deferred - 4.4.2 -"),
        Case("no greeting, silence", ["connect": .silence], "deferred - 4.4.2 -"),
        Case("greeting that is no reply", ["connect": .reply("HTTP/1.1 400 Bad Request")], "deferred - 4.4.2 -"),
        Case("EHLO 4xx", ["EHLO": .reply("450 4.7.1 no")], "deferred 450 4.7.1 EHLO"),
        Case("EHLO 5xx, HELO works", ["EHLO": .reply("500 what")], "delivered 250 2.0.0 end of data"),
        Case("EHLO and HELO 5xx", ["EHLO": .reply("500 what"), "HELO": .reply("550 no")], "deferred 550 5.0.0 HELO"),
        Case("EHLO, closed", ["EHLO": .drop], "deferred - 4.4.2 -"),
        Case("EHLO, silence", ["EHLO": .silence], "deferred - 4.4.2 -"),
        Case("MAIL 4xx", ["MAIL": .reply("451 4.3.0 later")], "deferred 451 4.3.0 MAIL"),
        Case("MAIL 5xx", ["MAIL": .reply("550 5.1.8 no")], "failed 550 5.1.8 MAIL"),
        Case("MAIL 421", ["MAIL": .reply("421 4.3.2 bye")], "deferred 421 4.3.2 MAIL"),
        Case("MAIL, closed", ["MAIL": .drop], "deferred - 4.4.2 -"),
        Case("MAIL, silence", ["MAIL": .silence], "deferred - 4.4.2 -"),
        Case("all RCPT 5xx", ["RCPT": .reply("550 5.1.1 no")], "failed 550 5.1.1 RCPT"),
        Case("all RCPT 4xx", ["RCPT": .reply("450 4.2.0 grey")], "deferred 450 4.2.0 RCPT"),
        Case(
            "one RCPT 5xx", ["RCPT b@example.net": .reply("550 5.1.1 no")], "failed 550 5.1.1 RCPT",
            "delivered 250 2.0.0 end of data"),
        Case(
            "one RCPT 4xx", ["RCPT c@example.net": .reply("450 4.2.0 grey")], "delivered 250 2.0.0 end of data",
            "deferred 450 4.2.0 RCPT"),
        Case("RCPT, closed", ["RCPT c@example.net": .drop], "deferred - 4.4.2 -"),
        Case("RCPT, silence", ["RCPT": .silence], "deferred - 4.4.2 -"),
        Case("DATA 4xx", ["DATA": .reply("451 4.3.0 later")], "deferred 451 4.3.0 DATA"),
        Case("DATA 5xx", ["DATA": .reply("554 5.5.1 no")], "failed 554 5.5.1 DATA"),
        Case("DATA, closed", ["DATA": .drop], "deferred - 4.4.2 -"),
        Case("DATA, silence", ["DATA": .silence], "deferred - 4.4.2 -"),
        Case(
            "354 without recipients",
            ["RCPT": .reply("550 5.1.1 no"), "DATA": .reply("354 go"), "end": .reply("554 no")],
            "failed 550 5.1.1 RCPT"),
        Case("354 and an acceptance at once", ["DATA": .reply("354 go\r\n250 2.0.0 taken")], "deferred - 4.4.2 -"),
        Case("closed in the content", ["DATA": .dropInContent(5)], "deferred - 4.4.2 end of data"),
        Case("end of data 4xx", ["end": .reply("451 4.3.0 later")], "deferred 451 4.3.0 end of data"),
        Case("end of data 5xx", ["end": .reply("554 5.6.0 no")], "failed 554 5.6.0 end of data"),
        Case("end of data 421", ["end": .reply("421 4.3.2 bye")], "deferred 421 4.3.2 end of data"),
        Case("end of data, closed", ["end": .drop], "deferred - 4.4.2 end of data"),
        Case("end of data, silence", ["end": .silence], "deferred - 4.4.2 end of data"),
        Case("530", ["MAIL": .reply("530 5.7.0 authenticate")], "deferred 530 5.7.0 MAIL"),
    ]

    @Test("every fault of a next hop has its outcome", arguments: cases, [true, false])
    func fault(_ fault: Case, pipelining: Bool) async throws {
        let peer = try await ScriptedPeer.start(
            [fault.script], extensions: pipelining ? fault.extensions : ["8BITMIME"], on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)], timeouts: ClientTimeouts(for: fault.script))
        let record = await bench.deliver(bench.message(to: ["b@example.net", "c@example.net"]))
        #expect(record?.words == fault.outcomes)
        let delivered = peer.seen.messages
        #expect(delivered.count == (fault.outcomes.contains { $0.hasPrefix("delivered") } ? 1 : 0))
        for message in delivered {
            #expect(message.content == StubSigner.field + Array("From: a@example.com\r\n\r\n.text\r\n".utf8))
        }
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("a connection that is refused defers, and the site is left alone for a while")
    func refusedConnection() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        await peer.stop()
        let bench = Bench([Bench.smarthost(peer.port)])
        let record = await bench.deliver(bench.message(to: ["b@example.net"]))
        #expect(record?.words == ["deferred - 4.4.2 -"])
        // On a busy machine the second that the site is left alone at first may pass; the next times are longer.
        var tried = 1
        var second = await bench.deliver(bench.message(to: ["b@example.net"]))
        while tried < 6, second?.words == ["deferred - 4.4.2 -"] {
            tried += 1
            second = await bench.deliver(bench.message(to: ["b@example.net"]))
        }
        #expect(second?.words == ["deferred - 4.4.1 -"])
        // The last message was not even signed.
        #expect(bench.signer.departures.withLock { $0.count } == tried)
    }

    @Test("what waits when a next hop can't be reached is deferred with it")
    func allDeferred() async throws {
        let peer = try await ScriptedPeer.start([["connect": .reply("554 no")]], on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        let records = await bench.deliver((0..<50).map { _ in bench.message(to: ["b@example.net"]) })
        #expect(records.count == 50)
        #expect(records.allSatisfy { $0.words[0].hasPrefix("deferred") })
        await peer.stop()
    }

    @Test("a kept connection that the next hop has closed costs no attempt")
    func closedWhenKept() async throws {
        // Each connection takes one message and drops at the next MAIL.
        let peer = try await ScriptedPeer.start(
            [["end": .replyAndDrop("250 2.0.0 taken")]], on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port, connections: 1)])
        let records = await bench.deliver((0..<20).map { _ in bench.message(to: ["b@example.net"]) })
        #expect(records.allSatisfy { $0.words == ["delivered 250 2.0.0 end of data"] })
        #expect(peer.seen.connections == 20)
        bench.parts.sites.stop()
        await peer.stop()
    }
}

extension ClientTimeouts {
    /// Short where the script is silent, and only there: a healthy step may take its time on a busy machine.
    init(for script: ScriptedPeer.Script) {
        self.init()
        let short = TimeAmount.milliseconds(100)
        for (step, _) in script.filter({ $0.value == .silence }) {
            switch step {
            case "connect": banner = short
            case "EHLO": hello = short
            case "MAIL": mail = short
            case "RCPT": recipient = short
            case "DATA": data = short
            default: endOfData = short
            }
        }
    }
}
