// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// QuotedPrintableRefolder is in charge of rewriting quoted-printable that breaks the rules (lines that are too
/// long, octets that should be encoded) as quoted-printable that keeps them (RFC 2045 §6.7).
///
/// Readers decode both to the same octets. What was encoded stays encoded, so that a CRLF that was data does not
/// become a line end. White space at the end of a line is kept: nothing on the way here can have added it.
struct QuotedPrintableRefolder: Sendable {
    private enum State: Hashable {
        case text
        /// Behind an equals sign.
        case equals
        /// Behind an equals sign and one hexadecimal digit.
        case digit(UInt8)
        /// Behind an equals sign and white space: a soft line break if the line ends.
        case padding
        /// Behind an equals sign, maybe white space, and a CR.
        case softBreak
    }

    /// A line of the text that two lines made is not to become a delimiter, now that the soft line break goes.
    private var encoder = QuotedPrintableEncoder(hidesDelimiters: true)
    private var state = State.text
    /// What was read since the equals sign, to be written as text if it turns out to mean nothing.
    private var held: [UInt8] = []

    /// Takes octets of the encoded text.
    mutating func append(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        for byte in bytes { append(byte, to: &output) }
    }

    /// Writes what is held; the text ends here.
    mutating func finish(to output: inout [UInt8]) {
        // An equals sign at the very end is a soft line break whose line end belongs to the boundary delimiter.
        if state != .equals { release(to: &output) }
        encoder.finish(to: &output)
    }

    private mutating func append(_ byte: UInt8, to output: inout [UInt8]) {
        switch state {
        case .text:
            if byte == UInt8(ascii: "=") { hold(byte, .equals) } else { encoder.append(byte, to: &output) }
        case .equals:
            if QuotedPrintableRefolder.value(byte) != nil {
                hold(byte, .digit(byte))
            } else if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
                hold(byte, .padding)
            } else if byte == UInt8(ascii: "\r") {
                hold(byte, .softBreak)
            } else {
                again(byte, to: &output)
            }
        case .digit(let high):
            guard let high = QuotedPrintableRefolder.value(high), let low = QuotedPrintableRefolder.value(byte) else {
                return again(byte, to: &output)
            }
            held = []
            state = .text
            encoder.appendEscaped(high << 4 | low, to: &output)
        case .padding:
            if byte == UInt8(ascii: "\r") {
                hold(byte, .softBreak)
            } else if held.count < 76, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
                hold(byte, .padding)
            } else {
                again(byte, to: &output)
            }
        case .softBreak:
            guard byte == UInt8(ascii: "\n") else { return again(byte, to: &output) }
            held = []
            state = .text
        }
    }

    private mutating func hold(_ byte: UInt8, _ next: State) {
        held.append(byte)
        state = next
    }

    /// The equals sign meant nothing: it and what followed is text, and `byte` is looked at anew.
    private mutating func again(_ byte: UInt8, to output: inout [UInt8]) {
        release(to: &output)
        append(byte, to: &output)
    }

    private mutating func release(to output: inout [UInt8]) {
        for byte in held { encoder.append(byte, to: &output) }
        held = []
        state = .text
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
