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
        "a notification that can't be stored now keeps the message; one that is refused for good does not",
        arguments: [(452, "deferred 550 5.0.0 MAIL"), (451, "deferred 550 5.0.0 MAIL"), (550, "failed 550 5.0.0 MAIL")])
    func refused(code: Int, expected: String) async throws {
        let peer = try await ScriptedPeer.start([["MAIL": .reply("550 no")]], on: Bench.group)
        let refusal = IntakeRefusal(
            replyCode: code, status: EnhancedStatusCode(code / 100, 3, 0), lines: ["not so"])
        let bench = Bench([Bench.smarthost(peer.port)], intake: KeepingIntake(.refused(refusal)))
        // Expired or not: a bounce that is lost is mail that is lost.
        let record = await bench.deliver(bench.message(to: ["b@example.net"], expiry: Bench.now))
        #expect(record?.words == [expected])
        bench.parts.sites.stop()
        await peer.stop()
    }
}
