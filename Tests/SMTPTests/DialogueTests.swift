// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import SMTP
import Testing

/// Runs the dialogue files.
@Suite struct DialogueTests {
    @Test func thereAreDialogues() {
        #expect(Dialogue.all.count >= 25)
    }

    @Test("a dialogue goes as written, wherever the client's octets are cut", arguments: Dialogue.all)
    func dialogue(_ dialogue: Dialogue) {
        let cuts = dialogue.isCut ? Array(0..<max(1, dialogue.longestSend)) : [0]
        for cut in cuts where !run(dialogue, { $0.isEmpty ? [] : [$0.prefix(cut), $0.dropFirst(cut)] }) {
            Issue.record("\(dialogue.name) cut at \(cut)")
            return
        }
        if dialogue.isCut {
            #expect(run(dialogue) { octets in octets.indices.map { octets[$0...$0] } }, "octet by octet")
        }
    }

    /// False if something was not as written.
    private func run(_ dialogue: Dialogue, _ cut: (ArraySlice<UInt8>) -> [ArraySlice<UInt8>]) -> Bool {
        var driver = SessionDriver(dialogue.configuration)
        if dialogue.isSecure { driver.session.secured() }
        driver.session.hasCertificate = dialogue.isSecure
        driver.connect()
        var expected: [String] = []
        for step in dialogue.steps {
            switch step {
            case .reply(let line):
                expected.append(line)
                continue
            case .message(let octets):
                guard let message = driver.messages.first, message == octets else { return failure(driver, "\(step)") }
                driver.messages.removeFirst()
                continue
            case .refuse, .answer, .send, .close, .drain, .timeOut, .secure:
                guard driver.output == expected else { return failure(driver, "expected \(expected)") }
                driver.output = []
                expected = []
            }
            switch step {
            case .refuse(let refusal): driver.refusal = refusal
            case .answer(let answer): driver.answer = answer
            case .send(let octets): for piece in cut(octets[...]) where !piece.isEmpty { driver.send(piece) }
            case .close: guard driver.isClosed else { return failure(driver, "not closed") }
            case .drain: driver.drain()
            case .timeOut: driver.timeOut()
            case .secure: driver.secure()
            case .reply, .message: break
            }
        }
        guard driver.output == expected, driver.messages.isEmpty else {
            return failure(driver, "expected \(expected) at the end")
        }
        return driver.isClosed == (dialogue.steps.last == .close)
    }

    private func failure(_ driver: SessionDriver, _ text: String) -> Bool {
        Issue.record("\(text), got \(driver.output), messages \(driver.messages)")
        return false
    }
}
