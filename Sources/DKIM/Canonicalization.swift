// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// How a header section or a body is brought into the form that is hashed (RFC 6376 §3.4).
public enum Canonicalization: UInt8, Hashable, Sendable, CaseIterable {
    /// Tolerates almost no change (RFC 6376 §3.4.1, §3.4.3).
    case simple = 0
    /// Tolerates changes of white space, of folding, and of the case of field names (§3.4.2, §3.4.4).
    case relaxed = 1

    /// The word of the `c=` tag.
    public var name: String {
        switch self {
        case .simple: "simple"
        case .relaxed: "relaxed"
        }
    }
}

/// The two canonicalizations of a message: the `c=` tag, header section first (RFC 6376 §3.5).
public struct MessageCanonicalization: Hashable, Sendable, CustomStringConvertible {
    /// For the header fields.
    public var header: Canonicalization
    /// For the body.
    public var body: Canonicalization

    /// A pair.
    public init(header: Canonicalization, body: Canonicalization) {
        self.header = header
        self.body = body
    }

    /// `relaxed/relaxed`: what survives the journey best.
    public static let relaxed = MessageCanonicalization(header: .relaxed, body: .relaxed)
    /// `simple/simple`: what a signature without `c=` means.
    public static let simple = MessageCanonicalization(header: .simple, body: .simple)

    /// The value of the `c=` tag.
    public var description: String { "\(header.name)/\(body.name)" }

    /// Nil if `text` is not the value of a `c=` tag that this library knows.
    init?(_ text: some StringProtocol) {
        let names = text.split(separator: "/", omittingEmptySubsequences: false)
        func canonicalization(_ name: some StringProtocol) -> Canonicalization? {
            Canonicalization.allCases.first { $0.name == name }
        }
        guard (1...2).contains(names.count), let header = canonicalization(names[0]) else { return nil }
        // RFC 6376 §3.5: "If only one algorithm is named, that algorithm is used for the header and 'simple'
        // is used for the body."
        guard let body = names.count == 2 ? canonicalization(names[1]) : .simple else { return nil }
        self.init(header: header, body: body)
    }
}

/// The canonical forms of one header field.
enum HeaderCanonicalization {
    /// Appends the canonical form of a whole field, without a final CRLF (RFC 6376 §3.4.1, §3.4.2).
    ///
    /// - Parameters:
    ///   - field: the octets of the field, without its final CRLF.
    ///   - colon: where the colon stands in `bytes`.
    static func append(
        _ field: Range<Int>, of bytes: [UInt8], colon: Int, _ canonicalization: Canonicalization,
        to output: inout [UInt8]
    ) {
        switch canonicalization {
        case .simple:
            // RFC 6376 §3.4.1: "does not change header fields in any way".
            output.append(contentsOf: bytes[field])
        case .relaxed:
            // RFC 6376 §3.4.2: the name in lower case, no white space on either side of the colon.
            var nameEnd = colon
            while nameEnd > field.lowerBound, isWhiteSpace(bytes[nameEnd - 1]) { nameEnd -= 1 }
            for position in field.lowerBound..<nameEnd { output.append(lowercase(bytes[position])) }
            output.append(UInt8(ascii: ":"))
            appendRelaxed(colon + 1..<field.upperBound, of: bytes, isValueStart: true, to: &output)
        }
    }

    /// Unfolds, reduces white space to one space, and drops it at the end (RFC 6376 §3.4.2).
    ///
    /// - Parameter isValueStart: drop it at the start, too.
    static func appendRelaxed(
        _ range: Range<Int>, of bytes: [UInt8], isValueStart: Bool, to output: inout [UInt8]
    ) {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            var pendingSpace = false
            var atStart = isValueStart
            var position = range.lowerBound
            while position < range.upperBound {
                let byte = unsafe buffer[position]
                if byte > UInt8(ascii: " ") {
                    if pendingSpace, !atStart { output.append(UInt8(ascii: " ")) }
                    pendingSpace = false
                    atStart = false
                    output.append(byte)
                    position += 1
                } else if isWhiteSpace(byte) {
                    pendingSpace = true
                    position += 1
                } else if byte == UInt8(ascii: "\r"), position + 1 < range.upperBound,
                    unsafe buffer[position + 1] == UInt8(ascii: "\n")
                {
                    // Unfolding takes away the CRLF only; the white space after it remains and is reduced.
                    position += 2
                } else {
                    if pendingSpace, !atStart { output.append(UInt8(ascii: " ")) }
                    pendingSpace = false
                    atStart = false
                    output.append(byte)
                    position += 1
                }
            }
        }
    }

    /// RFC 6376 §2.8: white space is space and tab, nothing else.
    @inline(__always)
    static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    /// White space and the octets of a line end: what may stand between the parts of a tag list.
    static func isFolding(_ byte: UInt8) -> Bool {
        isWhiteSpace(byte) || byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n")
    }

    /// ASCII only: other octets keep their value.
    @inline(__always)
    static func lowercase(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}
