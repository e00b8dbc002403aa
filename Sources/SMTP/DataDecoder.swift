// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import NIOCore

/// DataDecoder is in charge of the content between 354 and the end of data (RFC 5321 §4.1.1.4): it finds
/// the one true end, CRLF.CRLF, takes the transparency dots out, and hands the rest on as slices of what
/// came in, without a copy.
///
/// Whatever else looks like a line end is a *fault*: after one, nothing more is handed on, and all octets up
/// to the true end are swallowed, so that no part of a content can be taken for a command. A server that
/// ended the data anywhere else would let a client smuggle messages past the next one.
package struct DataDecoder: Sendable {
    /// What comes next.
    package enum Part: Hashable, Sendable {
        /// Octets of the content, with CRLF line ends, without transparency dots.
        case content(ByteBuffer)
        /// The content is refused; told once, when it is seen. `end` follows, at the true end of data.
        case fault(Fault)
        case end
        /// More was swallowed after a fault than is decent; there is no end to wait for.
        case endless
    }

    /// Why a content is refused.
    package enum Fault: Hashable, Sendable {
        /// A CR without LF, or an LF without CR.
        case bareLineEnd
        case null
        case lineTooLong
        case contentTooLong
    }

    /// Octets of a line without its CRLF (RFC 5321 §4.5.3.1.6, RFC 5322 §2.1.1).
    package static let maximumLineOctets = 998

    private enum Position {
        case lineStart
        case insideLine
        /// After a CR in a line.
        case afterReturn
        /// After a dot that starts a line.
        case afterDot
        /// After a dot and a CR that start a line: an LF is the end of data.
        case afterDotReturn
    }

    private let maximumOctets: Int
    private let maximumSwallowedOctets: Int
    private var position = Position.lineStart
    private var lineOctets = 0
    private var swallowed = 0
    private var untoldFault: Fault?
    /// The first fault that was seen.
    package private(set) var fault: Fault?
    /// Octets of the content: without transparency dots and the end of data (RFC 1870 §5), up to the fault.
    package private(set) var octets = 0
    /// Octets of the longest line, without its CRLF.
    package private(set) var longestLine = 0
    /// An octet above 127 was seen.
    package private(set) var isEightBit = false

    /// - Parameter maximumOctets: of the content. After a fault, four times as many and 1 MiB are swallowed.
    package init(maximumOctets: Int) {
        self.maximumOctets = maximumOctets
        let (product, overflow) = maximumOctets.multipliedReportingOverflow(by: 4)
        self.maximumSwallowedOctets = overflow ? .max - (1 << 20) : min(product, .max - (1 << 20)) + (1 << 20)
    }

    /// Takes the next part out of `buffer`; nil if more must come.
    ///
    /// After `end` what is left in the buffer is none of the content.
    package mutating func next(from buffer: inout ByteBuffer) -> Part? {
        while buffer.readableBytes > 0 {
            let scan = unsafe buffer.withUnsafeReadableBytes { bytes in unsafe self.scan(bytes) }
            let content = buffer.readSlice(length: scan.content)
            buffer.moveReaderIndex(forwardBy: scan.consumed - scan.content)
            if let untoldFault {
                self.untoldFault = nil
                return .fault(untoldFault)
            }
            if fault != nil {
                swallowed += scan.consumed
                if swallowed > maximumSwallowedOctets { return .endless }
            } else if let content, scan.content > 0 {
                return .content(content)
            }
            if scan.isEnd { return .end }
        }
        return nil
    }

    /// What one scan saw.
    private struct Scan {
        /// Octets that are done with: first content, then at most one dot; or a part of the end of data.
        var consumed: Int
        /// Octets of content, at the front.
        var content: Int
        /// The end of data was consumed, and no content in the same scan.
        var isEnd = false
    }

    /// Scans up to the first octet that does not belong to the content, or to the end.
    private mutating func scan(_ bytes: UnsafeRawBufferPointer) -> Scan {
        var index = 0
        while index < bytes.count {
            switch position {
            case .insideLine:
                index = unsafe scanLine(bytes, from: index)
            case .lineStart:
                guard unsafe bytes[index] == UInt8(ascii: ".") else {
                    position = .insideLine
                    continue
                }
                position = .afterDot
                // The dot is dropped. Content before it goes out first; the dot goes with it.
                return counted(Scan(consumed: index + 1, content: index))
            case .afterReturn:
                guard unsafe bytes[index] == UInt8(ascii: "\n") else {
                    note(.bareLineEnd)
                    position = .insideLine
                    continue
                }
                index += 1
                endLine()
            case .afterDot:
                // RFC 5321 §4.5.2: the first dot of a line is taken out, whatever follows it.
                if unsafe bytes[index] == UInt8(ascii: "\r") {
                    index += 1
                    position = .afterDotReturn
                    // Not handed on: the CR belongs to the end of data, or it is bare.
                    return Scan(consumed: index, content: 0)
                }
                position = .insideLine
            case .afterDotReturn:
                if unsafe bytes[index] == UInt8(ascii: "\n") {
                    position = .lineStart
                    return Scan(consumed: index + 1, content: 0, isEnd: true)
                }
                note(.bareLineEnd)
                position = .insideLine
            }
        }
        return counted(Scan(consumed: index, content: index))
    }

    /// Counts the content of a scan.
    private mutating func counted(_ scan: Scan) -> Scan {
        guard fault == nil else { return scan }
        octets += scan.content
        if octets > maximumOctets { note(.contentTooLong) }
        return scan
    }

    private mutating func note(_ fault: Fault) {
        guard self.fault == nil else { return }
        self.fault = fault
        untoldFault = fault
    }

    private mutating func endLine() {
        position = .lineStart
        longestLine = max(longestLine, lineOctets)
        lineOctets = 0
    }

    /// Passes octets of a line up to its CR, or to the end, and returns the index after them.
    private mutating func scanLine(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        defer {
            if lineOctets > DataDecoder.maximumLineOctets { note(.lineTooLong) }
        }
        while true {
            index = unsafe skipText(bytes, from: index)
            guard index < bytes.count else {
                lineOctets += index - start
                return index
            }
            switch unsafe bytes[index] {
            case UInt8(ascii: "\r"):
                lineOctets += index - start
                position = .afterReturn
                return index + 1
            case UInt8(ascii: "\n"):
                note(.bareLineEnd)
            case 0:
                note(.null)
            default:
                break
            }
            index += 1
        }
    }

    /// The index of the first octet at or after `start` that may be CR, LF or NUL.
    private mutating func skipText(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        let highBits: UInt64 = 0x8080_8080_8080_8080
        let sixteens: UInt64 = 0x1010_1010_1010_1010
        var index = start
        var seen: UInt64 = 0
        defer { if seen & highBits != 0 { isEightBit = true } }
        // Eight octets at a time: the subtraction borrows from the high bit of an octet only if one of them
        // is below 16, as CR, LF and NUL are.
        while index + 8 <= bytes.count {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if (word &- sixteens) & ~word & highBits != 0 { break }
            seen |= word
            index += 8
        }
        while index < bytes.count {
            let byte = unsafe bytes[index]
            if byte < 16 { break }
            seen |= UInt64(byte)
            index += 1
        }
        return index
    }
}
