// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import SMTP
import Testing

@Suite struct ReplyTests {
    private func text(_ reply: Reply) -> String {
        String(decoding: reply.octets, as: UTF8.self)
    }

    @Test func theStatusStandsOnEveryLine() {
        #expect(text(Reply(250, "OK")) == "250 OK\r\n")
        #expect(text(Reply(250, EnhancedStatusCode(2, 0, 0), "OK")) == "250 2.0.0 OK\r\n")
        #expect(
            text(Reply(550, EnhancedStatusCode(5, 10, 123), lines: ["one", "two", "three"]))
                == "550-5.10.123 one\r\n550-5.10.123 two\r\n550 5.10.123 three\r\n")
        #expect(text(Reply(250, nil, lines: [])) == "250 \r\n")
    }

    @Test func nothingInAReplyEndsItsLine() {
        #expect(text(Reply(550, "a\r\n250 b\0\u{e9}\u{7f}")) == "550 a??250 b????\r\n")
    }

    @Test func aLineOfAReplyHasALimit() {
        let reply = Reply(550, EnhancedStatusCode(5, 123, 123), String(repeating: "x", count: 2000))
        #expect(reply.octets.count <= Reply.maximumLineOctets)
        #expect(reply.octets.count > 400)
        #expect(reply.octets.suffix(2) == [13, 10])
    }

    @Test func aRefusalBecomesItsReply() {
        let refusal = IntakeRefusal(replyCode: 451, status: EnhancedStatusCode(4, 7, 5), lines: ["a", "b"])
        #expect(text(Reply(refusal)) == "451-4.7.5 a\r\n451 4.7.5 b\r\n")
    }
}
