// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// HeaderCollector is in charge of the octets of a content up to the empty line that ends its header section.
///
/// They may come in pieces of any size, and there is a limit to them.
struct HeaderCollector {
    enum Progress: Hashable {
        case incomplete
        /// - Parameters:
        ///   - headerSection: with the CRLF of its last field, without the empty line.
        ///   - bodyStart: where the body starts in the piece that was appended.
        case complete(headerSection: [UInt8], bodyStart: Int)
        /// More than `HeaderSection.maximumOctets`.
        case tooLarge
    }

    private(set) var bytes: [UInt8] = []
    /// How many octets of CRLF CRLF came last.
    ///
    /// The first line starts as if a line had ended before it: when it is
    /// empty, there are no fields.
    private var matched = 2

    mutating func append(_ piece: UnsafeRawBufferPointer) -> Progress {
        var position = 0
        while position < piece.count {
            let byte = unsafe piece[position]
            position += 1
            if byte > UInt8(ascii: "\r") {
                matched = 0
            } else if byte == UInt8(ascii: "\r") {
                matched = matched == 2 ? 3 : 1
            } else if byte == UInt8(ascii: "\n"), matched == 1 || matched == 3 {
                matched += 1
            } else {
                matched = 0
            }
            if matched == 4 { break }
        }
        // One more octet than the limit, and the empty line.
        guard bytes.count + position <= HeaderSection.maximumOctets + 2 else { return .tooLarge }
        unsafe bytes.append(contentsOf: piece[..<position])
        guard matched == 4 else { return .incomplete }
        bytes.removeLast(2)
        return .complete(headerSection: bytes, bodyStart: position)
    }
}
