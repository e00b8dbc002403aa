// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// FieldEncoder is in charge of writing header fields so that every next hop takes them: octets above 127 become
/// encoded words (RFC 2047) where one meaning only is possible, lines over 998 octets are folded at their white space.
///
/// The text that people see stays the same. It never guesses at a charset other than UTF-8.
package enum FieldEncoder {
    /// Where in a field encoded words may stand.
    package enum Syntax: Hashable, Sendable {
        /// Everywhere: Subject, and every field that nobody has defined otherwise (RFC 5322 §2.2.1, §3.6.8).
        case text
        /// In display names and comments; internationalised domains become A-labels.
        case addresses
        /// In the phrases between the commas, and in comments.
        case phrases
        /// In comments.
        case comments
        /// In comments; values of parameters are encoded after RFC 2231.
        case parameters
        /// Nowhere.
        case opaque
    }

    /// A field anew with all its octets in ASCII, by what is known of its name.
    ///
    /// - Parameter field: a whole field with its final CRLF.
    package static func encode(_ field: [UInt8]) throws(FieldEncodingError) -> [UInt8] {
        guard let header = try? HeaderSection(field), header.fields.count == 1, let parts = header.fields.first else {
            throw FieldEncodingError(reason: "no name and colon")
        }
        return try encode(
            name: field[parts.name], value: field[parts.value], syntax: KnownField.syntax(of: parts, in: header))
    }

    /// A field anew with all its octets in ASCII, with its final CRLF.
    ///
    /// - Parameters:
    ///   - name: without the colon.
    ///   - value: with its folding.
    package static func encode(
        name: some Collection<UInt8>, value: ArraySlice<UInt8>, syntax: Syntax
    ) throws(FieldEncodingError) -> [UInt8] {
        guard String(validating: value, as: UTF8.self) != nil else {
            throw FieldEncodingError(
                reason: "octets above 127 that are not UTF-8; send encoded words (RFC 2047), or UTF-8")
        }
        let spans: [EncodableSpan]
        do throws(AddressError) {
            var finder = EncodableSpans(value)
            switch syntax {
            case .text: try finder.findText(in: value.indices)
            case .addresses: try finder.findAddresses()
            case .phrases: try finder.findPhrases()
            case .comments: try finder.findComments()
            case .parameters: try finder.findParameters()
            case .opaque: break
            }
            spans = finder.sorted
        } catch {
            throw FieldEncodingError(reason: "octets above 127 and \(error.reason)")
        }
        var builder = UnitBuilder(value)
        for span in spans { builder.append(span) }
        var layout = FieldLayout(start: Array(name) + [UInt8(ascii: ":")])
        for unit in builder.finish() {
            guard (unit.prefix + unit.suffix).allSatisfy({ $0 < 128 }) else {
                throw FieldEncodingError(
                    reason: "octets above 127 where no encoded word may stand (RFC 2047, section 5); send ASCII")
            }
            layout.append(unit)
        }
        let field = layout.finish()
        guard layout.longestLine <= HeaderSection.maximumLineOctets else {
            throw FieldEncodingError(reason: "a word of more than \(HeaderSection.maximumLineOctets) octets")
        }
        return field
    }

    /// A field whose lines have at most 998 octets, with its final CRLF; nil where white space to fold at is missing.
    ///
    /// - Parameter field: with its final CRLF. Lines that are short enough stay as they are.
    package static func fold(_ field: ArraySlice<UInt8>) -> [UInt8]? {
        var output: [UInt8] = []
        var start = field.startIndex
        while start < field.endIndex {
            let end = field[start...].firstIndex(of: UInt8(ascii: "\r")) ?? field.endIndex
            let line = field[start..<end]
            if line.count <= HeaderSection.maximumLineOctets {
                output += line
                output += "\r\n".utf8
            } else {
                // A name and its colon can't be parted; a continuation starts with white space.
                let colon = start == field.startIndex ? line.firstIndex(of: UInt8(ascii: ":")) : nil
                let rest = colon.map { line[($0 + 1)...] } ?? line
                var builder = UnitBuilder(rest)
                let units = builder.finish()
                // Of white space alone nothing stays: it would become the empty line that ends a header section.
                if colon != nil || !units.isEmpty {
                    var layout = FieldLayout(start: line[..<rest.startIndex])
                    for unit in units { layout.append(unit) }
                    output += layout.finish()
                    guard layout.longestLine <= HeaderSection.maximumLineOctets else { return nil }
                }
            }
            start = end + 2
        }
        return output
    }
}

/// Why a field with octets above 127 can't be written in ASCII.
package struct FieldEncodingError: Error, Hashable, Sendable {
    /// Completes "the field Subject has …".
    package var reason: String
}

/// UnitBuilder is in charge of cutting a value at its white space.
private struct UnitBuilder {
    private let value: ArraySlice<UInt8>
    private var position: Int
    private var units: [FieldLayout.Unit] = []
    private var unit = FieldLayout.Unit(gap: [])
    /// The octet before is a backslash that takes its next octet along (RFC 5322 §3.2.1), white space too: a line end
    /// between them would leave a comment or a quoted string that nobody can read.
    private var isAfterBackslash = false

    init(_ value: ArraySlice<UInt8>) {
        self.value = value
        position = value.startIndex
    }

    /// Takes what stands before the span as it is, and the span as it says.
    mutating func append(_ span: EncodableSpan) {
        copy(upTo: span.octets.lowerBound)
        position = span.octets.upperBound
        isAfterBackslash = false
        switch span.kind {
        case .replacement(let octets):
            if !unit.text.isEmpty { separate() }
            unit.prefix += octets
        case .phrase(let text):
            separate()
            unit.text = text
        case .comment(let text):
            // The parentheses that open the comment stay with the word, what stands before them does not.
            let opening = Array(unit.prefix.reversed().prefix { $0 == UInt8(ascii: "(") })
            if !unit.text.isEmpty {
                separate()
            } else if opening.count < unit.prefix.count {
                unit.prefix.removeLast(opening.count)
                separate()
                unit.prefix = opening
            }
            unit.text = text
        }
    }

    mutating func finish() -> [FieldLayout.Unit] {
        copy(upTo: value.endIndex)
        endUnit()
        return units
    }

    private mutating func copy(upTo end: Int) {
        for byte in value[position..<end] {
            let isQuoted = isAfterBackslash
            isAfterBackslash = byte == UInt8(ascii: "\\") && !isQuoted
            switch byte {
            case UInt8(ascii: "\r"), UInt8(ascii: "\n"):
                continue
            case UInt8(ascii: " ") where !isQuoted, UInt8(ascii: "\t") where !isQuoted:
                if !unit.isEmpty { endUnit() }
                unit.gap.append(byte)
            default:
                if unit.text.isEmpty {
                    unit.prefix.append(byte)
                } else if mayFollow(byte) {
                    unit.suffix.append(byte)
                } else {
                    separate()
                    unit.prefix.append(byte)
                }
            }
        }
        position = end
    }

    /// RFC 2047 §5: only the end of its comment may touch an encoded word.
    private func mayFollow(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ")"): true
        case UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ">"): unit.suffix.last == UInt8(ascii: ")")
        default: false
        }
    }

    /// Makes sure that white space follows what came so far.
    private mutating func separate() {
        if !unit.isEmpty { endUnit() }
        if unit.gap.isEmpty { unit.gap = [UInt8(ascii: " ")] }
    }

    private mutating func endUnit() {
        if !unit.isEmpty { units.append(unit) }
        unit = FieldLayout.Unit(gap: [])
    }
}
