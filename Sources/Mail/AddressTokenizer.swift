// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// AddressTokenizer is in charge of the lexical half of an address field (RFC 5322 §3.2): it passes folding and
/// comments and gives the words and specials that remain.
struct AddressTokenizer {
    enum Token: Hashable {
        /// Atom characters and dots, and octets above 127 (RFC 6532 §3.2).
        case atom(Range<Int>)
        /// A whole `=?charset?encoding?text?=` (RFC 2047): a word of a display name, whatever it decodes to.
        case encodedWord(Range<Int>)
        /// With its quotes.
        case quotedString(Range<Int>)
        /// An address literal with its brackets.
        case literal(Range<Int>)
        /// One of `< > @ , ; :`
        case special(UInt8)
    }

    let bytes: ArraySlice<UInt8>
    /// The comments passed so far, each with its parentheses; one within another is not told apart.
    private(set) var comments: [Range<Int>] = []
    /// Where the token that was given last starts.
    private(set) var tokenStart: Int
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        self.tokenStart = bytes.startIndex
        self.position = bytes.startIndex
    }

    /// Nil at the end.
    mutating func next() throws(AddressError) -> Token? {
        try skipCommentsAndWhiteSpace()
        tokenStart = position
        guard let byte = peek() else { return nil }
        switch byte {
        case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "@"), UInt8(ascii: ","), UInt8(ascii: ";"),
            UInt8(ascii: ":"):
            position += 1
            return .special(byte)
        case UInt8(ascii: "\""):
            return .quotedString(try delimited(by: byte, whatIsOpen: "a quoted string that does not end"))
        case UInt8(ascii: "["):
            return .literal(try delimited(by: UInt8(ascii: "]"), whatIsOpen: "an address literal that does not end"))
        case UInt8(ascii: "="):
            if let end = endOfEncodedWord() {
                let start = position
                position = end
                return .encodedWord(start..<end)
            }
            return .atom(try atom())
        default:
            return .atom(try atom())
        }
    }

    private func peek(_ offset: Int = 0) -> UInt8? {
        position + offset < bytes.endIndex ? bytes[position + offset] : nil
    }

    private mutating func atom() throws(AddressError) -> Range<Int> {
        let start = position
        while let byte = peek(), AddressTokenizer.isAtomOctet(byte) { position += 1 }
        guard position > start else { throw AddressError(reason: "a character that must be quoted") }
        return start..<position
    }

    /// Passes a quoted string or a literal: both end at their delimiter, and a backslash takes its next octet along.
    private mutating func delimited(by end: UInt8, whatIsOpen: String) throws(AddressError) -> Range<Int> {
        let start = position
        position += 1
        while let byte = peek() {
            if byte == UInt8(ascii: "\\") {
                guard let quoted = peek(1), AddressTokenizer.isText(quoted) else { break }
                position += 2
            } else if byte == end {
                position += 1
                return start..<position
            } else {
                guard try skipFolding() || AddressTokenizer.isText(byte) else {
                    throw AddressError(reason: "a control character")
                }
                if byte != UInt8(ascii: "\r") { position += 1 }
            }
        }
        throw AddressError(reason: whatIsOpen)
    }

    private mutating func skipCommentsAndWhiteSpace() throws(AddressError) {
        var depth = 0
        var start = position
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"):
                position += 1
            case UInt8(ascii: "\r"):
                guard try skipFolding() else { throw AddressError(reason: "a CR without LF") }
            case UInt8(ascii: "("):
                if depth == 0 { start = position }
                depth += 1
                position += 1
            case UInt8(ascii: ")") where depth > 0:
                depth -= 1
                position += 1
                if depth == 0 { comments.append(start..<position) }
            case UInt8(ascii: "\\") where depth > 0:
                guard let quoted = peek(1), AddressTokenizer.isText(quoted) else {
                    throw AddressError(reason: "a comment that does not end")
                }
                position += 2
            default:
                guard depth > 0 else { return }
                guard AddressTokenizer.isText(byte) else { throw AddressError(reason: "a control character") }
                position += 1
            }
        }
        guard depth == 0 else { throw AddressError(reason: "a comment that does not end") }
    }

    /// Passes a CRLF before white space (RFC 5322 §2.2.3); false where none stands.
    private mutating func skipFolding() throws(AddressError) -> Bool {
        guard peek() == UInt8(ascii: "\r") else { return false }
        guard peek(1) == UInt8(ascii: "\n"), let next = peek(2), next == UInt8(ascii: " ") || next == UInt8(ascii: "\t")
        else { throw AddressError(reason: "a line end that is not folding") }
        position += 2
        return true
    }

    /// RFC 2047 §2: no white space inside, so that an `@` in it can't be taken for the one of an address.
    private func endOfEncodedWord() -> Int? {
        guard peek(1) == UInt8(ascii: "?") else { return nil }
        var questionMarks = 1
        var index = position + 2
        while index < bytes.endIndex {
            let byte = bytes[index]
            guard (33...126).contains(byte) else { return nil }
            index += 1
            guard byte == UInt8(ascii: "?") else { continue }
            questionMarks += 1
            guard questionMarks == 4 else { continue }
            return index < bytes.endIndex && bytes[index] == UInt8(ascii: "=") ? index + 1 : nil
        }
        return nil
    }

    /// What a quoted string means: without its quotes, folding and backslashes (RFC 5322 §3.2.4).
    static func content(ofQuotedString octets: ArraySlice<UInt8>) -> [UInt8] {
        var content: [UInt8] = []
        var isQuoted = false
        for byte in octets.dropFirst().dropLast() {
            if !isQuoted, byte == UInt8(ascii: "\\") {
                isQuoted = true
            } else if isQuoted || byte != UInt8(ascii: "\r") && byte != UInt8(ascii: "\n") {
                content.append(byte)
                isQuoted = false
            }
        }
        return content
    }

    private static func isText(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\t") || byte >= 32 && byte != 127
    }

    /// RFC 5322 §3.2.3: atext, and the dot.
    private static func isAtomOctet(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), 128...255:
            true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: "?"), UInt8(ascii: "^"), UInt8(ascii: "_"),
            UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"), UInt8(ascii: "~"):
            true
        default:
            false
        }
    }
}

/// Why the value of an address field can't be read.
package struct AddressError: Error, Hashable, Sendable {
    /// Completes "the From field has …".
    package var reason: String

    package init(reason: String) {
        self.reason = reason
    }
}
