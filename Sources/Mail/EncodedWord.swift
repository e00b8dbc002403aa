// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// EncodedWord is in charge of text outside ASCII as `=?utf-8?q?…?=` (RFC 2047): how long it gets and how much of it
/// fits.
///
/// What it writes may stand everywhere that RFC 2047 §5 lets an encoded word stand, in a phrase and a comment too.
package struct EncodedWord {
    /// RFC 2047 §2.
    static let maximumOctets = 75
    /// `=?utf-8?q?` and `?=`.
    static let overhead = 12

    enum Encoding: UInt8 {
        case quotedPrintable = 0x71  // q
        case base64 = 0x62  // b
    }

    let encoding: Encoding

    /// Takes the encoding that suits a text: readable where most of it is ASCII, else the shorter one.
    init(for text: [UInt8]) {
        let escaped = text.count { !EncodedWord.standsForItself($0) && $0 != UInt8(ascii: " ") }
        let isReadable = escaped * 2 <= text.count
        let isShorter = text.count + 2 * escaped <= (text.count + 2) / 3 * 4
        encoding = isReadable || isShorter ? .quotedPrintable : .base64
    }

    /// The octets of `text` as an encoded word, without `overhead`.
    func encodedCount(_ text: ArraySlice<UInt8>) -> Int {
        switch encoding {
        case .quotedPrintable: text.reduce(0) { $0 + EncodedWord.encodedCount($1) }
        case .base64: (text.count + 2) / 3 * 4
        }
    }

    /// As many whole characters from the start of `text` (UTF-8) as fit into `room` octets.
    func prefix(of text: ArraySlice<UInt8>, room: Int) -> ArraySlice<UInt8> {
        var end = text.startIndex
        var count = 0
        while end < text.endIndex {
            var next = end + 1
            while next < text.endIndex, text[next] & 0xC0 == 0x80 { next += 1 }
            switch encoding {
            case .quotedPrintable: count += encodedCount(text[end..<next])
            case .base64: count = (next - text.startIndex + 2) / 3 * 4
            }
            guard count <= room else { break }
            end = next
        }
        return text[..<end]
    }

    func append(_ text: ArraySlice<UInt8>, to output: inout [UInt8]) {
        output += "=?utf-8?".utf8
        output += [encoding.rawValue, UInt8(ascii: "?")]
        switch encoding {
        case .quotedPrintable:
            for byte in text { EncodedWord.appendQuoted(byte, to: &output) }
        case .base64:
            EncodedWord.appendBase64(text, to: &output)
        }
        output += "?=".utf8
    }

    /// Whether a word looks like an encoded word, so that readers leave out the white space between it and another.
    static func isEncodedWord(_ word: ArraySlice<UInt8>) -> Bool {
        word.count > 6 && word.starts(with: "=?".utf8) && word.suffix(2).elementsEqual("?=".utf8)
    }

    /// An encoded word as it may stand in a phrase (RFC 2047 §5 (3)): what is syntax of an address field elsewhere is
    /// escaped in it, since a reader that knows no encoded words takes it for that.
    ///
    /// Nil if it can't be escaped, as in base64.
    package static func escapedForPhrase(_ word: ArraySlice<UInt8>) -> [UInt8]? {
        guard word.contains(where: isAddressSyntax) else { return Array(word) }
        let parts = word.split(separator: UInt8(ascii: "?"), omittingEmptySubsequences: false)
        guard parts.count == 5, !parts[1].contains(where: isAddressSyntax), parts[2].count == 1,
            parts[2].first.map({ $0 | 0x20 }) == Encoding.quotedPrintable.rawValue
        else { return nil }
        return word.flatMap { byte in
            isAddressSyntax(byte) ? [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]] : [byte]
        }
    }

    /// Whether there is what looks like an encoded word in a text.
    package static func isContained(in text: String) -> Bool {
        guard let start = text.firstRange(of: "=?") else { return false }
        return text[start.upperBound...].contains("?=")
    }

    /// RFC 5322 §3.2.3: specials, but for the dot, which is no delimiter in a phrase.
    private static func isAddressSyntax(_ byte: UInt8) -> Bool {
        "()<>[]:;@\\,\"".utf8.contains(byte)
    }

    private static func encodedCount(_ byte: UInt8) -> Int {
        standsForItself(byte) || byte == UInt8(ascii: " ") ? 1 : 3
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func appendQuoted(_ byte: UInt8, to output: inout [UInt8]) {
        if standsForItself(byte) {
            output.append(byte)
        } else if byte == UInt8(ascii: " ") {
            output.append(UInt8(ascii: "_"))
        } else {
            output += [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }

    /// RFC 2047 §5 (3): what may stand for itself within a phrase.
    private static func standsForItself(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "!"), UInt8(ascii: "*"), UInt8(ascii: "+"),
            UInt8(ascii: "-"), UInt8(ascii: "/"):
            true
        default: false
        }
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static func appendBase64(_ text: ArraySlice<UInt8>, to output: inout [UInt8]) {
        var position = text.startIndex
        while position < text.endIndex {
            let count = min(3, text.endIndex - position)
            var group = 0
            for offset in 0..<3 { group = group << 8 | (offset < count ? Int(text[position + offset]) : 0) }
            for index in 0..<4 {
                let isPadding = index > count
                output.append(isPadding ? UInt8(ascii: "=") : alphabet[group >> (18 - 6 * index) & 63])
            }
            position += count
        }
    }
}
