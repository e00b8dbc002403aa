// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Spooling
import Synchronization
import Testing

@testable import Forwarding

/// What an attempt tells the spool of keys: of those that signed, and of one that is missing.
@Suite struct KeyUseTests {
    private static let wantOfKey = DepartureSigningError(text: "no active key", isWantOfKey: true)
    /// The signatures were made a little before what the attempt led to.
    private static let signing = Bench.now.advanced(bySeconds: -30)

    private func use(_ selector: String, at time: Timestamp) throws -> KeyUse {
        KeyUse(sdid: try #require(Domain("example.com")), selector: selector, time: time)
    }

    /// A signer with two keys.
    private func signer() throws -> StubSigner {
        let signer = StubSigner()
        let uses = try ["r", "e"].map { try use($0, at: KeyUseTests.signing) }
        signer.keyUses.withLock { $0 = uses }
        return signer
    }

    /// What the spool has to hear: used until the end of the attempt.
    private func expected() throws -> [KeyUse] {
        try ["r", "e"].map { try use($0, at: Bench.now) }
    }

    // MARK: Keys that signed

    @Test(
        "an attempt tells the keys that signed, whatever it led to",
        arguments: [
            ([:], "delivered"),
            (["RCPT": .reply("451 4.3.0 later")], "deferred"),
            (["end": .reply("451 4.3.0 later")], "deferred"),
            (["MAIL": .reply("550 5.7.1 no")], "failed"),
            (["end": .reply("550 5.7.1 no")], "failed"),
            (["DATA": .drop], "deferred"),
            (["DATA": .dropInContent(5)], "deferred"),
            (["end": .drop], "deferred"),
            (["connect": .drop], "deferred"),
        ] as [(ScriptedPeer.Script, String)])
    func told(script: ScriptedPeer.Script, word: String) async throws {
        let peer = try await ScriptedPeer.start([script], on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)], signer: try signer())
        let record = try #require(await bench.deliver(bench.message(to: ["b@example.net"])))
        #expect(record.words.first?.hasPrefix("\(word) ") == true, "\(record.words)")
        #expect(record.keyUses == (try expected()))
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("a failure tells the keys also when its bounce could not be stored")
    func unreported() async throws {
        let peer = try await ScriptedPeer.start([["RCPT": .reply("550 5.1.1 no")]], on: Bench.group)
        let refusal = IntakeRefusal(replyCode: 452, status: EnhancedStatusCode(4, 3, 1), lines: ["full"])
        let bench = Bench(
            [Bench.smarthost(peer.port)], signer: try signer(), intake: KeepingIntake(.refused(refusal)))
        let record = try #require(await bench.deliver(bench.message(to: ["b@example.net"])))
        #expect(record.words.first?.hasPrefix("unreported ") == true)
        #expect(record.keyUses == (try expected()))
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("a message that is given back after it was signed tells its keys, and stays as it was")
    func givenBack() async throws {
        let bench = Bench([Bench.smarthost(25)], signer: try signer())
        bench.parts.sites.stop()
        let message = bench.message(to: ["b@example.net"])
        let record = try #require(await bench.deliver(message))
        #expect(record.queueID == message.queueID)
        #expect(record.results.isEmpty && record.keptFields == nil)
        #expect(record.keyUses == (try expected()))
        #expect(bench.released.withLock { $0.isEmpty })
        #expect(await eventually { bench.parts.budget.messagesInFlight == 0 })
    }

    @Test("a message that was not signed is given back without a word")
    func unsigned() async throws {
        var route = Bench.smarthost(25)
        route.signing.isUnsigned = true
        let bench = Bench([route], signer: try signer())
        bench.parts.sites.stop()
        let message = bench.message(to: ["b@example.net"])
        bench.parts.dispatcher.dispatch(message)
        #expect(await eventually { bench.released.withLock { $0 } == [message.queueID] })
    }

    @Test("keys of several next hops and renditions are told once each, with their latest use")
    func merged() throws {
        let told = Mutex<[[String]]>([])
        let message = MessageInFlight(Bench([Bench.smarthost(25)]).message(to: ["b@example.net"])) { _, report in
            let uses = report.keyUses.map { "\($0.selector) \($0.time.seconds - Bench.now.seconds)" }
            told.withLock { $0.append(uses) }
        }
        message.note([try use("r", at: Bench.now), try use("e", at: Bench.now.advanced(bySeconds: 1))])
        message.note([try use("r", at: Bench.now.advanced(bySeconds: 5)), try use("x", at: Bench.now)])
        message.note([])
        message.note([try use("e", at: Bench.now)])
        message.giveBack([0])
        #expect(told.withLock { $0 } == [["r 5", "e 1", "x 0"]])
    }

    // MARK: A key that is missing

    @Test("what was signed before the key was missed keeps its signatures for the next attempt")
    func missedInConversion() async throws {
        let peer = try await ScriptedPeer.start(extensions: ["PIPELINING"], on: Bench.group)
        let signer = try signer()
        // The key goes once the message is signed as it is stored; that it has to be converted shows after that.
        signer.whenSigned.withLock {
            $0 = { [weak signer] _ in signer?.fault.withLock { $0 = KeyUseTests.wantOfKey } }
        }
        let bench = Bench([Bench.smarthost(peer.port)], signer: signer)
        let content = Array("From: a@example.com\r\n\r\nNa\u{EF}ve\r\n".utf8)
        let message = bench.message(to: ["b@example.net"], content: .inline(content), isEightBit: true)
        let record = try #require(await bench.deliver(message))
        #expect(record.words == ["unsignable - 4.7.5 -"])
        #expect(record.keptFields == StubSigner.field)
        #expect(record.keyUses == (try expected()))
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test(
        "a message that waits for a key waits as long as it lives, and counts no deferral", arguments: [false, true])
    func unsignable(hasForesight: Bool) async throws {
        let signer = StubSigner(fault: KeyUseTests.wantOfKey, hasForesight: hasForesight)
        let bench = Bench([Bench.smarthost(25)], signer: signer)
        let message = bench.message(to: ["b@example.net", "c@example.net"])
        let record = try #require(await bench.deliver(message))
        #expect(record.words == ["unsignable - 4.7.5 -", "unsignable - 4.7.5 -"])
        for result in record.results {
            guard case .unsignable(let diagnostic, let until) = result.result else { continue }
            #expect(until == message.expiry)
            #expect(diagnostic.text == "no active key" && diagnostic.owner == .operator)
        }
        #expect(record.keyUses == [])
        let events = bench.events.withLock { $0 }
        #expect(events.count { if case .signingDeferred = $0 { true } else { false } } == 1)
        #expect(
            events.count { if case .deferred(_, _, _, let until) = $0 { until == message.expiry } else { false } } == 2)
        #expect(signer.departures.withLock { $0.count } == (hasForesight ? 0 : 1))
    }

    @Test("while there is no key, nobody is asked where the mail would go")
    func noQuestion() async throws {
        // Its DNS answers nothing: who asks it is deferred for that.
        let route = Route(name: "mx", target: .mx(port: 25))
        let bench = Bench([route], signer: StubSigner(fault: KeyUseTests.wantOfKey))
        let record = await bench.deliver(bench.message(to: ["b@example.net", "c@example.org"]))
        #expect(record?.words == ["unsignable - 4.7.5 -", "unsignable - 4.7.5 -"])
        bench.signer.fault.withLock { $0 = nil }
        let other = await bench.deliver(bench.message(to: ["b@example.net"]))
        #expect(other?.words.first?.hasPrefix("deferred - 4.4.") == true, "\(other?.words ?? [])")
    }

    @Test("a route that sends unsigned needs no key, beside one that does")
    func unsignedRoute() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        var local = Bench.smarthost(peer.port)
        local.name = "local"
        local.recipientDomains = ["example.org"].compactMap { DomainPattern($0) }
        local.signing.isUnsigned = true
        let bench = Bench([local, Bench.smarthost(peer.port)], signer: StubSigner(fault: KeyUseTests.wantOfKey))
        let record = await bench.deliver(bench.message(to: ["b@example.net", "c@example.org"]))
        #expect(record?.words == ["unsignable - 4.7.5 -", "delivered 250 2.0.0 end of data"])
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("a message that waited for a key until it expired fails, and its sender is told")
    func expired() async throws {
        let bench = Bench([Bench.smarthost(25)], signer: StubSigner(fault: KeyUseTests.wantOfKey))
        let record = await bench.deliver(bench.message(to: ["b@example.net"], expiry: Bench.now))
        #expect(record?.words == ["failed - 5.4.7 -"])
        guard case .failed(let diagnostic)? = record?.results.first?.result else { return }
        #expect(diagnostic.text == "not delivered in time; last attempt: no active key")
        #expect(bench.intake.kept.withLock { $0.count } == 1)
    }

    @Test("what no key would mend is deferred by the schedule")
    func otherFault() async throws {
        let bench = Bench(
            [Bench.smarthost(25)], signer: StubSigner(fault: DepartureSigningError(text: "can't be signed")))
        let record = await bench.deliver(bench.message(to: ["b@example.net"]))
        #expect(record?.words == ["deferred - 4.7.5 -"])
        guard case .deferred(_, let until)? = record?.results.first?.result else { return }
        #expect(until <= Bench.now.advanced(bySeconds: 330))
    }
}
