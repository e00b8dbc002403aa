// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// ParameterizedValue is in charge of reading the value of Content-Type (RFC 2045 §5.1) and Content-Disposition
/// (RFC 2183 §2) as people write it: `multipart/mixed; boundary="=_x"`, with comments, unquoted specials, and rests
/// that fit no grammar.
struct ParameterizedValue: Hashable, Sendable {
    struct Parameter: Hashable, Sendable {
        /// In lower case.
        var name: [UInt8]
        /// Without quotes and backslashes.
        var value: [UInt8]
        /// `name=value` as it stands in the field.
        var written: [UInt8]
        /// Nothing but the next semicolon followed: every reader finds this value.
        var isClean: Bool
    }

    /// What stands before the first semicolon, in lower case, without comments and white space.
    private(set) var value: [UInt8] = []
    /// The same, as it was written.
    private(set) var writtenValue: [UInt8] = []
    private(set) var parameters: [Parameter] = []
    /// Nothing was passed over.
    private(set) var isClean = true

    /// - Parameter unfolded: The octets behind the field's colon; CR and LF count as white space.
    init(_ unfolded: some Sequence<UInt8>) {
        var scanner = Scanner(bytes: Array(unfolded))
        scanner.skipWhiteSpace()
        while let byte = scanner.next, byte != UInt8(ascii: ";") {
            writtenValue.append(byte)
            scanner.position += 1
            scanner.skipWhiteSpace()
        }
        value = writtenValue.map(ParameterizedValue.lowercase)
        while scanner.next != nil {
            scanner.position += 1
            scanner.skipWhiteSpace()
            guard let next = scanner.next, next != UInt8(ascii: ";") else { continue }
            if let parameter = scanner.parameter() {
                parameters.append(parameter)
                isClean = isClean && parameter.isClean
            } else {
                isClean = false
            }
            scanner.skipToSemicolon()
        }
    }

    /// Pieces of one value, according to RFC 2231; more are nothing that anybody needs.
    private static let maximumPieces = 100

    /// The parameter of a name in lower case; nil if there is none, or two that differ, or one that readers disagree on.
    func parameter(_ name: String) -> [UInt8]? {
        let name = Array(name.utf8)
        let start = name + [UInt8(ascii: "*")]
        let found = parameters.filter { $0.name == name }
        let pieces = parameters.filter { $0.name.starts(with: start) }
        guard let first = found.first else { return ParameterizedValue.joined(pieces, name) }
        // Of the plain form and that of RFC 2231, some readers take the one, some the other.
        return pieces.isEmpty && found.allSatisfy { $0.isClean && $0.value == first.value } ? first.value : nil
    }

    /// RFC 2231 §3: a value in pieces `name*0`, `name*1` and so on; nil unless they are those, each once.
    private static func joined(_ pieces: [Parameter], _ name: [UInt8]) -> [UInt8]? {
        guard (1...maximumPieces).contains(pieces.count) else { return nil }
        var result: [UInt8] = []
        for number in pieces.indices {
            let pieceName = name + Array("*\(number)".utf8)
            guard let piece = pieces.first(where: { $0.name == pieceName }), piece.isClean else { return nil }
            result += piece.value
        }
        return result
    }

    static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}

/// Walks over the octets of a value.
private struct Scanner {
    let bytes: [UInt8]
    var position = 0

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
            || byte == UInt8(ascii: "\n")
    }

    /// Passes white space and comments (RFC 5322 §3.2.2).
    mutating func skipWhiteSpace() {
        var depth = 0
        while let byte = next {
            switch byte {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")") where depth > 0: depth -= 1
            case UInt8(ascii: "\\") where depth > 0: position += 1
            default: guard depth > 0 || Scanner.isWhiteSpace(byte) else { return }
            }
            position = min(position + 1, bytes.count)
        }
    }

    /// Reads `name=value`; nil if it is something else.
    mutating func parameter() -> ParameterizedValue.Parameter? {
        let start = position
        while let byte = next, byte != UInt8(ascii: "="), byte != UInt8(ascii: ";"), byte != UInt8(ascii: "("),
            !Scanner.isWhiteSpace(byte)
        {
            position += 1
        }
        let name = bytes[start..<position].map(ParameterizedValue.lowercase)
        skipWhiteSpace()
        guard next == UInt8(ascii: "="), !name.isEmpty else { return nil }
        position += 1
        skipWhiteSpace()
        var value: [UInt8] = []
        var isClosed = true
        if next == UInt8(ascii: "\"") {
            isClosed = quotedString(into: &value)
        } else {
            // Boundaries with specials of RFC 2045 §5.1 are often left without quotes.
            while let byte = next, byte != UInt8(ascii: ";"), !Scanner.isWhiteSpace(byte) {
                value.append(byte)
                position += 1
            }
        }
        let end = position
        skipWhiteSpace()
        return ParameterizedValue.Parameter(
            name: name, value: value, written: Array(bytes[start..<end]),
            isClean: isClosed && (next == nil || next == UInt8(ascii: ";")))
    }

    /// Reads a quoted string (RFC 5322 §3.2.4); false if it does not end.
    private mutating func quotedString(into value: inout [UInt8]) -> Bool {
        position += 1
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                return true
            case UInt8(ascii: "\\"):
                if let quoted = next {
                    value.append(quoted)
                    position += 1
                }
            case UInt8(ascii: "\r"), UInt8(ascii: "\n"):
                // RFC 5322 §2.2.3: folding is not part of the value; the white space behind it is.
                break
            default:
                value.append(byte)
            }
        }
        return false
    }

    mutating func skipToSemicolon() {
        var ignored: [UInt8] = []
        while let byte = next, byte != UInt8(ascii: ";") {
            if byte == UInt8(ascii: "\"") { _ = quotedString(into: &ignored) } else { position += 1 }
        }
    }
}
