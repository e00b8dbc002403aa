// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import NIOCore
import SMTP
import Testing

/// Runs the dialogue files of the client.
@Suite struct ClientSessionTests {
    @Test func thereAreDialogues() {
        #expect(ClientDialogue.all.count >= 30)
    }

    @Test("a client dialogue goes as written, wherever the next hop's octets are cut", arguments: ClientDialogue.all)
    func dialogue(_ dialogue: ClientDialogue) throws {
        let longest = 80
        for cut in 0..<longest {
            guard try run(dialogue, { [$0.prefix(cut), $0.dropFirst(cut)] }) else {
                Issue.record("\(dialogue.name) cut at \(cut)")
                return
            }
        }
        #expect(try run(dialogue) { octets in octets.indices.map { octets[$0...$0] } }, "octet by octet")
    }

    /// False if something was not as written.
    private func run(
        _ dialogue: ClientDialogue, _ cut: (ArraySlice<UInt8>) -> [ArraySlice<UInt8>]
    ) throws -> Bool {
        var driver = ClientDriver(tls: dialogue.tls)
        var expected: [ClientDialogue.Step] = []
        var pending: [UInt8] = []
        // The next hop's octets arrive together up to the next thing that this side does.
        func flush(_ driver: inout ClientDriver) throws {
            for piece in cut(pending[...]) { try driver.receive(piece) }
            pending = []
        }
        for step in dialogue.steps {
            switch step {
            case .server(let line): pending += Array(line.utf8) + [13, 10]
            case .event(let event):
                try flush(&driver)
                driver.happen(event)
            case .client, .finding:
                expected.append(step)
                try flush(&driver)
            }
        }
        try flush(&driver)
        #expect(driver.transcript == expected)
        return driver.transcript == expected
    }

    @Test("the diagnostic after a lost end of data says that the message may have been taken")
    func lostAfterEnd() throws {
        var session = ready()
        #expect(session.begin(transaction()) != .wait)
        for code in [250, 250] { #expect(session.received(reply(code)) != .sendContent) }
        #expect(session.received(reply(354)) == .sendContent)
        session.contentSent()
        #expect(session.waiting == .end)
        guard case .finished(let result) = session.lost("no reply in time"),
            case .deferred(let diagnostic)? = result.outcomes.first ?? nil
        else {
            Issue.record("not deferred")
            return
        }
        #expect(diagnostic.text.contains("may have been taken"))
        #expect(diagnostic.owner == .network)
    }

    @Test("content that can't be sent closes the connection without an end of data")
    func contentFailed() {
        var session = ready()
        _ = session.begin(transaction())
        for code in [250, 250, 354] { _ = session.received(reply(code)) }
        let fault = Diagnostic(status: EnhancedStatusCode(4, 3, 0), text: "gone", owner: .operator)
        #expect(
            session.contentFailed(.deferred(fault))
                == .finished(TransactionResult(outcomes: [.deferred(fault)], canContinue: false)))
        #expect(session.quit() == nil)
    }

    @Test("an acceptance before the end of data is none", arguments: [250, 354])
    func acceptedTooEarly(_ code: Int) {
        var session = ready()
        _ = session.begin(transaction())
        for code in [250, 250, 354] { _ = session.received(reply(code)) }
        guard case .finished(let result) = session.received(reply(code)), case .deferred? = result.outcomes[0] else {
            Issue.record("not deferred")
            return
        }
        #expect(!result.canContinue)
    }

    @Test("a thousand recipients are judged one by one")
    func manyRecipients() {
        var session = ready(pipelining: true)
        let recipients = (0..<1000).compactMap { number in
            Domain("example.net").map { Mailbox(localPart: "r\(number)", host: .domain($0)) }
        }
        _ = session.begin(
            ClientTransaction(reversePath: .null, recipients: recipients, size: 1, isEightBit: false))
        #expect(session.received(reply(250)) == .wait)
        for number in recipients.indices { #expect(session.received(reply(number % 3 == 0 ? 550 : 250)) == .wait) }
        #expect(session.received(reply(354)) == .sendContent)
        session.contentSent()
        guard case .finished(let result) = session.received(reply(250)) else {
            Issue.record("not finished")
            return
        }
        for (number, outcome) in result.outcomes.enumerated() {
            switch outcome {
            case .failed: #expect(number % 3 == 0)
            case .delivered: #expect(number % 3 != 0)
            default: Issue.record("recipient \(number): \(String(describing: outcome))")
            }
        }
    }

    private func ready(pipelining: Bool = false) -> ClientSession {
        var session = ClientSession(.init(heloName: "relay.example.com", tls: .off, remote: "mx"))
        _ = session.received(reply(220))
        let text = pipelining ? "mx\nPIPELINING" : "mx"
        #expect(session.received(PeerReply(code: 250, text: Array(text.utf8))) == .ready)
        return session
    }

    private func transaction() -> ClientTransaction {
        let recipient = Domain("example.net").map { Mailbox(localPart: "b", host: .domain($0)) }
        return ClientTransaction(
            reversePath: .null, recipients: recipient.map { [$0] } ?? [], size: 1, isEightBit: false)
    }

    private func reply(_ code: Int) -> PeerReply {
        PeerReply(code: code, text: Array("text".utf8))
    }
}
