// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import NIOCore
import SMTP
import Spooling
import Testing

@testable import Forwarding

@Suite struct TransportSecurityTests {
    private static let extensions = ["PIPELINING", "STARTTLS"]

    @Test("opportunistic TLS takes any certificate and greets anew")
    func opportunistic() async throws {
        let peer = try await ScriptedPeer.start(
            [["STARTTLS": .secure]], extensions: TransportSecurityTests.extensions, on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port, tls: .opportunistic)])
        let record = await bench.deliver(bench.message(to: ["b@example.net"]))
        #expect(record?.words == ["delivered 250 2.0.0 end of data"])
        #expect(peer.seen.messages.first?.wasSecure == true)
        #expect(peer.seen.commands.prefix(3) == ["EHLO relay.example.com", "STARTTLS", "EHLO relay.example.com"])
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("when TLS can't be set up, opportunistic goes on in the clear on a new connection")
    func fallback() async throws {
        let peer = try await ScriptedPeer.start(
            [["STARTTLS": .replyAndDrop("220 ready")], [:]], extensions: TransportSecurityTests.extensions,
            on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port, tls: .opportunistic)])
        let record = await bench.deliver(bench.message(to: ["b@example.net"]))
        #expect(record?.words == ["delivered 250 2.0.0 end of data"])
        #expect(peer.seen.connections == 2)
        #expect(peer.seen.messages.first?.wasSecure == false)
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test(
        "required TLS defers: a certificate that nobody vouches for, a broken handshake, no offer",
        arguments: [
            (["STARTTLS": .secure], extensions), (["STARTTLS": .replyAndDrop("220 ready")], extensions),
            (["STARTTLS": .reply("454 4.7.0 no")], extensions), ([:], ["PIPELINING"]),
        ] as [(ScriptedPeer.Script, [String])])
    func required(script: ScriptedPeer.Script, extensions: [String]) async throws {
        let peer = try await ScriptedPeer.start([script], extensions: extensions, on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port, tls: .required)])
        let record = await bench.deliver(bench.message(to: ["b@example.net"]))
        #expect(record?.words.first?.hasPrefix("deferred") == true)
        #expect(peer.seen.messages.isEmpty)
        #expect(!peer.seen.commands.contains { $0.hasPrefix("MAIL") })
        await peer.stop()
    }

    @Test("bytes behind the reply to STARTTLS close the connection", arguments: [ClientTLS.opportunistic, .required])
    func injection(tls: ClientTLS) async throws {
        let peer = try await ScriptedPeer.start(
            [["STARTTLS": .replyAnd("220 ready", "250 injected")]], extensions: TransportSecurityTests.extensions,
            on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port, tls: tls)])
        let record = await bench.deliver(bench.message(to: ["b@example.net"]))
        #expect(record?.words == ["deferred - 4.4.2 -"])
        #expect(!peer.seen.commands.contains { $0.hasPrefix("MAIL") })
        await peer.stop()
    }
}
