// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// SignatureFieldWriter is in charge of the folding of a signature field (RFC 5322 §2.1.1, §2.2.3): tags stay
/// whole where they can, `h=` is folded at its colons and `b=` anywhere; no line is longer than 78 octets
/// unless a single name is.
struct SignatureFieldWriter {
    /// RFC 5322 §2.1.1: "SHOULD be no more than 78 characters, excluding the CRLF".
    static let columns = 78

    private(set) var bytes: [UInt8]
    private var column: Int

    init() {
        self.bytes = []
        self.bytes.reserveCapacity(1536)
        // The first tag stands on the first line: there are verifiers that lose a fold right after the colon.
        self.bytes.append(contentsOf: "DKIM-Signature:".utf8)
        self.column = bytes.count
    }

    /// A tag with its semicolon, on this line or on a new one.
    mutating func append(tag: [UInt8]) {
        separate(beforeOctets: tag.count)
        put(tag)
    }

    /// The `h=` tag.
    ///
    /// Its colons end lines, so that no line begins with one.
    mutating func append(names: [[UInt8]]) {
        separate(beforeOctets: 2 + (names.first?.count ?? 0) + 1)
        put([UInt8(ascii: "h"), UInt8(ascii: "=")])
        for (index, name) in names.enumerated() {
            // The colon, or the semicolon of the last one, belongs to the name before it.
            if index > 0, column + name.count + 1 > SignatureFieldWriter.columns { fold() }
            put(name)
            put(index == names.count - 1 ? UInt8(ascii: ";") : UInt8(ascii: ":"))
        }
    }

    /// `b=` without a value, as it is signed.
    mutating func appendEmptySignature() {
        separate(beforeOctets: 2 + SignatureFieldWriter.leastDigits)
        put([UInt8(ascii: "b"), UInt8(ascii: "=")])
    }

    /// The value of `b=`, and the CRLF that ends the field.
    mutating func append(signature digits: [UInt8]) {
        var position = 0
        while position < digits.count {
            if column == SignatureFieldWriter.columns { fold() }
            let end = min(digits.count, position + SignatureFieldWriter.columns - column)
            bytes.append(contentsOf: digits[position..<end])
            column += end - position
            position = end
        }
        bytes.append(UInt8(ascii: "\r"))
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Fewer digits of `b=` than these don't stay on the line of the tag before it.
    private static let leastDigits = 8

    private mutating func separate(beforeOctets count: Int) {
        if column + 1 + count > SignatureFieldWriter.columns, column > "DKIM-Signature:".utf8.count {
            fold()
        } else {
            put(UInt8(ascii: " "))
        }
    }

    /// A new line, which begins with the white space that makes it a continuation.
    private mutating func fold() {
        bytes.append(UInt8(ascii: "\r"))
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(UInt8(ascii: " "))
        column = 1
    }

    private mutating func put(_ run: [UInt8]) {
        bytes.append(contentsOf: run)
        column += run.count
    }

    private mutating func put(_ byte: UInt8) {
        bytes.append(byte)
        column += 1
    }
}
