// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Receiving
import Testing

@Suite("Fields of applications")
struct ApplicationFieldsTests {
    private static let complete =
        "From: a@shop.example\nDate: Mon, 23 Nov 2026 09:00:00 +0000\nMessage-ID: <1@example.com>\n"
    private static let id = "\(HeaderIntakeTests.queueID)"

    private func admit(
        _ applications: [ApplicationFields], _ fields: String = "", recipients: [String] = ["j+x=y@example.net"],
        isOwn: Bool = false, header: String = complete
    ) throws -> (added: String, admitted: AdmittedHeader) {
        let mailboxes = try recipients.flatMap { try AddressParser.mailboxes(in: Array($0.utf8)[...]) }
        let intake = HeaderIntake(hostname: "relay.example.com", hidesClientAddress: false, applications: applications)
        let header = header + fields
        let admitted = try intake.admit(
            Array(header.replacing("\n", with: "\r\n").utf8),
            envelope: Envelope(reversePath: .null, recipients: mailboxes),
            client: isOwn ? nil : HeaderIntakeTests.client, queueID: HeaderIntakeTests.queueID,
            arrival: HeaderIntakeTests.arrival, random: 7)
        let text = String(decoding: admitted.bytes, as: UTF8.self).replacing("\r\n", with: "\n")
        let end = try #require(text.firstRange(of: header)?.upperBound)
        return (String(text[end...]), admitted)
    }

    private func shop(
        from: [String] = ["shop.example"],
        listUnsubscribe: String? = "<https://e.example/{app}/{queue-id}?to={recipient}>",
        post: Bool = true, feedbackID: String? = "{author-domain}:{app}:mail:exampl"
    ) throws -> ApplicationFields {
        try ApplicationFields(
            name: "shop-1", from: from, listUnsubscribe: listUnsubscribe, listUnsubscribePost: post,
            feedbackID: feedbackID)
    }

    @Test("templates are filled in and added, and then one click works")
    func adds() throws {
        let (added, admitted) = try admit([try shop()])
        #expect(
            added == """
                List-Unsubscribe: <https://e.example/shop-1/\(ApplicationFieldsTests.id)?to=j%2Bx%3Dy%40example.net>
                List-Unsubscribe-Post: List-Unsubscribe=One-Click
                Feedback-ID: shop.example:shop-1:mail:exampl

                """)
        #expect(admitted.repairs == [.addedFields])
        #expect(admitted.oneClickFault == nil)
    }

    @Test("fields that are there already are left alone")
    func keeps() throws {
        let fields = "list-unsubscribe: <https://own.example>\nFEEDBACK-ID: own\n"
        #expect(try admit([try shop()], fields).added == "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n")
        let all = fields + "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
        let (added, admitted) = try admit([try shop()], all)
        #expect(added.isEmpty && admitted.repairs.isEmpty && admitted.oneClickFault == nil)
        let mail = "List-Unsubscribe: <mailto:own@example.net>\nFeedback-ID: own\n"
        let (none, judged) = try admit([try shop()], mail)
        #expect(none.isEmpty, "one click needs an HTTPS URI")
        #expect(judged.oneClickFault?.contains("no HTTPS URI") == true)
    }

    @Test("a template with the recipient needs exactly one", arguments: [[], ["a@example.net", "b@example.net"]])
    func recipients(recipients: [String]) throws {
        #expect(
            try admit([try shop()], recipients: recipients).added == "Feedback-ID: shop.example:shop-1:mail:exampl\n")
    }

    @Test(
        "the first application that the author belongs to counts",
        arguments: [
            (["shop.example"], "a@SHOP.example", true), (["shop.example"], "a@x.shop.example", false),
            (["*.shop.example"], "a@x.shop.example", true), (["a@shop.example"], "a@shop.example", true),
            (["b@shop.example"], "a@shop.example", false), (["other.example", "shop.example"], "a@shop.example", true),
        ])
    func authors(from: [String], author: String, isAdded: Bool) throws {
        let application = try shop(from: from, listUnsubscribe: nil, post: false)
        let second = try ApplicationFields(name: "all", from: ["*.example"], feedbackID: "{app}:second")
        let header = ApplicationFieldsTests.complete.replacing("a@shop.example", with: author)
        let added = try admit([application, second], header: header).added
        #expect(added.contains(":shop-1:") == isAdded)
        #expect(added.contains("all:second") == !isAdded)
    }

    @Test("Waxwing's own messages get nothing")
    func own() throws {
        #expect(try admit([try shop()], isOwn: true).added.isEmpty)
    }

    @Test("a recipient that makes the line too long gets no field rather than a broken one")
    func tooLong() throws {
        let template = "<https://e.example/{recipient}/{recipient}/{recipient}/{recipient}/{recipient}>"
        let local = String(repeating: "+", count: 64)
        let application = try shop(listUnsubscribe: template, feedbackID: nil)
        #expect(try admit([application], recipients: ["\(local)@example.net"]).added.isEmpty)
        #expect(try admit([application], recipients: ["a@example.net"]).added.contains("/a%40example.net/a%40"))
    }

    @Test(
        "templates that make no sense are refused with what to write",
        arguments: [
            ("name", "shop 1", "letters, digits"), ("name", "", "letters, digits"),
            ("from", "", "from is empty"), ("from", "a b", "where a domain"),
            ("unsubscribe", "https://e.example", "angle brackets"), ("unsubscribe", "<e.example>", "angle brackets"),
            ("unsubscribe", "<https://e.example> or so", "angle brackets"), ("unsubscribe", "<https://e x>", "angle"),
            ("unsubscribe", "<https://e.example/{user}>", "{user}"), ("unsubscribe", "<https://e/{app>", "brace"),
            ("unsubscribe", "<https://e/app}>", "brace"), ("unsubscribe", "<mailto:a@b>", "no HTTPS URI"),
            ("unsubscribe", "<https://e.example/\u{fc}>", "printable ASCII"), ("unsubscribe", "", "printable ASCII"),
            ("unsubscribe", "<https://e/\(String(repeating: "a", count: 600))>", "1 to 500"),
            ("feedback", "a:b:c:d:senders", "up to four words"), ("feedback", "a:b:c:abc", "5 to 15"),
            ("feedback", "{recipient}:sender", "{recipient}"), ("feedback", "a b:sender", "up to four words"),
        ])
    func refuses(setting: String, value: String, problem: String) {
        #expect {
            try ApplicationFields(
                name: setting == "name" ? value : "shop",
                from: setting == "from" ? [value].filter { !$0.isEmpty } : ["shop.example"],
                listUnsubscribe: setting == "unsubscribe" ? value : nil, listUnsubscribePost: true,
                feedbackID: setting == "feedback" ? value : nil)
        } throws: {
            ($0 as? PatternError)?.text.contains(problem) == true
        }
    }

    @Test(
        "one click that is only half there is noticed",
        arguments: [
            ("", nil),
            ("List-Unsubscribe: <https://a.example>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n", nil),
            (
                "List-Unsubscribe:\n <mailto:a@b>,\n <HTTPS://a\n .example>\nList-Unsubscribe-Post: list-unsubscribe=one-click\n",
                nil
            ),
            ("List-Unsubscribe-Post: List-Unsubscribe=One-Click\n", "without List-Unsubscribe"),
            ("List-Unsubscribe: <https://a.example>\n", "no List-Unsubscribe-Post"),
            ("List-Unsubscribe: <mailto:a@b>\n", "no HTTPS URI, and there is no List-Unsubscribe-Post"),
            ("List-Unsubscribe: <mailto:a@b>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n", "has no HTTPS URI"),
            ("List-Unsubscribe: <http://a.b>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n", "has no HTTPS URI"),
            ("List-Unsubscribe: https://a.b\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n", "has no HTTPS URI"),
            ("List-Unsubscribe: <https://a.b>\nList-Unsubscribe-Post: yes\n", "is not \"List-Unsubscribe=One-Click\""),
            ("List-Unsubscribe: <https://a.b>\nList-Unsubscribe: <https://c.d>\n", "stands 2 times"),
            (
                "List-Unsubscribe: <https://a.b>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
                    + "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n", "stands 2 times"
            ),
        ] as [(String, String?)])
    func oneClick(fields: String, fault: String?) throws {
        let found = try admit([], fields).admitted.oneClickFault
        #expect((found == nil) == (fault == nil))
        if let fault { #expect(found?.contains(fault) == true, "\(found ?? "")") }
    }
}
