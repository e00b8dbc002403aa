// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import NIOCore

/// LineDecoder is in charge of finding the command lines in what a client sends.
///
/// Only CRLF ends a line (RFC 5321 §2.3.8): a bare CR or LF stays in the line, for the grammar to refuse.
///
/// A line that is too long is swallowed up to its CRLF and told of once.
package struct LineDecoder: Sendable {
    package enum Line: Hashable, Sendable {
        /// Without its CRLF.
        case line([UInt8])
        case tooLong
        /// More was swallowed than `maximumSwallowedOctets`: nobody means this.
        case endless
    }

    /// Of one over-long line.
    package static let maximumSwallowedOctets = 1024 * 1024

    /// Octets of a line with its CRLF.
    private let maximumOctets: Int
    /// Octets at the front of the buffer that hold no CRLF.
    private var scanned = 0
    /// Octets of the present over-long line that are gone already; nil while the line is of decent length.
    private var swallowed: Int?

    package init(maximumOctets: Int) {
        precondition(maximumOctets >= 2, "a line holds at least its CRLF")
        self.maximumOctets = maximumOctets
    }

    /// Takes the next line out of `buffer`; nil if it is not complete.
    ///
    /// What is taken never comes back, what is left is the start of a line.
    package mutating func next(from buffer: inout ByteBuffer) -> Line? {
        guard let end = endOfLine(in: buffer) else { return rest(of: &buffer) }
        defer {
            scanned = 0
            swallowed = nil
        }
        guard swallowed == nil, end <= maximumOctets else {
            buffer.moveReaderIndex(forwardBy: end)
            return .tooLong
        }
        let line = buffer.readBytes(length: end - 2) ?? []
        buffer.moveReaderIndex(forwardBy: 2)
        return .line(line)
    }

    /// The number of octets up to and with the first CRLF.
    private func endOfLine(in buffer: ByteBuffer) -> Int? {
        let view = buffer.readableBytesView
        var start = view.startIndex + scanned
        while let feed = view[start...].firstIndex(of: UInt8(ascii: "\n")) {
            if feed > view.startIndex, view[feed - 1] == UInt8(ascii: "\r") { return feed + 1 - view.startIndex }
            start = feed + 1
        }
        return nil
    }

    /// Remembers how far there is no line end, and drops what belongs to an over-long line.
    private mutating func rest(of buffer: inout ByteBuffer) -> Line? {
        scanned = buffer.readableBytes
        guard swallowed != nil || buffer.readableBytes >= maximumOctets else { return nil }
        // A CR at the end stays: with an LF it may end the line.
        let endsWithReturn = buffer.readableBytesView.last == UInt8(ascii: "\r")
        let octets = buffer.readableBytes - (endsWithReturn ? 1 : 0)
        buffer.moveReaderIndex(forwardBy: octets)
        scanned = buffer.readableBytes
        swallowed = (swallowed ?? 0) + octets
        return swallowed ?? 0 > LineDecoder.maximumSwallowedOctets ? .endless : nil
    }
}
