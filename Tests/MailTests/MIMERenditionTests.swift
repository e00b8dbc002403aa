// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import TestSupport
import Testing

/// A message as renditions see it.
struct SampleMessage: Equatable, CustomStringConvertible {
    var headerSection: [UInt8]
    var body: [UInt8]

    init(headerSection: [UInt8], body: [UInt8]) {
        self.headerSection = headerSection
        self.body = body
    }

    /// A text with lines that end in LF and become CRLF; the first empty line ends the header section.
    init(_ text: String) {
        self.init(octets: Array(text.utf8).flatMap { $0 == 10 ? [13, 10] : [$0] })
    }

    init(octets: [UInt8]) {
        if octets.starts(with: [13, 10]) {
            self.init(headerSection: [], body: Array(octets.dropFirst(2)))
            return
        }
        let end = octets.indices.first { octets[$0...].starts(with: [13, 10, 13, 10]) }
        guard let end else {
            self.init(headerSection: octets, body: [])
            return
        }
        self.init(headerSection: Array(octets[..<(end + 2)]), body: Array(octets[(end + 4)...]))
    }

    var octets: [UInt8] { headerSection + [13, 10] + body }
    var description: String { String(decoding: octets.filter { $0 != 13 }, as: UTF8.self) }

    /// Gives the body in pieces that end where `cuts` says, and then whole.
    func reader(cuts: [Int] = []) -> BodyReader {
        let body = body
        return { consume in
            var start = 0
            for cut in cuts + [body.count] {
                try consume(body[start..<cut])
                start = cut
            }
        }
    }

    /// The rendition for a goal; this message itself if nothing must change.
    func rendition(_ goal: RenditionGoal, planCuts: [Int] = [], encodeCuts: [Int] = []) throws -> SampleMessage {
        let plan = try Rendition.plan(headerSection: headerSection, goal: goal, body: reader(cuts: planCuts))
        guard let plan else { return self }
        var output: [UInt8] = []
        try plan.body(reader(cuts: encodeCuts))({ output += $0 })
        return SampleMessage(headerSection: plan.headerSection, body: output)
    }
}

@Suite("Renditions of MIME messages")
struct MIMERenditionTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var goal = RenditionGoal.sevenBit
        var original: String
        var rendition: String
        var testDescription: String { name }
    }

    static let long = String(repeating: "0123456789", count: 100)
    /// `long` as quoted-printable: thirteen lines of 75 and a rest.
    static let longEncoded =
        (0..<13).map { line in
            let start = long.index(long.startIndex, offsetBy: 75 * line)
            return String(long[start..<long.index(start, offsetBy: 75)]) + "=\n"
        }.joined() + long.suffix(25)

    static let single: [Case] = [
        Case(
            name: "UTF-8 without MIME fields", original: "From: a@b\n\ngr\u{fc}n\n",
            rendition: """
                From: a@b
                MIME-Version: 1.0
                Content-Type: text/plain; charset=utf-8
                Content-Transfer-Encoding: quoted-printable

                gr=C3=BCn

                """),
        Case(
            name: "long lines without MIME fields", goal: .shortLines, original: "From: a@b\n\n\(long)\nend\n",
            rendition: """
                From: a@b
                MIME-Version: 1.0
                Content-Type: text/plain; charset=us-ascii
                Content-Transfer-Encoding: quoted-printable

                \(longEncoded)
                end

                """),
        Case(
            name: "the label is replaced where it stands, stale fields go",
            original: """
                MIME-Version: 1.0
                Content-Length: 12
                content-transfer-encoding:
                  8BIT (all of them)
                Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==
                Content-Type: text/html; charset="utf-8"
                Subject: x

                <p>gr\u{fc}n</p>

                """,
            rendition: """
                MIME-Version: 1.0
                Content-Transfer-Encoding: quoted-printable
                Content-Type: text/html; charset="utf-8"
                Subject: x

                <p>gr=C3=BCn</p>

                """),
        Case(
            name: "text that is mostly not ASCII becomes base64",
            original: "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n\u{65e5}\u{672c}\u{8a9e}\n",
            rendition: """
                MIME-Version: 1.0
                Content-Type: text/plain; charset=utf-8
                Content-Transfer-Encoding: base64

                5pel5pys6KqeDQo=

                """),
        Case(
            name: "what is not text becomes base64",
            original: "Content-Type: application/json\nMIME-Version: 1.0\n\n{\"a\":\"\u{fc}\"}\n",
            rendition: """
                Content-Type: application/json
                MIME-Version: 1.0
                Content-Transfer-Encoding: base64

                eyJhIjoiw7wifQ0K

                """),
        Case(
            name: "quoted-printable with octets above 127 and long lines is folded anew",
            original: """
                MIME-Version: 1.0
                Content-Transfer-Encoding: Quoted-Printable

                \u{fc}=3d=\u{20}
                x=0D=0A=4 =zz end=

                """,
            rendition: """
                MIME-Version: 1.0
                Content-Transfer-Encoding: Quoted-Printable

                =C3=BC=3Dx=0D=0A=3D4 =3Dzz end

                """.dropLastLineEnd()),
        Case(
            name: "base64 with long lines gets short ones", goal: .shortLines,
            original: "MIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\n"
                + String(repeating: "QUJD", count: 250) + "\n",
            rendition: "MIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\n"
                + String(repeating: String(repeating: "QUJD", count: 19) + "\n", count: 13)
                + String(repeating: "QUJD", count: 3) + "\n"),
        Case(
            name: "a format=flowed text keeps its spaces",
            original: "MIME-Version: 1.0\nContent-Type: text/plain; format=flowed; delsp=yes\n\n"
                + "> \u{fc} \n> b\n-- \nme\n",
            rendition: """
                MIME-Version: 1.0
                Content-Type: text/plain; format=flowed; delsp=yes
                Content-Transfer-Encoding: quoted-printable

                > =C3=BC=20
                > b
                --=20
                me

                """),
        Case(
            name: "without MIME-Version but with a type, the version is added",
            original: "Content-Type: text/plain; charset=utf-8\n\n\u{fc}\n",
            rendition: """
                Content-Type: text/plain; charset=utf-8
                MIME-Version: 1.0
                Content-Transfer-Encoding: quoted-printable

                =C3=BC

                """),
        Case(
            name: "S/MIME without octets above 127 stays",
            original: "MIME-Version: 1.0\nContent-Type: application/pkcs7-mime\n\nMIAG\n",
            rendition: "MIME-Version: 1.0\nContent-Type: application/pkcs7-mime\n\nMIAG\n"),
    ]

    /// Octets that would be read as structure, and structure that holds header fields.
    static let hidden: [Case] = [
        Case(
            name: "a soft line break that goes leaves no boundary delimiter behind",
            original: """
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=b

                --b
                Content-Transfer-Encoding: quoted-printable

                --=
                b
                -=
                -b--
                gr\u{fc}n
                --b--

                """,
            rendition: """
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=b

                --b
                Content-Transfer-Encoding: quoted-printable

                -=2Db
                -=2Db--
                gr=C3=BCn
                --b--

                """),
        Case(
            name: "the addresses of a message inside",
            original: """
                MIME-Version: 1.0
                Content-Type: message/rfc822

                From: J\u{fc}rg <j@example.com>
                To: a@b\u{fc}cher.example
                Subject: =?utf-8?q?a?= \u{20ac}b
                MIME-Version: 1.0

                text

                """,
            rendition: """
                MIME-Version: 1.0
                Content-Type: message/rfc822

                From: =?utf-8?q?J=C3=BCrg?= <j@example.com>
                To: a@xn--bcher-kva.example
                Subject: =?utf-8?q?a?= =?utf-8?b?IOKCrGI=?=
                MIME-Version: 1.0

                text

                """),
    ]

    @Test("a body of one part", arguments: single)
    func onePart(row: Case) throws {
        try check(row)
    }

    @Test("a body with structure", arguments: structured + hidden)
    func manyParts(row: Case) throws {
        try check(row)
    }

    /// Compares, and has every way of cutting the body in two, and into single octets, give the same.
    private func check(_ row: Case) throws {
        let original = SampleMessage(row.original)
        let expected = SampleMessage(row.rendition)
        #expect(try original.rendition(row.goal) == expected)
        for cut in 0...original.body.count {
            guard try original.rendition(row.goal, planCuts: [cut], encodeCuts: [cut]) == expected else {
                Issue.record("cut at \(cut)")
                return
            }
        }
        let cuts = Array(0..<original.body.count)
        #expect(try original.rendition(row.goal, planCuts: cuts, encodeCuts: cuts) == expected)
        #expect(try expected.rendition(row.goal) == expected, "a rendition has nothing left to change")
    }

    @Test("octets in an unknown charset are called that")
    func unknownCharset() throws {
        let original = SampleMessage(octets: Array("From: a@b\r\n\r\ngr".utf8) + [0xFC] + Array("n und lang\r\n".utf8))
        let rendition = try original.rendition(.sevenBit)
        #expect(rendition.description.contains("charset=unknown-8bit"))
        #expect(rendition.description.hasSuffix("\n\ngr=FCn und lang\n"))
    }

    @Test("a long preamble is broken, also where an LF stands alone in it")
    func longPreamble() throws {
        let x = String(repeating: "x", count: 600)
        let header = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        let original = SampleMessage(octets: Array("\(header)\(x)\n\(x)\r\n--b\r\n\r\ntext\r\n--b--\r\n".utf8))
        let rendition = try original.rendition(.shortLines)
        #expect(MIMEDecoder.lines(of: rendition.octets).map(\.count).max() == 902)
        #expect(try rendition.rendition(.shortLines) == rendition)
    }

    @Test("with 8BITMIME, octets above 127 stay")
    func eightBitStays() throws {
        let original = SampleMessage("Subject: \u{fc}\n\n\u{fc}\n")
        #expect(try original.rendition(.shortLines) == original)
    }

    @Test("a line of 998 octets stays, one of 999 does not", arguments: [(998, false), (999, true)])
    func lineLimit(octets: Int, changes: Bool) throws {
        for end in ["", "\n", "\nx\n"] {
            let original = SampleMessage("From: a@b\n\n" + String(repeating: "x", count: octets) + end)
            for cut in [0] + Array(octets...original.body.count) {
                #expect(try (original.rendition(.shortLines, planCuts: [cut]) != original) == changes)
            }
        }
    }
}

extension String {
    func dropLastLineEnd() -> String { hasSuffix("\n") ? String(dropLast()) : self }
}
