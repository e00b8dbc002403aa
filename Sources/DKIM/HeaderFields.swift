// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// HeaderFields is in charge of where the header fields of a message stand; it keeps every octet and never
/// interprets a value.
///
/// It reads what others wrote, so it is lenient: white space before a colon (RFC 5322 §4.5) and octets above
/// 127 are taken as they are. Only CRLF ends a line, and only an empty line ends the header section.
public struct HeaderFields: Sendable {
    /// Where one field stands.
    struct Field: Hashable, Sendable {
        /// From the first octet of the name to the last of the value; the final CRLF is not in it.
        var octets: Range<Int>
        /// Where the colon stands.
        var colon: Int
        /// Where the name ends: before the colon, and before white space that stands there.
        var nameEnd: Int
    }

    /// The octets that were given.
    public let bytes: [UInt8]
    /// Where the body begins: after the empty line, or the number of octets if there is none.
    public let bodyStart: Int
    /// In the order in which they stand.
    let fields: [Field]

    /// Finds the fields in a header section, with or without its empty line, or in a whole message.
    public init(_ bytes: [UInt8]) throws(MalformedHeaderField) {
        var fields: [Field] = []
        fields.reserveCapacity(24)
        var position = 0
        var bodyStart = bytes.count
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "\r"), position + 1 < bytes.count,
                bytes[position + 1] == UInt8(ascii: "\n")
            {
                bodyStart = position + 2
                break
            }
            let (end, next) = HeaderFields.endOfField(bytes, from: position)
            guard let field = HeaderFields.field(position..<end, in: bytes) else {
                throw MalformedHeaderField(position: fields.count + 1)
            }
            fields.append(field)
            position = next
        }
        self.bytes = bytes
        self.bodyStart = bodyStart
        self.fields = fields
    }

    init(bytes: [UInt8], bodyStart: Int, fields: [Field]) {
        self.bytes = bytes
        self.bodyStart = bodyStart
        self.fields = fields
    }

    /// How many fields there are.
    public var count: Int { fields.count }

    /// The name of a field as it was written.
    public func name(at index: Int) -> String {
        String(decoding: bytes[fields[index].octets.lowerBound..<fields[index].nameEnd], as: UTF8.self)
    }

    /// The values of the fields with a name, from the top down; folds and white space are still in them.
    public func values(of name: String) -> [ArraySlice<UInt8>] {
        let lowercaseName = name.utf8.map(HeaderCanonicalization.lowercase)
        return fields.filter { isNamed($0, lowercaseName) }.map { bytes[($0.colon + 1)..<$0.octets.upperBound] }
    }

    /// Whether a field has a name, which must be given in lower case (RFC 5322 §1.2.2: case doesn't matter).
    func isNamed(_ field: Field, _ lowercaseName: [UInt8]) -> Bool {
        guard field.nameEnd - field.octets.lowerBound == lowercaseName.count else { return false }
        var position = field.octets.lowerBound
        for byte in lowercaseName {
            guard HeaderCanonicalization.lowercase(bytes[position]) == byte else { return false }
            position += 1
        }
        return true
    }

    /// Appends the canonical form of a field, without a final CRLF.
    func append(_ field: Field, _ canonicalization: Canonicalization, to output: inout [UInt8]) {
        HeaderCanonicalization.append(field.octets, of: bytes, colon: field.colon, canonicalization, to: &output)
    }
}

/// A line of a header section that is neither a header field nor the continuation of one.
public struct MalformedHeaderField: Error, Hashable, Sendable, CustomStringConvertible {
    /// Counted from 1: which field is malformed.
    public let position: Int

    /// One line.
    public var description: String { "header field \(position) has no name or no colon" }
}

extension HeaderFields {
    /// - Returns: where the field ends without its CRLF, and where the next begins.
    private static func endOfField(_ bytes: [UInt8], from start: Int) -> (end: Int, next: Int) {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            var position = start
            while position + 1 < buffer.count {
                guard unsafe buffer[position] == UInt8(ascii: "\r"), unsafe buffer[position + 1] == UInt8(ascii: "\n")
                else {
                    position += 1
                    continue
                }
                // RFC 5322 §2.2.3: a line that begins with white space continues the field, also when there
                // is nothing else on it.
                guard position + 2 < buffer.count, HeaderCanonicalization.isWhiteSpace(unsafe buffer[position + 2])
                else { return (position, position + 2) }
                position += 3
            }
            return (buffer.count, buffer.count)
        }
    }

    private static func field(_ octets: Range<Int>, in bytes: [UInt8]) -> Field? {
        guard let colon = bytes[octets].firstIndex(of: UInt8(ascii: ":")) else { return nil }
        var nameEnd = colon
        while nameEnd > octets.lowerBound, HeaderCanonicalization.isWhiteSpace(bytes[nameEnd - 1]) { nameEnd -= 1 }
        // RFC 5322 §2.2: a name has at least one octet, and they are printable.
        guard nameEnd > octets.lowerBound, bytes[octets.lowerBound..<nameEnd].allSatisfy({ $0 > 32 && $0 != 127 })
        else { return nil }
        return Field(octets: octets, colon: colon, nameEnd: nameEnd)
    }
}
