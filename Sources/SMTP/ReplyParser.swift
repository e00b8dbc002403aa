// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import NIOCore

/// `ReplyParser` is in charge of cutting what a next hop sends into replies, wherever the network split it;
/// it never keeps more than its limits say.
package struct ReplyParser: Sendable {
    /// Octets of one line, with its CRLF.
    ///
    /// RFC 5321 §4.5.3.1.5 asks for 512.
    package static let maximumLineOctets = 4096
    /// Lines of one reply.
    package static let maximumLines = 100
    /// Octets of one reply, without codes.
    package static let maximumReplyOctets = 65536

    /// The part of a line that has come so far.
    private var partialLine: [UInt8] = []
    /// Code and text of the lines before the last one; code 0 when there are none.
    private var code = 0
    private var text: [UInt8] = []
    private var lineCount = 0

    package init() {}

    /// Whether a reply has begun and not ended.
    package var isInsideReply: Bool { lineCount > 0 || !partialLine.isEmpty }

    /// Takes bytes off the front of `buffer` up to the end of the next reply; nil when it needs more.
    package mutating func next(from buffer: inout ByteBuffer) throws(ReplyError) -> PeerReply? {
        while buffer.readableBytes > 0 {
            let view = buffer.readableBytesView
            guard let lineFeed = view.firstIndex(of: UInt8(ascii: "\n")) else {
                guard partialLine.count + view.count < ReplyParser.maximumLineOctets else { throw .lineTooLong }
                partialLine.append(contentsOf: view)
                buffer.moveReaderIndex(to: buffer.writerIndex)
                return nil
            }
            let end = view.index(after: lineFeed)
            guard partialLine.count + (end - view.startIndex) <= ReplyParser.maximumLineOctets else {
                throw .lineTooLong
            }
            let reply: PeerReply?
            if partialLine.isEmpty {
                reply = try take(line: view[view.startIndex..<end])
            } else {
                partialLine.append(contentsOf: view[view.startIndex..<end])
                let line = partialLine
                partialLine.removeAll(keepingCapacity: true)
                reply = try take(line: line)
            }
            buffer.moveReaderIndex(forwardBy: end - view.startIndex)
            if let reply { return reply }
        }
        return nil
    }

    /// Takes one line with its line end; the reply if it was the last one.
    private mutating func take<Line: RandomAccessCollection<UInt8>>(
        line: Line
    ) throws(ReplyError) -> PeerReply? where Line.Index == Int {
        let start = line.startIndex
        // RFC 5321 §2.3.8: only CRLF ends a line. A bare LF would let one line pass for two.
        let end = line.endIndex - 2
        guard end >= start, line[end] == UInt8(ascii: "\r") else { throw .bareLineFeed }
        // RFC 5321 §4.2: three digits, then "-" if lines follow, else a space; a code alone is a last line too.
        guard end - start >= 3 else { throw .malformed }
        var lineCode = 0
        for index in start..<start + 3 {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(line[index]) else { throw .malformed }
            lineCode = lineCode * 10 + Int(line[index] - UInt8(ascii: "0"))
        }
        guard (200...599).contains(lineCode) else { throw .malformed }
        var isLast = true
        if end - start > 3 {
            switch line[start + 3] {
            case UInt8(ascii: " "): break
            case UInt8(ascii: "-"): isLast = false
            default: throw .malformed
            }
        }
        // RFC 5321 §4.2.1: the code is the same on every line.
        guard lineCount == 0 || lineCode == code else { throw .differentCodes }
        lineCount += 1
        guard lineCount <= ReplyParser.maximumLines else { throw .tooManyLines }
        guard text.count + (end - start) <= ReplyParser.maximumReplyOctets else { throw .tooLong }
        code = lineCode
        if lineCount > 1 { text.append(UInt8(ascii: "\n")) }
        if end - start > 4 { text.append(contentsOf: line[start + 4..<end]) }
        guard isLast else { return nil }
        let reply = PeerReply(code: code, text: text)
        code = 0
        text = []
        lineCount = 0
        return reply
    }
}

/// What a next hop sent is not a reply.
///
/// The session can't go on: nobody knows any more which reply answers what.
package enum ReplyError: Error, Hashable, Sendable, CustomStringConvertible {
    case malformed, bareLineFeed, differentCodes, lineTooLong, tooManyLines, tooLong

    package var description: String {
        switch self {
        case .malformed: "a line that is not a reply"
        case .bareLineFeed: "a line end without carriage return"
        case .differentCodes: "different codes on the lines of one reply"
        case .lineTooLong: "a reply line over \(ReplyParser.maximumLineOctets) octets"
        case .tooManyLines: "a reply of more than \(ReplyParser.maximumLines) lines"
        case .tooLong: "a reply over \(ReplyParser.maximumReplyOctets) octets"
        }
    }
}
