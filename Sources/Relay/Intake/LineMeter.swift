// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// LineMeter is in charge of the question whether a body has a line that nobody may send: one over 998 octets.
///
/// The octets may come in pieces of any size; their line ends are CRLF. It looks at few of them: a line is too long
/// where no line end stands among the octets that it may have, so it looks for one from their end.
struct LineMeter {
    /// Octets of a line without its CRLF (RFC 5321 §4.5.3.1.6, RFC 5322 §2.1.1).
    static let maximumLineOctets = 998

    private(set) var hasLongLine = false
    /// Octets since the last LF; once a line was too long, only whether there are any.
    private var octets = 0

    /// The last octet ended no line.
    var isInsideLine: Bool { octets > 0 }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        var position = 0
        while !hasLongLine {
            let end = position + LineMeter.maximumLineOctets + 2 - octets
            guard end <= bytes.count else { break }
            guard let lineFeed = unsafe LineMeter.lastLineFeed(in: bytes, position..<end) else {
                hasLongLine = true
                break
            }
            octets = 0
            position = lineFeed + 1
        }
        if let lineFeed = unsafe LineMeter.lastLineFeed(in: bytes, position..<bytes.count) {
            octets = bytes.count - lineFeed - 1
        } else {
            octets += bytes.count - position
        }
    }

    private static func lastLineFeed(in bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        var position = range.upperBound
        while position > range.lowerBound {
            position -= 1
            if unsafe bytes[position] == UInt8(ascii: "\n") { return position }
        }
        return nil
    }
}
