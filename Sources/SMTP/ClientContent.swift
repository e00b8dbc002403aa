// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc
package import NIOCore

/// `DotStuffer` is in charge of the form that content has after DATA: a "." doubled at the start of a line, the end of
/// data after the last one (RFC 5321 §4.5.2).
///
/// It changes nothing else, and it refuses what would read differently at another server: a CR or LF that is not part
/// of a CRLF, and NUL.
package struct DotStuffer: Sendable {
    /// What the bytes so far ended with.
    private enum Position: Hashable, Sendable {
        case lineStart, insideLine, afterCarriageReturn
    }

    private var position = Position.lineStart

    package init() {}

    /// Appends the wire form of the next octets of the content to `buffer`.
    package mutating func write(
        _ bytes: UnsafeRawBufferPointer, into buffer: inout ByteBuffer
    ) throws(ContentError) {
        guard unsafe !bytes.isEmpty else { return }
        guard unsafe DotStuffer.first(0, in: bytes) == nil else { throw .nul }
        // Bytes before this offset are written.
        var written = 0
        var offset = 0
        var position = position
        let count = bytes.count
        while offset < count {
            switch position {
            case .lineStart:
                if unsafe bytes[offset] == UInt8(ascii: ".") {
                    unsafe buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[written..<offset]))
                    buffer.writeInteger(UInt8(ascii: "."))
                    written = offset
                }
                position = .insideLine
            case .insideLine:
                // Everything up to the next CR or LF is plain text.
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset...])
                guard let stop = unsafe DotStuffer.lineBreak(in: rest) else {
                    offset = count
                    continue
                }
                offset += stop
                guard unsafe bytes[offset] == UInt8(ascii: "\r") else { throw .bareLineFeed }
                position = .afterCarriageReturn
                offset += 1
            case .afterCarriageReturn:
                guard unsafe bytes[offset] == UInt8(ascii: "\n") else { throw .bareCarriageReturn }
                position = .lineStart
                offset += 1
            }
        }
        self.position = position
        unsafe buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[written...]))
    }

    /// Appends the end of data: CRLF where the last line had none, then the lone dot.
    package mutating func finish(into buffer: inout ByteBuffer) throws(ContentError) {
        switch position {
        case .lineStart: buffer.writeStaticString(".\r\n")
        case .insideLine: buffer.writeStaticString("\r\n.\r\n")
        case .afterCarriageReturn: throw .bareCarriageReturn
        }
        position = .lineStart
    }

    /// The offset of the first CR or LF.
    private static func lineBreak(in bytes: UnsafeRawBufferPointer) -> Int? {
        let lineFeed = unsafe first(UInt8(ascii: "\n"), in: bytes)
        let upToLineFeed = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<(lineFeed ?? bytes.count)])
        return unsafe first(UInt8(ascii: "\r"), in: upToLineFeed) ?? lineFeed
    }

    /// The offset of the first such octet, by the C library, which looks at many octets at a time.
    private static func first(_ octet: UInt8, in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let start = bytes.baseAddress, let found = unsafe memchr(start, CInt(octet), bytes.count) else {
            return nil
        }
        return unsafe UnsafeRawPointer(found) - start
    }
}

/// Content that can't be sent in any form that every server reads alike.
package enum ContentError: Error, Hashable, Sendable, CustomStringConvertible {
    case bareCarriageReturn, bareLineFeed, nul

    package var description: String {
        switch self {
        case .bareCarriageReturn: "a carriage return without line feed"
        case .bareLineFeed: "a line feed without carriage return"
        case .nul: "a NUL octet"
        }
    }
}
