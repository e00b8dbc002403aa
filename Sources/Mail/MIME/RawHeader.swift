// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// RawHeader is in charge of finding the fields in a header that was never checked: that of a body part, or of a
/// message inside a message.
struct RawHeader: Sendable {
    struct Field: Sendable {
        /// In lower case.
        var name: String
        /// Name, colon, value with its continuation lines, final CRLF.
        var octets: Range<Int>
        /// Where the value starts, behind the colon.
        var valueStart: Int
    }

    /// What a line of a header can be.
    enum Line: Hashable, Sendable {
        /// The length of its name.
        case field(Int)
        case continuation
        case neither
    }

    let bytes: [UInt8]
    private(set) var fields: [Field] = []

    /// - Parameter bytes: Lines that `line(_:)` has called fields or continuations; others are passed over.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var start = 0
        while start < bytes.count {
            let end = LeafMeasure.firstLine(of: bytes[start...]).endIndex
            switch RawHeader.line(bytes[start..<end]) {
            case .field(let count):
                let name = bytes[start..<start + count].map(ParameterizedValue.lowercase)
                fields.append(
                    Field(
                        name: String(decoding: name, as: UTF8.self), octets: start..<end, valueStart: start + count + 1)
                )
            case .continuation:
                guard let last = fields.indices.last, fields[last].octets.upperBound == start else { break }
                fields[last].octets = fields[last].octets.lowerBound..<end
            case .neither:
                break
            }
            start = end
        }
    }

    /// The octets behind the colon; folding and the final CRLF are still in it.
    func value(of field: Field) -> ArraySlice<UInt8> {
        bytes[field.valueStart..<field.octets.upperBound]
    }

    /// The name as it was written, as far as a reply has room for it.
    func displayName(of field: Field) -> String {
        PartHeader.printable(Array(bytes[field.octets.lowerBound..<field.valueStart - 1]))
    }

    /// RFC 5322 §4.5: white space before the colon, as in messages of old; some readers don't see such a field.
    static func isOldField(_ octets: ArraySlice<UInt8>) -> Bool {
        let rest = octets.drop { (33...126).contains($0) && $0 != UInt8(ascii: ":") }
        let colon = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return rest.startIndex > octets.startIndex && colon.startIndex > rest.startIndex
            && colon.first == UInt8(ascii: ":")
    }

    /// RFC 5322 §2.2: what a line is, judged by its start.
    static func line(_ octets: ArraySlice<UInt8>) -> Line {
        if let first = octets.first, first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") { return .continuation }
        guard let colon = octets.firstIndex(where: { !(33...126).contains($0) || $0 == UInt8(ascii: ":") }),
            octets[colon] == UInt8(ascii: ":"), colon > octets.startIndex
        else { return .neither }
        return .field(colon - octets.startIndex)
    }
}
