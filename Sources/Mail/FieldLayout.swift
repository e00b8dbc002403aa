// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// FieldLayout is in charge of the lines of a header field that is written anew: it folds at white space only, and never
/// leaves a line of white space alone.
struct FieldLayout {
    /// RFC 2047 §2: of a line with an encoded word; all others may have that many too.
    static let preferredOctets = 76
    /// White space that is longer is cut to one space before an encoded word, which needs the room.
    private static let maximumGapOctets = 16

    /// Text without white space that readers see, after white space.
    struct Unit: Hashable {
        var gap: [UInt8]
        /// As it is.
        var prefix: [UInt8] = []
        /// To be encoded; may be empty.
        var text: [UInt8] = []
        /// As it is.
        var suffix: [UInt8] = []

        var isEmpty: Bool { prefix.isEmpty && text.isEmpty && suffix.isEmpty }
    }

    private var output: [UInt8]
    private var column: Int
    /// Whether the line has text that may not be parted from what stands before it.
    private var hasText = false
    private(set) var longestLine = 0

    /// - Parameter start: what the first line starts with, such as `Subject:`.
    init(start: some Collection<UInt8>) {
        output = Array(start)
        column = output.count
    }

    mutating func append(_ unit: Unit) {
        guard unit.text.isEmpty else { return appendEncoded(unit) }
        let octets = unit.gap.count + unit.prefix.count + unit.suffix.count
        // Never directly after the colon where that can be helped: some verifiers get simple canonicalization wrong.
        let mustBeShort = hasText || EncodedWord.isEncodedWord(unit.prefix[...])
        let limit = mustBeShort ? FieldLayout.preferredOctets : HeaderSection.maximumLineOctets
        if !unit.gap.isEmpty, column + octets > limit, hasText || column > 0 { endLine() }
        write(unit.gap)
        write(unit.prefix)
        write(unit.suffix)
        hasText = true
    }

    /// The field with its final CRLF.
    mutating func finish() -> [UInt8] {
        endLine()
        return output
    }

    private mutating func appendEncoded(_ unit: Unit) {
        let word = EncodedWord(for: unit.text)
        var gap = unit.gap.isEmpty || unit.gap.count > FieldLayout.maximumGapOctets ? [UInt8(ascii: " ")] : unit.gap
        var prefix = unit.prefix
        var rest = unit.text[...]
        while !rest.isEmpty {
            // As far as it matters: more than a line of it does not fit.
            let whole = word.encodedCount(rest.prefix(FieldLayout.preferredOctets)) + EncodedWord.overhead
            let isShort = gap.count + prefix.count + whole + unit.suffix.count <= FieldLayout.preferredOctets
            let fits = column + gap.count + prefix.count + whole + unit.suffix.count <= FieldLayout.preferredOctets
            if hasText, isShort, !fits { endLine() }
            var piece = self.piece(of: rest, word, before: gap.count + prefix.count, after: unit.suffix.count)
            if piece.isEmpty {
                if column > 0 { endLine() }
                piece = self.piece(of: rest, word, before: gap.count + prefix.count, after: unit.suffix.count)
                // Only where hundreds of parentheses stand before it without a space: one character at least.
                if piece.isEmpty { piece = word.prefix(of: rest, room: 12) }
            }
            write(gap)
            write(prefix)
            let start = output.count
            word.append(piece, to: &output)
            column += output.count - start
            hasText = true
            rest = rest[piece.endIndex...]
            (gap, prefix) = ([UInt8(ascii: " ")], [])
        }
        write(unit.suffix)
    }

    /// What fits on this line; if that is all of it, what follows must fit as well.
    private func piece(
        of text: ArraySlice<UInt8>, _ word: EncodedWord, before: Int, after: Int
    ) -> ArraySlice<UInt8> {
        let room = FieldLayout.preferredOctets - column - before - EncodedWord.overhead
        let maximum = EncodedWord.maximumOctets - EncodedWord.overhead
        let piece = word.prefix(of: text, room: min(room, maximum))
        guard piece.endIndex == text.endIndex else { return piece }
        return word.prefix(of: text, room: min(room - after, maximum))
    }

    private mutating func write(_ octets: [UInt8]) {
        output += octets
        column += octets.count
    }

    private mutating func endLine() {
        longestLine = max(longestLine, column)
        output += "\r\n".utf8
        column = 0
        hasText = false
    }
}
