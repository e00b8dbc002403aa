// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// QuotedPrintable is in charge of writing octets of any value as short lines of printable ASCII (RFC 2045 §6.7).
package enum QuotedPrintable {
    /// The encoded form of text whose lines end in CRLF; its line ends stay line ends.
    package static func encode(_ text: some Collection<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count + text.count / 4)
        var encoder = QuotedPrintableEncoder()
        for byte in text { encoder.append(byte, to: &output) }
        encoder.finish(to: &output)
        return output
    }
}

/// The encoder in its streaming form: octet by octet, with one octet of look-ahead.
struct QuotedPrintableEncoder: Sendable {
    private static let digits = Array("0123456789ABCDEF".utf8)
    private static let mailboxLine = Array("From".utf8)

    /// Octets on the line that is being written.
    private var column = 0
    /// How many octets of "From" the line starts with, while it holds nothing else.
    private var matched = 0
    /// No line may look like a boundary delimiter, also where a line of the text does.
    private let hidesDelimiters: Bool
    /// The line starts with a hyphen, and is one of those that must not look like a boundary delimiter.
    private var startsWithHyphen = false
    private var isAfterSoftBreak = false
    /// White space whose form depends on what follows: at the end of a line it must be encoded.
    private var whiteSpace: UInt8?
    /// A CR that is a line end if an LF follows.
    private var hasCarriageReturn = false

    init(hidesDelimiters: Bool = false) {
        self.hidesDelimiters = hidesDelimiters
    }

    /// Takes one octet of the text.
    mutating func append(_ byte: UInt8, to output: inout [UInt8]) {
        if hasCarriageReturn {
            hasCarriageReturn = false
            if byte == UInt8(ascii: "\n") { return endLine(to: &output) }
            escape(UInt8(ascii: "\r"), to: &output)
        }
        if let held = whiteSpace {
            whiteSpace = nil
            // RFC 2045 §6.7 (3): white space at the end of a line would be lost on the way.
            if byte == UInt8(ascii: "\r") { escape(held, to: &output) } else { write(held, to: &output) }
        }
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"): whiteSpace = byte
        case UInt8(ascii: "\r"): hasCarriageReturn = true
        case UInt8(ascii: "="): escape(byte, to: &output)
        case 33...126: write(byte, to: &output)
        default: escape(byte, to: &output)
        }
    }

    /// Takes one octet that has to be written in its encoded form, whatever it is.
    mutating func appendEscaped(_ byte: UInt8, to output: inout [UInt8]) {
        flush(isLineEnd: false, to: &output)
        escape(byte, to: &output)
    }

    /// Writes what is held; the text ends here, with or without a line end.
    mutating func finish(to output: inout [UInt8]) {
        flush(isLineEnd: true, to: &output)
    }

    private mutating func flush(isLineEnd: Bool, to output: inout [UInt8]) {
        if let held = whiteSpace {
            whiteSpace = nil
            if isLineEnd { escape(held, to: &output) } else { write(held, to: &output) }
        }
        if hasCarriageReturn {
            hasCarriageReturn = false
            escape(UInt8(ascii: "\r"), to: &output)
        }
    }

    /// Writes an octet as it is, but for the few that some program on the way takes for more than text.
    private mutating func write(_ byte: UInt8, to output: inout [UInt8]) {
        makeRoom(1, to: &output)
        switch column {
        // RFC 2049 §3: a lone dot would end the data where a program forgets to double it, and a line that starts
        // with "From " would start a message in an mbox file.
        case 0 where byte == UInt8(ascii: "."):
            return escape(byte, to: &output)
        case 4 where matched == 4 && byte == UInt8(ascii: " "):
            return escape(byte, to: &output)
        // A line that a soft line break makes must not look like a boundary delimiter (RFC 2046 §5.1.1).
        case 1 where startsWithHyphen && byte == UInt8(ascii: "-"):
            return escape(byte, to: &output)
        default:
            break
        }
        if column == 0 { startsWithHyphen = (isAfterSoftBreak || hidesDelimiters) && byte == UInt8(ascii: "-") }
        if column == matched, matched < 4, byte == QuotedPrintableEncoder.mailboxLine[matched] { matched += 1 }
        output.append(byte)
        column += 1
    }

    private mutating func escape(_ byte: UInt8, to output: inout [UInt8]) {
        makeRoom(3, to: &output)
        output.append(UInt8(ascii: "="))
        output.append(QuotedPrintableEncoder.digits[Int(byte >> 4)])
        output.append(QuotedPrintableEncoder.digits[Int(byte & 15)])
        column += 3
    }

    /// Breaks the line where it has no room for `count` more octets.
    private mutating func makeRoom(_ count: Int, to output: inout [UInt8]) {
        // RFC 2045 §6.7 (5): at most 76 octets a line, the `=` of a soft line break included.
        guard column + count > 75 else { return }
        output.append(UInt8(ascii: "="))
        startLine(isAfterSoftBreak: true, to: &output)
    }

    private mutating func endLine(to output: inout [UInt8]) {
        startLine(isAfterSoftBreak: false, to: &output)
    }

    private mutating func startLine(isAfterSoftBreak: Bool, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\r"))
        output.append(UInt8(ascii: "\n"))
        column = 0
        matched = 0
        startsWithHyphen = false
        self.isAfterSoftBreak = isAfterSoftBreak
    }
}
