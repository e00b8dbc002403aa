// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Spooling
import Synchronization
import Testing

@testable import Forwarding

@Suite struct BounceTests {
    @Test("one notification tells of all failed recipients, to the reverse-path, from nobody who can be answered")
    func bounce() async throws {
        let peer = try await ScriptedPeer.start(
            [["RCPT b@example.net": .reply("550 5.1.1 no b"), "RCPT d@example.net": .reply("550 5.1.1 no d")]],
            on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        let message = bench.message(to: ["b@example.net", "c@example.net", "d@example.net"])
        let record = await bench.deliver(message)
        #expect(
            record?.words == ["failed 550 5.1.1 RCPT", "delivered 250 2.0.0 end of data", "failed 550 5.1.1 RCPT"])
        let kept = bench.intake.kept.withLock { $0 }
        #expect(kept.count == 1)
        #expect(kept.first?.envelope.reversePath == .null)
        #expect(kept.first?.envelope.recipients.map(\.description) == ["a@example.com"])
        let text = String(decoding: kept.first?.content ?? [], as: UTF8.self)
        #expect(text.contains("MAILER-DAEMON@example.com"))
        #expect(text.contains("b@example.net") && text.contains("d@example.net"))
        #expect(text.contains("no b") && text.contains("no d") && !text.contains("c@example.net"))
        #expect(text.contains("From: a@example.com\r\n"))
        let bounced = bench.events.withLock { events in
            events.contains { if case .bounced(message.queueID, _) = $0 { true } else { false } }
        }
        #expect(bounced)
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("a message with a null reverse-path fails without a notification")
    func noBounceOfBounce() async throws {
        let peer = try await ScriptedPeer.start([["MAIL": .reply("550 no")]], on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        let record = await bench.deliver(bench.message(to: ["b@example.net"], from: nil))
        #expect(record?.words == ["failed 550 5.0.0 MAIL"])
        #expect(bench.intake.kept.withLock { $0.isEmpty })
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("the notification is committed before the failure is recorded")
    func order() async throws {
        let peer = try await ScriptedPeer.start([["MAIL": .reply("550 no")]], on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        let recordedFirst = Mutex(false)
        bench.intake.whenFinished.withLock { hook in
            hook = {
                let failed = bench.events.withLock { events in
                    events.contains { if case .failed = $0 { true } else { false } }
                }
                recordedFirst.withLock { $0 = failed }
            }
        }
        _ = await bench.deliver(bench.message(to: ["b@example.net"]))
        #expect(bench.intake.kept.withLock { $0.count } == 1)
        #expect(!recordedFirst.withLock { $0 })
        bench.intake.whenFinished.withLock { $0 = nil }
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test(
        "a notification that can't be stored now keeps the failure; one that is refused for good ends the message",
        arguments: [
            (452, "unreported 550 5.0.0 MAIL", false), (451, "unreported 550 5.0.0 MAIL", false),
            (550, "failed 550 5.0.0 MAIL", true),
        ])
    func refused(code: Int, expected: String, isFinal: Bool) async throws {
        let peer = try await ScriptedPeer.start([["MAIL": .reply("550 no")]], on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)], intake: KeepingIntake(.refusing(code)))
        // Expired or not: a bounce that is lost is mail that is lost.
        let record = await bench.deliver(bench.message(to: ["b@example.net"], expiry: Bench.now))
        #expect(record?.words == [expected])
        #expect(bench.unreported.map(\.isFinal) == [isFinal])
        #expect(bench.unreported.first?.reason == "\(code) \(code / 100).3.0 not so")
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test("who has failed already is reported and goes to no next hop again, whatever becomes of the others")
    func reportedLater() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        var message = bench.message(to: ["b@example.net", "c@example.net"])
        message.recipients[0].failure = Diagnostic(
            replyCode: 550, status: EnhancedStatusCode(5, 1, 1), text: "no b", command: "RCPT", owner: .recipient)
        let record = await bench.deliver(message)
        #expect(record?.words == ["failed 550 5.1.1 RCPT", "delivered 250 2.0.0 end of data"])
        #expect(peer.seen.messages.map(\.recipients) == [["c@example.net"]])
        let text = bench.intake.kept.withLock { String(decoding: $0.first?.content ?? [], as: UTF8.self) }
        #expect(text.contains("Diagnostic-Code: smtp; 550 5.1.1 no b") && !text.contains("c@example.net"))
        // When that was, nobody knows any more.
        #expect(!text.contains("Last-Attempt-Date"))
        message.recipients.removeLast()
        #expect(await bench.deliver(message)?.words == ["failed 550 5.1.1 RCPT"])
        #expect(peer.seen.messages.count == 1)
        bench.parts.sites.stop()
        await peer.stop()
    }

    @Test(
        "the notification is tried again until a day after the expiry, but once at least",
        arguments: [(86_399, true, false), (86_400, true, true), (86_400, false, false), (900_000, false, false)])
    func end(secondsExpired: Int64, isRepeated: Bool, isFinal: Bool) async throws {
        let bench = Bench([Bench.smarthost(1)], intake: KeepingIntake(.refusing(451)))
        let down = Diagnostic(status: EnhancedStatusCode(5, 4, 7), text: "down", owner: .network)
        var message = bench.message(
            to: ["b@example.net"], expiry: Bench.now.advanced(bySeconds: -secondsExpired))
        if isRepeated { message.recipients[0].failure = down }
        let record = await bench.deliver(message)
        #expect(record?.words == [isFinal ? "failed - 5.4.7 -" : "unreported - 5.4.7 -"])
        #expect(bench.unreported.map(\.isFinal) == [isFinal])
        if case .unreported(let diagnostic, let until)? = record?.results.first?.result {
            #expect(until > Bench.now)
            // What the notification is going to say.
            #expect(diagnostic == down || !isRepeated)
        }
    }

    @Test("an expired message whose content is lost ends, and its sender is told without the content")
    func lostContent() async throws {
        let peer = try await ScriptedPeer.start(on: Bench.group)
        let bench = Bench([Bench.smarthost(peer.port)])
        let record = await bench.deliver(
            bench.message(
                to: ["b@example.net"], content: .file(path: "/nonexistent/x", length: 500_000), expiry: Bench.now))
        #expect(record?.words == ["failed - 5.4.7 -"])
        let text = bench.intake.kept.withLock { String(decoding: $0.first?.content ?? [], as: UTF8.self) }
        #expect(text.contains("Final-Recipient: rfc822; b@example.net"))
        #expect(!text.contains("text/rfc822-headers"))
        #expect(peer.seen.messages.isEmpty)
        await peer.stop()
    }
}

extension IntakeResult {
    static func refusing(_ code: Int) -> IntakeResult {
        .refused(IntakeRefusal(replyCode: code, status: EnhancedStatusCode(code / 100, 3, 0), lines: ["not so"]))
    }
}
