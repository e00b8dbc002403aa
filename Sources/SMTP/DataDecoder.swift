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
///
/// A listener may be told to make line ends of bare LFs. The end of data stays what it is: a dot alone on a line
/// that a bare LF begins or ends is a fault then too, since the client may mean it as text or as the end, and
/// one of the two would be wrong.
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
        /// An LF without CR.
        case bareLineFeed
        /// A CR without LF.
        case bareReturn
        /// A line that is a dot, between two line ends of which one is a bare LF.
        case loneDot
        case null
        case contentTooLong
    }

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
    private let bareLineFeed: BareLineFeed
    private var position = Position.lineStart
    /// The line before this one ended with a bare LF.
    private var isAfterBareLineFeed = false
    private var swallowed = 0
    private var untoldFault: Fault?
    /// The first fault that was seen.
    package private(set) var fault: Fault?
    /// Octets of the content: without transparency dots and the end of data (RFC 1870 §5), with the CRs that were
    /// added, up to the fault.
    package private(set) var octets = 0
    /// Bare LFs became line ends.
    package private(set) var hasRepairedLineEnds = false

    /// - Parameter maximumOctets: of the content. After a fault, four times as many and 1 MiB are swallowed.
    package init(maximumOctets: Int, bareLineFeed: BareLineFeed = .reject) {
        self.maximumOctets = maximumOctets
        self.bareLineFeed = bareLineFeed
        self.maximumSwallowedOctets = DataDecoder.maximumSwallowedOctets(for: maximumOctets)
    }

    /// What is swallowed after a fault, of contents of at most `maximumOctets`.
    static func maximumSwallowedOctets(for maximumOctets: Int) -> Int {
        let (product, overflow) = maximumOctets.multipliedReportingOverflow(by: 4)
        return overflow ? .max - (1 << 20) : min(product, .max - (1 << 20)) + (1 << 20)
    }

    /// Takes the next part out of `buffer`; nil if more must come.
    ///
    /// After `end` what is left in the buffer is none of the content.
    package mutating func next(from buffer: inout ByteBuffer) -> Part? {
        while buffer.readableBytes > 0 {
            let isAfterReturn = position == .afterReturn
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
                guard scan.bareLineFeeds > 0 else { return .content(content) }
                hasRepairedLineEnds = true
                return .content(content.addingReturns(scan.bareLineFeeds, isAfterReturn: isAfterReturn))
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
        /// LFs in the content that need a CR.
        var bareLineFeeds = 0
        /// The end of data was consumed, and no content in the same scan.
        var isEnd = false
    }

    /// Scans up to the first octet that does not belong to the content, or to the end.
    private mutating func scan(_ bytes: UnsafeRawBufferPointer) -> Scan {
        var index = 0
        var bareLineFeeds = 0
        while index < bytes.count {
            switch position {
            case .insideLine:
                index = unsafe scanLine(bytes, from: index, &bareLineFeeds)
            case .lineStart:
                guard unsafe bytes[index] == UInt8(ascii: ".") else {
                    position = .insideLine
                    continue
                }
                position = .afterDot
                // The dot is dropped. Content before it goes out first; the dot goes with it.
                return counted(Scan(consumed: index + 1, content: index, bareLineFeeds: bareLineFeeds))
            case .afterReturn:
                guard unsafe bytes[index] == UInt8(ascii: "\n") else {
                    note(.bareReturn, after: index + bareLineFeeds)
                    position = .insideLine
                    continue
                }
                index += 1
                endLine(bare: false)
            case .afterDot:
                // RFC 5321 §4.5.2: the first dot of a line is taken out, whatever follows it.
                if unsafe bytes[index] == UInt8(ascii: "\r") {
                    index += 1
                    position = .afterDotReturn
                    // Not handed on: the CR belongs to the end of data, or it is bare.
                    return Scan(consumed: index, content: 0)
                }
                if unsafe bytes[index] == UInt8(ascii: "\n"), bareLineFeed == .normalise {
                    note(.loneDot, after: index)
                }
                position = .insideLine
            case .afterDotReturn:
                guard unsafe bytes[index] == UInt8(ascii: "\n") else {
                    note(.bareReturn, after: index)
                    position = .insideLine
                    continue
                }
                let isEnd = !isAfterBareLineFeed
                endLine(bare: false)
                if isEnd { return Scan(consumed: index + 1, content: 0, isEnd: true) }
                note(.loneDot, after: index)
                index += 1
            }
        }
        return counted(Scan(consumed: index, content: index, bareLineFeeds: bareLineFeeds))
    }

    /// Counts the content of a scan.
    private mutating func counted(_ scan: Scan) -> Scan {
        guard fault == nil else { return scan }
        octets += scan.content + scan.bareLineFeeds
        if octets > maximumOctets { refuse(.contentTooLong) }
        return scan
    }

    /// Notes what is wrong with an octet, unless the content was too long before it.
    ///
    /// Which of the two is told does not depend on where the network cuts.
    ///
    /// - Parameter content: octets of the content before that octet in this scan.
    private mutating func note(_ fault: Fault, after content: Int) {
        guard self.fault == nil else { return }
        octets += content
        refuse(octets > maximumOctets ? .contentTooLong : fault)
    }

    private mutating func refuse(_ fault: Fault) {
        self.fault = fault
        untoldFault = fault
    }

    private mutating func endLine(bare isBare: Bool) {
        position = .lineStart
        isAfterBareLineFeed = isBare
    }

    /// Passes octets of a line up to its end, or to that of the octets, and returns the index after them.
    private mutating func scanLine(
        _ bytes: UnsafeRawBufferPointer, from start: Int, _ bareLineFeeds: inout Int
    ) -> Int {
        var index = start
        while true {
            index = unsafe DataDecoder.skipText(bytes, from: index)
            guard index < bytes.count else { return index }
            let byte = unsafe bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\r"):
                position = .afterReturn
                return index
            case UInt8(ascii: "\n") where bareLineFeed == .normalise:
                bareLineFeeds += 1
                endLine(bare: true)
                return index
            case UInt8(ascii: "\n"):
                note(.bareLineFeed, after: index - 1 + bareLineFeeds)
            case 0:
                note(.null, after: index - 1 + bareLineFeeds)
            default:
                break
            }
        }
    }

    /// The index of the first octet at or after `start` that may be CR, LF or NUL.
    static func skipText(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        let highBits: UInt64 = 0x8080_8080_8080_8080
        let sixteens: UInt64 = 0x1010_1010_1010_1010
        var index = start
        // Eight octets at a time: the subtraction borrows from the high bit of an octet only if one of them
        // is below 16, as CR, LF and NUL are.
        while index + 8 <= bytes.count {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if (word &- sixteens) & ~word & highBits != 0 { break }
            index += 8
        }
        while index < bytes.count, unsafe bytes[index] >= 16 { index += 1 }
        return index
    }
}

/// What becomes of an LF without CR in a content.
package enum BareLineFeed: String, Hashable, Sendable, CaseIterable {
    /// The content is refused.
    case reject
    /// It becomes CRLF.
    case normalise
}

extension ByteBuffer {
    /// A copy in which each LF has its CR.
    ///
    /// - Parameters:
    ///   - count: how many LFs have none.
    ///   - isAfterReturn: a CR stands before these octets.
    func addingReturns(_ count: Int, isAfterReturn: Bool) -> ByteBuffer {
        let view = readableBytesView
        var copy = ByteBuffer()
        copy.reserveCapacity(view.count + count)
        var start = view.startIndex
        var position = start
        while let lineFeed = view[position...].firstIndex(of: UInt8(ascii: "\n")) {
            position = lineFeed + 1
            let hasReturn =
                lineFeed == view.startIndex ? isAfterReturn : view[lineFeed - 1] == UInt8(ascii: "\r")
            if hasReturn { continue }
            copy.writeBytes(view[start..<lineFeed])
            copy.writeInteger(UInt8(ascii: "\r"))
            start = lineFeed
        }
        copy.writeBytes(view[start...])
        return copy
    }
}
