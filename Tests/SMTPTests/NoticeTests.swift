// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import NIOCore
import SMTP
import Testing

/// What a sender wants to be told (RFC 3461), from its words to the next hop's.
@Suite struct NoticeTests {
    private static let mail = " RET=HDRS ENVID=QQ+2B1"
    private static let recipients = [" NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bc@example.net", "", " NOTIFY=NEVER"]

    private func notices() throws -> DeliveryNotices {
        let configuration = ServerSession.Configuration(
            hostname: "relay.example.com", maximumMessageOctets: 1000, maximumRecipients: 100,
            maximumCommandOctets: 4096, maximumErrors: 20, maySubmit: true)
        var driver = SessionDriver(configuration)
        driver.connect()
        driver.send("EHLO c\r\nMAIL FROM:<a@example.com>\(NoticeTests.mail)\r\n")
        for (index, words) in NoticeTests.recipients.enumerated() {
            driver.send("RCPT TO:<r\(index)@example.net>\(words)\r\n")
        }
        // Once more, which changes nothing.
        driver.send("RCPT TO:<r1@example.net> NOTIFY=NEVER\r\nDATA\r\n")
        return try #require(driver.submissions.first).envelope.notices
    }

    @Test func `They reach the intake with the envelope`() throws {
        let notices = try notices()
        #expect(notices.returned == .headers)
        #expect(notices.envelopeID == "QQ+2B1")
        #expect(
            notices.recipients == [
                0: RecipientNotice(occasions: [.success, .delay], originalRecipient: "rfc822;b+2Bc@example.net"),
                2: RecipientNotice(occasions: []),
            ])
        #expect(notices.wants(.failure, recipient: 1))
        #expect(!notices.wants(.success, recipient: 1))
        #expect(!notices.wants(.failure, recipient: 0))
        #expect(!notices.wants(.failure, recipient: 2))
    }

    @Test(arguments: [true, false], [true, false])
    func `A next hop gets them as they came, if it offers DSN`(hasDSN: Bool, isPipelined: Bool) throws {
        let offers = (isPipelined ? "PIPELINING\n" : "") + (hasDSN ? "dsn\n" : "") + "HELP"
        var session = ClientSession(.init(heloName: "relay", tls: .off, remote: "mx"))
        _ = session.received(PeerReply(code: 220, text: Array("mx".utf8)))
        _ = session.received(PeerReply(code: 250, text: Array("mx\n\(offers)".utf8)))
        let recipients = (0..<3).compactMap { index in
            Domain("example.net").map { Mailbox(localPart: "r\(index)", host: .domain($0)) }
        }
        var sent = ""
        var action = session.begin(
            ClientTransaction(
                reversePath: .null, recipients: recipients, size: nil, isEightBit: false, notices: try notices()))
        while case .send(let buffer) = action {
            sent += String(buffer: buffer)
            if sent.hasSuffix("DATA\r\n") { break }
            action = session.received(PeerReply(code: 250, text: Array("ok".utf8)))
        }
        let mail = hasDSN ? NoticeTests.mail : ""
        let words = NoticeTests.recipients.map { hasDSN ? $0 : "" }
        let commands = words.enumerated().map { "RCPT TO:<r\($0)@example.net>\($1)\r\n" }.joined()
        #expect(sent == "MAIL FROM:<>\(mail)\r\n\(commands)DATA\r\n")
    }
}
