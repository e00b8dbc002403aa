// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// SendmailInput is in charge of making a message of what comes on standard input: with CRLF at the end of each line,
/// whether it came with LF or CRLF, and up to the line with a single dot if that is to end it.
///
/// A CR inside a line and a NUL are refused, as they are everywhere: readers don't agree on what they mean.
package struct SendmailInput: Sendable {
    private let endsAtDot: Bool
    private let maximumOctets: Int
    private var lineStart = 0
    private var lineNumber = 1
    private var isAfterReturn = false
    /// Lines with CRLF; what comes after the end is not among them.
    package private(set) var content: [UInt8] = []
    /// A line with a single dot has come.
    package private(set) var hasEnded = false

    private static let carriageReturn = UInt8(ascii: "\r")
    private static let lineFeed = UInt8(ascii: "\n")

    package init(endsAtDot: Bool, maximumOctets: Int) {
        self.endsAtDot = endsAtDot
        self.maximumOctets = maximumOctets
    }

    package mutating func append(_ bytes: some Sequence<UInt8>) throws(SendmailError) {
        for byte in bytes {
            guard !hasEnded else { return }
            switch byte {
            case Self.lineFeed:
                isAfterReturn = false
                endLine()
            case _ where isAfterReturn:
                throw malformed("a carriage return without line feed")
            case Self.carriageReturn:
                isAfterReturn = true
            case 0:
                throw malformed("a NUL octet")
            default:
                content.append(byte)
            }
            guard content.count <= maximumOctets else {
                throw SendmailError(
                    .dataError, "the message is larger than the \(maximumOctets) octets of [limits] message-size")
            }
        }
    }

    /// No more comes; the whole content.
    package mutating func finish() throws(SendmailError) -> [UInt8] {
        if isAfterReturn { throw malformed("a carriage return without line feed") }
        if !hasEnded, content.count > lineStart { endLine() }
        return content
    }

    private mutating func endLine() {
        if endsAtDot, content.count == lineStart + 1, content[lineStart] == UInt8(ascii: ".") {
            content.removeLast()
            hasEnded = true
            return
        }
        content.append(Self.carriageReturn)
        content.append(Self.lineFeed)
        lineStart = content.count
        lineNumber += 1
    }

    private func malformed(_ what: String) -> SendmailError {
        SendmailError(
            .dataError, "line \(lineNumber) of the message holds \(what), which may not be in mail; encode the content")
    }
}
