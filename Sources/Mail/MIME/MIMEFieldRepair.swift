// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// MIMEFieldRepair is in charge of header fields of body parts, and of messages inside messages, that can't travel:
/// with octets above 127, or with a line over 998 octets.
package enum MIMEFieldRepair {
    /// RFC 5322 §2.1.1: lines should have at most 78 octets.
    private static let preferredOctets = 76

    /// The field without octets above 127; nil where that would be a guess.
    ///
    /// Parameters of Content-Type and Content-Disposition become those of RFC 2231, text that has no structure becomes
    /// encoded words (RFC 2047). Only what is UTF-8 has a known charset.
    ///
    /// - Parameter field: With its final CRLF, as is the result.
    package static func sevenBit(_ field: [UInt8]) -> [UInt8]? {
        guard case .field(let nameLength) = RawHeader.line(field[...]) else { return nil }
        let name = String(decoding: field[..<nameLength].map(ParameterizedValue.lowercase), as: UTF8.self)
        let start = field[...nameLength]
        let value = field[(nameLength + 1)...]
        if name == "content-type" || name == "content-disposition" { return withParameters(Array(start), value) }
        guard !structured.contains(name), !name.hasPrefix("list-"), !name.hasPrefix("arc-") else { return nil }
        return withEncodedWords(Array(start), value)
    }

    /// The field with lines of at most 998 octets, folded where it has white space; nil if it has none there.
    ///
    /// - Parameter field: With its final CRLF, as is the result.
    package static func shortLines(_ field: [UInt8]) -> [UInt8]? {
        var output: [UInt8] = []
        var rest = field[...]
        while !rest.isEmpty {
            var line = LeafMeasure.firstLine(of: rest)
            rest = rest[line.endIndex...]
            let lineEnd = line.suffix(2).elementsEqual("\r\n".utf8) ? 2 : 0
            while line.count - lineEnd > LeafMeasure.maximumLineOctets {
                guard let fold = lastFold(line) else { return nil }
                output += line[..<fold]
                output += "\r\n".utf8
                line = line[fold...]
            }
            output += line
        }
        return output
    }

    /// The last white space at which the line's start is short enough, and neither side is empty.
    private static func lastFold(_ line: ArraySlice<UInt8>) -> Int? {
        let limit = line.startIndex + LeafMeasure.maximumLineOctets
        return (line.startIndex + 1...limit).last { index in
            // RFC 5322 §2.2.3: the white space starts the next line, behind something that is none.
            // White space that a backslash quotes belongs to it (RFC 5322 §3.2.1).
            isWhiteSpace(line[index]) && !isWhiteSpace(line[index - 1]) && line[index - 1] != UInt8(ascii: ":")
                && line[index - 1] != UInt8(ascii: "\\") && line[index...].contains { !isWhiteSpace($0) && $0 != 13 && $0 != 10 }
        }
    }

    private static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    /// Fields whose values are more than text (RFC 5322 §3.6, RFC 2045, RFC 6376, RFC 8601).
    private static let structured: Set<String> = [
        "authentication-results", "bcc", "cc", "content-base", "content-features", "content-id", "content-language",
        "content-length", "content-location", "content-md5", "content-transfer-encoding", "date", "delivered-to",
        "disposition-notification-to", "dkim-signature", "domainkey-signature", "from", "in-reply-to", "message-id",
        "mime-version", "received", "received-spf", "references", "reply-to", "resent-bcc", "resent-cc",
        "resent-date", "resent-from", "resent-message-id", "resent-reply-to", "resent-sender", "resent-to",
        "return-path", "sender", "to",
    ]

    // MARK: - Parameters

    private static func withParameters(_ start: [UInt8], _ unfolded: ArraySlice<UInt8>) -> [UInt8]? {
        let value = ParameterizedValue(unfolded)
        guard value.isClean, value.writtenValue.allSatisfy({ $0 < 128 }) else { return nil }
        var namesakes: [[UInt8]: Int] = [:]
        for parameter in value.parameters {
            namesakes[Array(parameter.name.prefix { $0 != UInt8(ascii: "*") }), default: 0] += 1
        }
        var output = start + [UInt8(ascii: " ")] + value.writtenValue
        for parameter in value.parameters {
            guard parameter.written.contains(where: { $0 > 127 }) else {
                append([parameter.written], to: &output)
                continue
            }
            guard namesakes[parameter.name] == 1, parameter.name.allSatisfy({ $0 < 128 }),
                let text = String(validating: parameter.value, as: UTF8.self)
            else { return nil }
            append(extended(parameter.name, text), to: &output)
        }
        return output + [13, 10]
    }

    /// Writes parameters behind others, each on the line if it has room.
    private static func append(_ parameters: [[UInt8]], to output: inout [UInt8]) {
        for parameter in parameters {
            let column = output.count - ((output.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1)
            output += column + 2 + parameter.count > preferredOctets ? ";\r\n ".utf8 : "; ".utf8
            output += parameter
        }
    }

    /// RFC 2231 §3 and §4: a value of any characters, in as many pieces as its length asks for.
    private static func extended(_ name: [UInt8], _ text: String) -> [[UInt8]] {
        let prefix = Array("utf-8''".utf8)
        let characters = text.unicodeScalars.map { scalar in UTF8.encode(scalar)?.flatMap(percentEncoded) ?? [] }
        let whole = name + Array("*=".utf8) + prefix + characters.flatMap(\.self)
        if whole.count <= preferredOctets - 2 { return [whole] }
        var pieces: [[UInt8]] = []
        var piece: [UInt8] = name + Array("*0*=".utf8) + prefix
        for character in characters {
            // A name can be so long that there is hardly room; then a piece has one character.
            if piece.count + character.count > preferredOctets - 2, piece.last != UInt8(ascii: "=") {
                pieces.append(piece)
                piece = name + Array("*\(pieces.count)*=".utf8)
            }
            piece += character
        }
        return pieces + [piece]
    }

    private static func percentEncoded(_ byte: UInt8) -> [UInt8] {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            return [byte]
        default:
            let digits = Array("0123456789ABCDEF".utf8)
            return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }

    // MARK: - Encoded words

    /// RFC 2047 §5 (1): in text without structure, an encoded word stands wherever a word can.
    private static func withEncodedWords(_ start: [UInt8], _ folded: ArraySlice<UInt8>) -> [UInt8]? {
        let value = folded.filter { $0 != 13 && $0 != 10 }
        guard let first = value.firstIndex(where: { $0 > 127 }), let last = value.lastIndex(where: { $0 > 127 }) else {
            return nil
        }
        // Words between two that must be encoded are encoded with them: the white space between encoded words is not
        // part of the text.
        let wordStart = value[..<first].lastIndex(where: isWhiteSpace).map { $0 + 1 } ?? value.startIndex
        let wordEnd = value[last...].firstIndex(where: isWhiteSpace) ?? value.endIndex
        let span = value[wordStart..<wordEnd]
        // An encoded word inside would be shown as it is written; one beside would lose its space.
        guard let text = String(validating: span, as: UTF8.self),
            !String(decoding: value, as: UTF8.self).contains("=?")
        else { return nil }
        var output = start + value[..<wordStart]
        if let last = output.last, !isWhiteSpace(last) { output.append(UInt8(ascii: " ")) }
        var words: [[UInt8]] = []
        var piece: [UInt8] = []
        // RFC 2047 §2 and §5: at most 75 octets a word, of whole characters.
        for character in text.unicodeScalars.map({ Array(UTF8.encode($0) ?? UTF8.encodedReplacementCharacter) }) {
            if piece.count + character.count > 45 {
                words.append(piece)
                piece = []
            }
            piece += character
        }
        words.append(piece)
        for (index, word) in words.enumerated() {
            var encoder = Base64Encoder()
            var base64: [UInt8] = []
            encoder.append(word[...], to: &base64)
            encoder.finish(to: &base64)
            let column = output.count - ((output.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1)
            if index > 0 || column + base64.count + 12 > preferredOctets && column > start.count + 1 {
                output += "\r\n ".utf8
            }
            output += Array("=?utf-8?B?".utf8) + base64 + Array("?=".utf8)
        }
        let tail = value[wordEnd...]
        // RFC 5322 §3.2.2: no line of white space alone.
        if tail.contains(where: { !isWhiteSpace($0) }) { output += "\r\n".utf8 + tail }
        return output + [13, 10]
    }
}
