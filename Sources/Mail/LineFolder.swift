// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// LineFolder is in charge of writing text from elsewhere, such as what a next hop replied, as lines of printable
/// ASCII that no line limit breaks; it may change the text's white space and never its words' order.
struct LineFolder {
    /// RFC 5322 §2.1.1: lines should have at most 78 characters.
    static let preferredOctets = 78
    /// A word that is longer is cut, so that the limit of 998 octets holds with any continuation.
    static let maximumWordOctets = 900

    /// What a next line starts with after its CRLF: white space in a header field.
    let continuation: String

    /// Appends `text` and a CRLF to `output`, whose last line has `column` octets so far.
    func append(_ text: String, column: Int, to output: inout [UInt8]) {
        var column = column
        var isFirst = true
        for word in words(of: LineFolder.printableASCII(text)) {
            if isFirst {
                isFirst = false
            } else if column + 1 + word.count > LineFolder.preferredOctets {
                output += "\r\n".utf8
                output += continuation.utf8
                column = continuation.utf8.count
            } else {
                output.append(UInt8(ascii: " "))
                column += 1
            }
            output += word
            column += word.count
        }
        output += "\r\n".utf8
    }

    private func words(of text: [UInt8]) -> [ArraySlice<UInt8>] {
        text.split(separator: UInt8(ascii: " ")).flatMap { word in
            stride(from: word.startIndex, to: word.endIndex, by: LineFolder.maximumWordOctets).map { start in
                word[start..<min(start + LineFolder.maximumWordOctets, word.endIndex)]
            }
        }
    }

    /// Controls become spaces, characters outside ASCII question marks.
    static func printableASCII(_ text: String) -> [UInt8] {
        text.unicodeScalars.map { scalar in
            switch scalar.value {
            case 32...126: UInt8(scalar.value)
            case 0..<32, 127: UInt8(ascii: " ")
            default: UInt8(ascii: "?")
            }
        }
    }
}
