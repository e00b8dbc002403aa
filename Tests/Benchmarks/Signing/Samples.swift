// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Samples is in charge of the messages that are measured.
enum Samples {
    struct Message {
        var headerSection: [UInt8]
        var body: [UInt8]
    }

    /// A message as an application sends it, with the fields that the standard policy signs.
    static func message(octets: Int) -> Message {
        let header = """
            Received: from app.example.com ([192.0.2.7])\r
            \tby relay.example.com with ESMTP id 0123456789ABC;\r
            \tMon, 23 Nov 2026 09:05:00 +0000\r
            From: "Billing of Example" <billing@bench.example>\r
            To: Jane Doe <jane.doe@recipient.example>\r
            Subject: Your invoice 2026-11-1234 is ready\r
            Date: Mon, 23 Nov 2026 09:05:00 +0000\r
            Message-ID: <0123456789ABC.7000000000000@bench.example>\r
            Reply-To: support@bench.example\r
            MIME-Version: 1.0\r
            Content-Type: text/plain; charset=utf-8\r
            Content-Transfer-Encoding: quoted-printable\r
            List-Unsubscribe: <https://bench.example/u/0123456789ABC>\r
            List-Unsubscribe-Post: List-Unsubscribe=One-Click\r
            \r

            """
        return Message(
            headerSection: Array(header.utf8), body: repeating(prose, octets: octets - header.utf8.count))
    }

    /// 1 MiB each: text, an encoded attachment, markup whose indentation relaxed has to reduce in nearly every line,
    /// and, as no mail is, little else than white space that relaxed has to change.
    static let bodies = [
        ("prose", repeating(prose, octets: 1 << 20)),
        ("base64", repeating(String(repeating: "TWFueSBoYW5kcyBt", count: 5).prefix(76) + "\r\n", octets: 1 << 20)),
        ("html", repeating(html, octets: 1 << 20)),
        ("blanks", repeating("    <td  class=\"a\">\tText </td> \r\n\r\n", octets: 1 << 20)),
    ]

    /// Lines of 20 to 200 octets, as templates of newsletters have them.
    private static let html = """
        <table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">\r
          <tr class="row" valign="top">\r
            <td align="center" style="padding: 24px 16px; font-family: Arial, sans-serif; font-size: 15px;">\r
              <a href="https://shop.example/orders/2026-11-1234?utm_source=mail&amp;utm_medium=email" target="_blank" \
        style="color: #1a6fb0; text-decoration: none;">Your order is on its way</a>\r
              <p>Dear customer, your parcel leaves our house today and will be\r
              with you within three days.</p>\r
            </td></tr><tr class="foot">\r
        \t    <td class="side">&nbsp;</td>\r
            </tr></tbody></table>\r

        """

    private static let prose = """
        Dear customer, your invoice for November is attached to this message and\r
        can be paid by card or transfer within thirty days. Should anything be\r
        wrong with it, please answer to this address, and we will mend it.\r
        \r

        """

    /// A text over and over, up to a number of octets; it ends with CRLF.
    private static func repeating(_ text: some StringProtocol, octets: Int) -> [UInt8] {
        let part = Array(text.utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(octets + part.count)
        while bytes.count < octets { bytes += part }
        bytes.removeLast(bytes.count - octets + 2)
        return bytes + [13, 10]
    }
}
