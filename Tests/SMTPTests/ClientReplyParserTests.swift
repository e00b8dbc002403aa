// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import NIOCore
import SMTP
import Testing

@Suite struct ClientReplyParserTests {
    @Test("replies come out the same wherever the octets are cut in three")
    func splits() throws {
        let octets = Array("220 hello\r\n250-one\r\n250-\r\n250\r\n421-2.0.0 a\r\n421 \tb\r\n".utf8)
        let expected = [
            PeerReply(code: 220, text: Array("hello".utf8)), PeerReply(code: 250, text: Array("one\n\n".utf8)),
            PeerReply(code: 421, text: Array("2.0.0 a\n\tb".utf8)),
        ]
        for first in 0...octets.count {
            for second in first...octets.count {
                let pieces = [octets[..<first], octets[first..<second], octets[second...]]
                #expect(try parse(pieces) == expected, "cut at \(first) and \(second)")
            }
        }
    }

    @Test(
        "what is not a reply is an error",
        arguments: [
            ("25 ok\r\n", ReplyError.malformed), ("2x0 ok\r\n", .malformed), ("250_ok\r\n", .malformed),
            ("199 ok\r\n", .malformed), ("600 ok\r\n", .malformed), ("\r\n", .malformed), ("2500 ok\r\n", .malformed),
            ("250 ok\n", .bareLineFeed), ("\n", .bareLineFeed), ("250-a\r\n251 b\r\n", .differentCodes),
        ])
    func faults(text: String, fault: ReplyError) {
        let octets = Array(text.utf8)
        for cut in 0...octets.count {
            #expect(throws: fault, "cut at \(cut)") { try parse([octets[..<cut], octets[cut...]]) }
        }
    }

    @Test("a line may have 4096 octets with its CRLF and not one more, in one piece or many")
    func lineLimit() throws {
        func line(_ octets: Int) -> [UInt8] {
            Array("250 ".utf8) + Array(repeating: UInt8(ascii: "x"), count: octets - 6) + [13, 10]
        }
        let limit = ReplyParser.maximumLineOctets
        for cut in [1, 100, limit - 1] {
            #expect(try parse([line(limit)[..<cut], line(limit)[cut...]]).count == 1)
            #expect(throws: ReplyError.lineTooLong) { try parse([line(limit + 1)[..<cut], line(limit + 1)[cut...]]) }
        }
        // Without any line end the limit holds too.
        #expect(throws: ReplyError.lineTooLong) {
            try parse(Array(repeating: Array(repeating: UInt8(ascii: "2"), count: 100)[...], count: 50))
        }
    }

    @Test("a reply may have 100 lines, and 64 KiB in all")
    func replyLimits() throws {
        let line = Array("250-x\r\n".utf8)
        let last = Array("250 x\r\n".utf8)
        let most = Array(repeating: line, count: ReplyParser.maximumLines - 1).flatMap { $0 }
        #expect(try parse([(most + last)[...]]).count == 1)
        #expect(throws: ReplyError.tooManyLines) { try parse([(line + most + last)[...]]) }
        let long = Array("250-".utf8) + Array(repeating: UInt8(ascii: "x"), count: 4000) + [13, 10]
        #expect(throws: ReplyError.tooLong) { try parse([Array(repeating: long, count: 50).flatMap { $0 }[...]]) }
    }

    @Test(
        "an enhanced status code counts if it has the class of the reply code",
        arguments: [
            (550, "5.1.1 no", EnhancedStatusCode(5, 1, 1)), (550, "5.1.1", .init(5, 1, 1)),
            (451, "4.7.650 slow\nmore", .init(4, 7, 650)), (250, "2.0.0\nx", .init(2, 0, 0)),
            (550, "4.1.1 no", nil), (550, "5.1 no", nil), (550, "5.1.1.1 no", nil), (550, "5.1.1x", nil),
            (550, "5.1111.1 no", nil), (550, "5..1 no", nil), (550, "", nil), (354, "3.0.0 x", nil),
        ] as [(Int, String, EnhancedStatusCode?)])
    func status(code: Int, text: String, status: EnhancedStatusCode?) {
        #expect(PeerReply(code: code, text: Array(text.utf8)).status == status)
    }

    @Test("a diagnostic is one line of printable ASCII and not longer than it may be")
    func printable() {
        let reply = PeerReply(code: 550, text: Array("5.1.1 a\u{7}b\tü\nsecond".utf8))
        #expect(reply.printableText == "5.1.1 a?b ?? / second")
        let long = PeerReply(code: 550, text: Array(repeating: UInt8(ascii: "\n"), count: 5000))
        #expect(long.printableText.utf8.count < PeerReply.maximumDiagnosticOctets + 3)
    }

    @Test(
        "a diagnostic names who must act",
        arguments: [
            (550, "5.1.1 x", Diagnostic.Owner.recipient), (552, "5.2.2 x", .recipient), (550, "5.7.1 x", .operator),
            (535, "x", .operator), (554, "5.6.0 x", .sender), (451, "4.4.2 x", .network), (451, "x", .network),
            (550, "x", .recipient),
        ])
    func owner(code: Int, text: String, owner: Diagnostic.Owner) {
        let diagnostic = PeerReply(code: code, text: Array(text.utf8)).diagnostic(command: "RCPT", remote: "mx")
        #expect(diagnostic.owner == owner)
        #expect(diagnostic.replyCode == code && diagnostic.command == "RCPT" && diagnostic.remote == "mx")
    }

    private func parse(_ pieces: [ArraySlice<UInt8>]) throws -> [PeerReply] {
        var parser = ReplyParser()
        var replies: [PeerReply] = []
        for piece in pieces {
            var buffer = ByteBuffer(bytes: piece)
            while let reply = try parser.next(from: &buffer) { replies.append(reply) }
            #expect(buffer.readableBytes == 0)
        }
        return replies
    }
}
