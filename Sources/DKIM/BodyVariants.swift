// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// BodyVariants is in charge of undoing what commonly happens to a body between signer and verifier.
enum BodyVariants {
    struct Variant: Sendable {
        var kind: FailureCause.Kind
        /// Completes "it matches …".
        var condition: String
        /// The body as it may have been; nil if there is nothing to undo.
        var undo: @Sendable ([UInt8]) -> [UInt8]?
    }

    private static let carriageReturn = UInt8(ascii: "\r")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let dot = UInt8(ascii: ".")
    private static let lineEnd: [UInt8] = [13, 10]

    static let all: [Variant] = [
        Variant(
            kind: .bodyLineEnds, condition: "with CRLF for each lone LF: line ends were changed after signing",
            undo: mendLineFeeds),
        Variant(
            kind: .bodyLineEnds, condition: "with CRLF for each lone CR: line ends were changed after signing",
            undo: mendCarriageReturns),
        Variant(
            kind: .bodyLineEnds, condition: "with CRLF for each CR CR LF: line ends were doubled after signing",
            undo: mendDoubledCarriageReturns),
        Variant(
            kind: .bodyDots,
            condition: "with one dot less on lines that begin with two: the dots that SMTP adds were left in",
            undo: { body in
                changeLines(of: body) { $0.starts(with: [dot, dot]) ? Array($0.dropFirst()) : nil }
            }),
        Variant(
            kind: .bodyDots,
            condition: "with one dot more on lines that begin with one: it was signed with the dots that SMTP adds",
            undo: { body in
                changeLines(of: body) { $0.first == dot ? [dot] + $0 : nil }
            }),
        Variant(
            kind: .bodyFromQuoting, condition: "without the > before \"From \": a mailbox file put it there",
            undo: { body in
                changeLines(of: body) { $0.starts(with: Array(">From ".utf8)) ? Array($0.dropFirst()) : nil }
            }),
        Variant(
            kind: .bodyFromQuoting, condition: "with > before \"From \": it was taken away after signing",
            undo: { body in
                changeLines(of: body) { $0.starts(with: Array("From ".utf8)) ? [UInt8(ascii: ">")] + $0 : nil }
            }),
        Variant(
            kind: .bodyStart, condition: "without the empty line at its start, which was added after signing",
            undo: { $0.starts(with: lineEnd) ? Array($0.dropFirst(2)) : nil }),
        Variant(
            kind: .bodyStart, condition: "with an empty line at its start, which was lost after signing",
            undo: { lineEnd + $0 }),
        Variant(
            kind: .bodyLongLines,
            condition: "once lines broken at 990 to 998 octets are joined: a relay breaks long lines after signing",
            undo: joinBrokenLines),
    ]

    /// How many line ends there are after the last content.
    static func lineEndsAtEnd(of body: [UInt8]) -> Int {
        var (end, count) = (body.count, 0)
        while end >= 2, body[end - 1] == lineFeed, body[end - 2] == carriageReturn {
            count += 1
            end -= 2
        }
        return count
    }

    private static func mendLineFeeds(_ body: [UInt8]) -> [UInt8]? {
        var mended: [UInt8] = []
        mended.reserveCapacity(body.count + body.count / 32)
        for byte in body {
            if byte == lineFeed, mended.last != carriageReturn { mended.append(carriageReturn) }
            mended.append(byte)
        }
        return mended.count == body.count ? nil : mended
    }

    private static func mendCarriageReturns(_ body: [UInt8]) -> [UInt8]? {
        var mended: [UInt8] = []
        mended.reserveCapacity(body.count + body.count / 32)
        for (index, byte) in body.enumerated() {
            mended.append(byte)
            if byte == carriageReturn, index + 1 == body.count || body[index + 1] != lineFeed {
                mended.append(lineFeed)
            }
        }
        return mended.count == body.count ? nil : mended
    }

    private static func mendDoubledCarriageReturns(_ body: [UInt8]) -> [UInt8]? {
        var mended: [UInt8] = []
        mended.reserveCapacity(body.count)
        for (index, byte) in body.enumerated() {
            let isDoubled =
                byte == carriageReturn && index + 2 < body.count && body[index + 1] == carriageReturn
                && body[index + 2] == lineFeed
            if !isDoubled { mended.append(byte) }
        }
        return mended.count == body.count ? nil : mended
    }

    /// Lines as they are between CRLFs, each changed or left as it is.
    private static func changeLines(
        of body: [UInt8], _ change: (ArraySlice<UInt8>) -> [UInt8]?
    ) -> [UInt8]? {
        var changed: [UInt8] = []
        changed.reserveCapacity(body.count)
        var isChanged = false
        var start = 0
        while start < body.count {
            let end = endOfLine(body, from: start)
            if let other = change(body[start..<end]) {
                changed += other
                isChanged = true
            } else {
                changed += body[start..<end]
            }
            start = min(end + 2, body.count)
            changed += body[end..<start]
        }
        return isChanged ? changed : nil
    }

    private static func endOfLine(_ body: [UInt8], from start: Int) -> Int {
        var position = start
        while position + 1 < body.count {
            if body[position] == carriageReturn, body[position + 1] == lineFeed { return position }
            position += 1
        }
        return body.count
    }

    /// Postfix breaks lines with CRLF and a space at `smtp_line_length_limit`, which is 998, or was 990.
    private static func joinBrokenLines(_ body: [UInt8]) -> [UInt8]? {
        var joined: [UInt8] = []
        joined.reserveCapacity(body.count)
        var isJoined = false
        var start = 0
        while start < body.count {
            let end = endOfLine(body, from: start)
            joined += body[start..<end]
            let next = min(end + 2, body.count)
            if (990...998).contains(end - start), next < body.count, body[next] == UInt8(ascii: " ") {
                isJoined = true
                start = next + 1
            } else {
                joined += body[end..<next]
                start = next
            }
        }
        return isJoined ? joined : nil
    }

    // MARK: Transfer encodings

    /// The body without the encoding that its Content-Transfer-Encoding names.
    static func decoded(_ body: [UInt8], _ header: HeaderFields) -> (name: String, body: [UInt8])? {
        guard let value = header.values(of: "content-transfer-encoding").last else { return nil }
        let name = String(decoding: value, as: UTF8.self).lowercased().filter { !$0.isWhitespace }
        switch name {
        case "quoted-printable": return (name, quotedPrintable(body))
        case "base64": return Base64.decode(body).map { (name, $0) }
        default: return nil
        }
    }

    /// RFC 2045 §6.7; what is malformed stays as it is.
    private static func quotedPrintable(_ body: [UInt8]) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(body.count)
        var position = 0
        while position < body.count {
            let byte = body[position]
            if byte == UInt8(ascii: "="), position + 2 < body.count {
                if body[position + 1] == carriageReturn, body[position + 2] == lineFeed {
                    position += 3
                    continue
                }
                if let high = digit(body[position + 1]), let low = digit(body[position + 2]) {
                    decoded.append(high << 4 | low)
                    position += 3
                    continue
                }
            }
            decoded.append(byte)
            position += 1
        }
        return decoded
    }

    /// The value of a hexadecimal digit.
    static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
