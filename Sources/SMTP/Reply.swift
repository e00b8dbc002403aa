// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail
package import NIOCore

/// Reply is in charge of what one side of a session answers to a command (RFC 5321 §4.2), as a value and as
/// octets.
///
///     S: 250-2.1.5 first line
///     S: 250 2.1.5 last line
package struct Reply: Hashable, Sendable {
    /// Octets of one line of a reply with its CRLF (RFC 5321 §4.5.3.1.5).
    package static let maximumLineOctets = 512

    package var code: Int
    /// On every line, or on none (RFC 2034 §4).
    package var status: EnhancedStatusCode?
    /// The text without codes; at least one line, which may be empty.
    package var lines: [String]

    package init(_ code: Int, _ status: EnhancedStatusCode?, lines: [String]) {
        self.code = code
        self.status = status
        self.lines = lines.isEmpty ? [""] : lines
    }

    package init(_ code: Int, _ status: EnhancedStatusCode?, _ line: String) {
        self.init(code, status, lines: [line])
    }

    /// A reply without an enhanced status code: the greeting, the replies to HELO and EHLO, 354.
    package init(_ code: Int, _ line: String) {
        self.init(code, nil, lines: [line])
    }

    /// The first digit of the code: 2 done, 3 go on, 4 later, 5 never.
    package var replyClass: Int { code / 100 }
}

extension Reply {
    /// Appends the reply as it goes over the wire.
    package func write(into buffer: inout ByteBuffer) {
        for index in lines.indices {
            writePrefix(isLast: index == lines.count - 1, into: &buffer)
            writeText(lines[index], into: &buffer)
            buffer.writeStaticString("\r\n")
        }
    }

    /// The reply as it goes over the wire.
    package var octets: [UInt8] {
        var buffer = ByteBuffer()
        write(into: &buffer)
        return Array(buffer.readableBytesView)
    }

    private func writePrefix(isLast: Bool, into buffer: inout ByteBuffer) {
        Reply.writeDecimal(code, into: &buffer)
        buffer.writeInteger(isLast ? UInt8(ascii: " ") : UInt8(ascii: "-"))
        guard let status else { return }
        Reply.writeDecimal(status.statusClass, into: &buffer)
        buffer.writeInteger(UInt8(ascii: "."))
        Reply.writeDecimal(status.subject, into: &buffer)
        buffer.writeInteger(UInt8(ascii: "."))
        Reply.writeDecimal(status.detail, into: &buffer)
        buffer.writeInteger(UInt8(ascii: " "))
    }

    /// Writes text that can't end the line early, whatever is in it: a reply may quote what somebody sent.
    private func writeText(_ text: String, into buffer: inout ByteBuffer) {
        // The longest prefix is `250-5.123.123 `, the end is CRLF.
        var room = Reply.maximumLineOctets - 16
        let isPrintable = text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
        if isPrintable, text.utf8.count <= room {
            buffer.writeString(text)
            return
        }
        for byte in text.utf8 where room > 0 {
            buffer.writeInteger((0x20...0x7E).contains(byte) ? byte : UInt8(ascii: "?"))
            room -= 1
        }
    }

    /// Writes a number of at most three digits.
    private static func writeDecimal(_ number: Int, into buffer: inout ByteBuffer) {
        let number = min(max(number, 0), 999)
        if number >= 100 { buffer.writeInteger(digit(number / 100)) }
        if number >= 10 { buffer.writeInteger(digit(number / 10 % 10)) }
        buffer.writeInteger(digit(number % 10))
    }

    private static func digit(_ value: Int) -> UInt8 {
        UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value)
    }
}

extension Reply {
    /// The reply that tells a client of a refusal at intake.
    package init(_ refusal: IntakeRefusal) {
        self.init(refusal.replyCode, refusal.status, lines: refusal.lines)
    }
}
