// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// HeaderSection is in charge of finding the header fields in the octets of a header section; it keeps the
/// octets as they are and never interprets a value.
///
/// It is strict where the readers of a message disagree with each other (a space before the colon, a bare CR,
/// an empty name), because a field that one program sees and another does not is how a signature gets
/// stretched over something that its signer never read.
package struct HeaderSection: Sendable {
    /// What Waxwing takes in; longer header sections are refused at intake.
    package static let maximumOctets = 256 * 1024
    /// Of one line, without CRLF (RFC 5322 §2.1.1).
    package static let maximumLineOctets = 998

    /// Where one field stands in `bytes`.
    package struct Field: Hashable, Sendable {
        /// The name, without the colon.
        package var name: Range<Int>
        /// Where the colon stands: behind the name, or behind white space that old messages have there.
        package var colon: Int
        /// All octets of the field: name, colon, value with its continuation lines, final CRLF.
        package var octets: Range<Int>
        /// The octets of its longest line, without CRLF.
        package var longestLine: Int
        /// Whether an octet above 127 is in its value.
        package var isEightBit: Bool

        /// The octets after the colon without the final CRLF; folding is still in it.
        package var value: Range<Int> { colon + 1..<octets.upperBound - 2 }
    }

    /// The fields with their CRLFs, without the empty line that ends the section in a message.
    package let bytes: [UInt8]
    /// In the order in which they stand.
    package let fields: [Field]

    /// - Parameter allowsSpaceBeforeColon: as in messages of old (RFC 5322 §4.5), of which some readers don't see such
    ///   a field: whoever allows it must write the field anew.
    package init(_ bytes: [UInt8], allowsSpaceBeforeColon: Bool = false) throws(MalformedHeaderSection) {
        var scanner = Scanner(bytes: bytes, allowsSpaceBeforeColon: allowsSpaceBeforeColon)
        var fields: [Field] = []
        fields.reserveCapacity(24)
        while scanner.position < bytes.count {
            let start = scanner.position
            if Scanner.isWhiteSpace(bytes[start]) {
                // RFC 5322 §2.2.3: a line that starts with white space continues the field before it.
                guard let last = fields.indices.last else { throw scanner.malformed("a continuation of nothing") }
                let line = try scanner.endLine(from: start)
                fields[last].octets = fields[last].octets.lowerBound..<scanner.position
                fields[last].longestLine = max(fields[last].longestLine, line.octets)
                if line.isEightBit { fields[last].isEightBit = true }
            } else {
                let (name, colon) = try scanner.fieldName()
                let line = try scanner.endLine(from: start)
                fields.append(
                    Field(
                        name: name, colon: colon, octets: start..<scanner.position, longestLine: line.octets,
                        isEightBit: line.isEightBit))
            }
        }
        self.bytes = bytes
        self.fields = fields
    }

    /// Whether a field has a name; case does not matter (RFC 5322 §1.2.2).
    package func isNamed(_ field: Field, _ name: FieldName) -> Bool {
        guard field.name.count == name.lowercased.count else { return false }
        var position = field.name.lowerBound
        for byte in name.lowercased {
            guard FieldName.lowercase(bytes[position]) == byte else { return false }
            position += 1
        }
        return true
    }

    /// The first field with a name.
    package func first(_ name: FieldName) -> Field? {
        fields.first { isNamed($0, name) }
    }

    /// The name as it was written.
    package func name(of field: Field) -> String {
        String(decoding: bytes[field.name], as: UTF8.self)
    }

    /// The value unfolded (RFC 5322 §2.2.3), without white space at its ends.
    package func value(of field: Field) -> String {
        var octets = bytes[field.value].filter { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }[...]
        octets = octets.drop(while: Scanner.isWhiteSpace)
        while let last = octets.last, Scanner.isWhiteSpace(last) { octets.removeLast() }
        return String(decoding: octets, as: UTF8.self)
    }
}

/// The name of a header field, to compare with.
package struct FieldName: Hashable, Sendable {
    fileprivate let lowercased: [UInt8]

    /// How long it is.
    package var octets: Int { lowercased.count }

    package init(_ name: String) {
        self.lowercased = name.utf8.map(FieldName.lowercase)
    }

    fileprivate static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}

/// Why octets are not a header section.
package struct MalformedHeaderSection: Error, Hashable, Sendable {
    /// Counted from 1.
    package var line: Int
    /// Completes "line 3 is malformed: …".
    package var reason: String
}

/// Walks over the lines of a header section.
private struct Scanner {
    let bytes: [UInt8]
    let allowsSpaceBeforeColon: Bool
    var position = 0
    var line = 1

    static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    func malformed(_ reason: String) -> MalformedHeaderSection {
        MalformedHeaderSection(line: line, reason: reason)
    }

    /// Passes the name and its colon.
    mutating func fieldName() throws(MalformedHeaderSection) -> (name: Range<Int>, colon: Int) {
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: ":") {
                guard position > start else { throw malformed("no field name before the colon") }
                position += 1
                return (start..<position - 1, position - 1)
            }
            // RFC 5322 §2.2: a name is printable US-ASCII except the colon. Its §4.5 lets old messages have
            // white space before the colon; a new one may not.
            guard (33...126).contains(byte) else { break }
            position += 1
        }
        let end = position
        while position < bytes.count, Scanner.isWhiteSpace(bytes[position]) { position += 1 }
        if position == end {
            throw malformed("not a header field, which is a name, a colon and a value")
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ":") {
            guard allowsSpaceBeforeColon else { throw malformed("white space between the field name and the colon") }
            position += 1
            return (start..<end, position - 1)
        }
        // The line that mbox files put between messages, quoted or not.
        if bytes[start..<end].elementsEqual("From".utf8) || bytes[start..<end].elementsEqual(">From".utf8) {
            throw malformed("the separator of an mbox file, not a header field; leave it out")
        }
        throw malformed("white space in a field name, or no colon")
    }

    /// Passes the rest of a line and its CRLF.
    mutating func endLine(
        from start: Int
    ) throws(MalformedHeaderSection) -> (octets: Int, isEightBit: Bool) {
        var seen: UInt8 = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            seen |= byte
            // One comparison for nearly all octets: CR, LF and NUL are below the space.
            guard byte < UInt8(ascii: " "), byte != UInt8(ascii: "\t") else { continue }
            if byte == UInt8(ascii: "\r"), position < bytes.count, bytes[position] == UInt8(ascii: "\n") {
                position += 1
                line += 1
                return (position - 2 - start, seen > 127)
            }
            if byte == UInt8(ascii: "\r") { throw malformed("a CR without LF") }
            if byte == UInt8(ascii: "\n") { throw malformed("an LF without CR") }
            if byte == 0 { throw malformed("a NUL") }
        }
        throw malformed("no CRLF at its end")
    }
}
