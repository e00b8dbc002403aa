// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// The one pass over a TOML file that finds the line of each key.
///
/// Strings, arrays and inline tables are followed only as far as needed to know where they end.
struct KeyScanner {
    private(set) var lines: [[KeyLocator.Step]: Int] = [:]

    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    /// The table whose keys are being read.
    private var table: [KeyLocator.Step] = []
    /// How many tables each array of tables has so far.
    private var tableCounts: [[KeyLocator.Step]: Int] = [:]

    init(_ text: String) {
        self.bytes = Array(text.utf8)
    }

    mutating func scanDocument() {
        while position < bytes.count {
            skipBlank()
            guard let byte = peek() else { return }
            let isUnderstood =
                byte == UInt8(ascii: "[") ? scanHeader() : scanKeyAndValue(in: table, depth: 0)
            // What is not understood may hold anything, a string that looks like keys too: no guesses past it.
            guard isUnderstood else { return }
            skipLine()
        }
    }

    // MARK: - Headers

    /// `[a.b]` or `[[a.b]]`.
    private mutating func scanHeader() -> Bool {
        let start = line
        advance()
        let isArray = peek() == UInt8(ascii: "[")
        if isArray { advance() }
        guard let keys = scanKey(), let last = keys.last else { return false }
        var path: [KeyLocator.Step] = []
        for key in keys.dropLast() {
            path.append(.key(key))
            // A name that is an array of tables stands for its last table.
            if let count = tableCounts[path] { path.append(.index(count - 1)) }
        }
        path.append(.key(last))
        if isArray {
            record(path, at: start)
            let index = tableCounts[path, default: 0]
            tableCounts[path] = index + 1
            path.append(.index(index))
        }
        record(path, at: start)
        table = path
        return true
    }

    // MARK: - Keys

    /// `a.b = value` of the table at `parent`; false when it is not understood.
    private mutating func scanKeyAndValue(in parent: [KeyLocator.Step], depth: Int) -> Bool {
        let start = line
        guard depth < KeyLocator.maximumDepth, let keys = scanKey() else { return false }
        var path = parent
        for key in keys {
            path.append(.key(key))
            record(path, at: start)
        }
        skipSpace()
        guard peek() == UInt8(ascii: "=") else { return false }
        advance()
        skipSpace()
        return scanValue(at: path, depth: depth + 1)
    }

    /// A bare, quoted or dotted key; nil when it is not one.
    private mutating func scanKey() -> [String]? {
        var keys: [String] = []
        while true {
            skipSpace()
            guard let part = scanKeyPart() else { return nil }
            keys.append(part)
            skipSpace()
            guard peek() == UInt8(ascii: ".") else { return keys }
            advance()
        }
    }

    private mutating func scanKeyPart() -> String? {
        switch peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            return scanQuotedKey()
        default:
            let start = position
            while let byte = peek(), KeyScanner.isBareKeyByte(byte) { position += 1 }
            return start == position ? nil : String(decoding: bytes[start..<position], as: UTF8.self)
        }
    }

    private mutating func scanQuotedKey() -> String? {
        let start = position + 1
        guard scanString(), position > start else { return nil }
        let content = bytes[start..<(position - 1)]
        // An escape is left as it is written. No setting's name needs one, and a name with a backslash is no
        // setting's name.
        return String(decoding: content, as: UTF8.self)
    }

    // MARK: - Values

    private mutating func scanValue(at path: [KeyLocator.Step], depth: Int) -> Bool {
        guard depth < KeyLocator.maximumDepth else { return false }
        switch peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return scanString()
        case UInt8(ascii: "["): return scanArray(at: path, depth: depth)
        case UInt8(ascii: "{"): return scanInlineTable(at: path, depth: depth)
        default:
            while let byte = peek(), !KeyScanner.endsPlainValue(byte) { position += 1 }
            return true
        }
    }

    private mutating func scanArray(at path: [KeyLocator.Step], depth: Int) -> Bool {
        advance()
        var index = 0
        while true {
            skipBlank()
            guard let byte = peek() else { return false }
            if byte == UInt8(ascii: "]") {
                advance()
                return true
            }
            let element = path + [.index(index)]
            record(element, at: line)
            guard scanValue(at: element, depth: depth + 1) else { return false }
            index += 1
            skipBlank()
            if peek() == UInt8(ascii: ",") { advance() } else if peek() != UInt8(ascii: "]") { return false }
        }
    }

    private mutating func scanInlineTable(at path: [KeyLocator.Step], depth: Int) -> Bool {
        advance()
        while true {
            skipBlank()
            guard let byte = peek() else { return false }
            if byte == UInt8(ascii: "}") {
                advance()
                return true
            }
            guard scanKeyAndValue(in: path, depth: depth + 1) else { return false }
            skipBlank()
            if peek() == UInt8(ascii: ",") { advance() } else if peek() != UInt8(ascii: "}") { return false }
        }
    }

    /// One of the four kinds of string, from its first quote to after its last; false when it has no end.
    private mutating func scanString() -> Bool {
        guard let quote = peek() else { return false }
        let isMultiLine = position + 2 < bytes.count && bytes[position + 1] == quote && bytes[position + 2] == quote
        if !isMultiLine { return scanSingleLineString(quote) }
        position += 3
        while let byte = peek() {
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                advance()
                advance()
            } else if byte == quote, position + 2 < bytes.count, bytes[position + 1] == quote,
                bytes[position + 2] == quote
            {
                position += 3
                // Up to two quotes may stand before the closing three: the last three of a run close.
                while peek() == quote { position += 1 }
                return true
            } else {
                advance()
            }
        }
        return false
    }

    private mutating func scanSingleLineString(_ quote: UInt8) -> Bool {
        position += 1
        while let byte = peek(), byte != UInt8(ascii: "\n") {
            position += 1
            if byte == quote { return true }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") { advance() }
        }
        return false
    }

    // MARK: - Octets

    private mutating func record(_ path: [KeyLocator.Step], at line: Int) {
        // The first line counts: `a.b` and later `a.c` both name `a`.
        if lines[path] == nil { lines[path] = line }
    }

    private func peek() -> UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private mutating func advance() {
        guard position < bytes.count else { return }
        if bytes[position] == UInt8(ascii: "\n") { line += 1 }
        position += 1
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { position += 1 }
    }

    /// White space, line ends and comments.
    private mutating func skipBlank() {
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): advance()
            case UInt8(ascii: "#"): while let next = peek(), next != UInt8(ascii: "\n") { position += 1 }
            default: return
            }
        }
    }

    private mutating func skipLine() {
        while let byte = peek(), byte != UInt8(ascii: "\n") { position += 1 }
        advance()
    }

    private static func isBareKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func endsPlainValue(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#"), UInt8(ascii: "\n"),
            UInt8(ascii: "\r"):
            true
        default: false
        }
    }
}
