// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// LeafMeasure is in charge of what must be known of a stretch of a body before it can be decided whether and how
/// to encode it.
struct LeafMeasure: Sendable {
    /// RFC 5322 §2.1.1, RFC 5321 §4.5.3.1.6: octets of a line without its CRLF.
    static let maximumLineOctets = 998

    private(set) var octets = 0
    /// Without the CRLF.
    private(set) var longestLine = 0
    private(set) var hasHighOctets = false
    /// Octets that quoted-printable writes as three.
    private var escaped = 0
    private var utf8 = UTF8Check()
    private var lineOctets = 0

    /// Takes a piece that lies on one line; `endsLine` says that it ends in the line's CRLF.
    mutating func append(_ piece: ArraySlice<UInt8>, endsLine: Bool) {
        octets += piece.count
        lineOctets += piece.count
        // A CR that ends the piece may be the first half of the line's end.
        let lineEnd = endsLine ? 2 : piece.last == UInt8(ascii: "\r") ? 1 : 0
        longestLine = max(longestLine, lineOctets - lineEnd)
        if endsLine { lineOctets = 0 }
        for byte in piece {
            if byte > 127 || !utf8.isBetweenCharacters {
                hasHighOctets = hasHighOctets || byte > 127
                utf8.append(byte)
            }
            if byte > 126 || byte == UInt8(ascii: "=") || byte < 9 { escaped += 1 }
        }
    }

    /// Takes whole lines, the last with or without its CRLF.
    mutating func append(lines: ArraySlice<UInt8>) {
        var rest = lines
        while !rest.isEmpty {
            let line = LeafMeasure.firstLine(of: rest)
            append(line, endsLine: line.suffix(2).elementsEqual([13, 10]))
            rest = rest[line.endIndex...]
        }
    }

    /// The octets up to the first CRLF, with it; all if there is none.
    ///
    /// An LF alone ends no line (RFC 2045 §2.1).
    static func firstLine(of octets: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var previous: UInt8 = 0
        for (index, octet) in zip(octets.indices, octets) {
            if octet == UInt8(ascii: "\n"), previous == UInt8(ascii: "\r") { return octets[...index] }
            previous = octet
        }
        return octets
    }

    /// The whole is valid UTF-8.
    var isUTF8: Bool { utf8.isValid }

    /// Whether base64 makes it smaller than quoted-printable.
    var favoursBase64: Bool {
        let written = octets + 2 * escaped
        // Three octets of a soft line break in 73 of a long line; two of a line end in 57 octets of the original.
        return written + 3 * (written / 73) > (octets + 2) / 3 * 4 + 2 * (octets / 57)
    }
}

/// UTF8Check is in charge of telling UTF-8 (RFC 3629 §4) from other octets, one at a time.
struct UTF8Check: Sendable {
    private var isMalformed = false
    /// Continuation octets that are still to come.
    private var remaining = 0
    /// What the next one may be: an overlong form, a surrogate and what is beyond U+10FFFF show there.
    private var next: ClosedRange<UInt8> = 0x80...0xBF

    var isBetweenCharacters: Bool { remaining == 0 }
    var isValid: Bool { !isMalformed && remaining == 0 }

    mutating func append(_ byte: UInt8) {
        if remaining > 0 {
            guard next.contains(byte) else {
                isMalformed = true
                remaining = 0
                return
            }
            remaining -= 1
            next = 0x80...0xBF
            return
        }
        switch byte {
        case 0...0x7F: break
        case 0xC2...0xDF: expect(1, 0x80...0xBF)
        case 0xE0: expect(2, 0xA0...0xBF)
        case 0xED: expect(2, 0x80...0x9F)
        case 0xE1...0xEF: expect(2, 0x80...0xBF)
        case 0xF0: expect(3, 0x90...0xBF)
        case 0xF1...0xF3: expect(3, 0x80...0xBF)
        case 0xF4: expect(3, 0x80...0x8F)
        default: isMalformed = true
        }
    }

    private mutating func expect(_ count: Int, _ first: ClosedRange<UInt8>) {
        remaining = count
        next = first
    }
}
