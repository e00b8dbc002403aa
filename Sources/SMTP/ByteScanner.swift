// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// ByteScanner is in charge of walking over the octets of one command line; it knows octets, not characters,
/// and never reads past the end.
struct ByteScanner {
    let bytes: ArraySlice<UInt8>
    private(set) var position: Int
    /// For paths that are a local-part alone.
    var local: LocalNames?

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        self.position = bytes.startIndex
    }

    var isAtEnd: Bool { position == bytes.endIndex }

    /// The octet that `next` would return; nil at the end.
    var peek: UInt8? { isAtEnd ? nil : bytes[position] }

    /// What is left.
    var rest: ArraySlice<UInt8> { bytes[position...] }

    mutating func next() -> UInt8? {
        guard let byte = peek else { return nil }
        position += 1
        return byte
    }

    /// Passes one octet if it is `byte`.
    mutating func skip(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    /// Passes all octets that satisfy `isIncluded` and returns them.
    mutating func take(while isIncluded: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = position
        while position < bytes.endIndex, isIncluded(bytes[position]) { position += 1 }
        return bytes[start..<position]
    }

    /// Passes `word`, which is in upper case, in any case.
    mutating func skip(anyCase word: StaticString) -> Bool {
        guard rest.count >= word.utf8CodeUnitCount, rest.prefix(word.utf8CodeUnitCount).isEqual(anyCase: word) else {
            return false
        }
        position += word.utf8CodeUnitCount
        return true
    }
}

extension ArraySlice<UInt8> {
    /// Whether the octets are `word`, which is in upper case ASCII, in any case.
    func isEqual(anyCase word: StaticString) -> Bool {
        guard count == word.utf8CodeUnitCount else { return false }
        return word.withUTF8Buffer { letters in
            var position = startIndex
            for index in 0..<letters.count {
                var byte = self[position]
                if (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) { byte &= ~0x20 }
                if unsafe byte != letters[index] { return false }
                position += 1
            }
            return true
        }
    }
}
