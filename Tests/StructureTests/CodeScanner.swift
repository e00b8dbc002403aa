// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// CodeScanner is in charge of telling code from the rest of a Swift file: it blanks comments, string literals and
/// extended regular expressions and leaves every line where it was, so that braces can be matched and words found.
///
/// What stands in an interpolation is blanked with its string. It does not know regular expressions between bare
/// slashes: this package writes none.
struct CodeScanner {
    private let input: [UInt8]
    private var output: [UInt8] = []
    private var position = 0

    /// The text with all that is not code blanked.
    static func code(of text: String) -> [UInt8] {
        var scanner = CodeScanner(input: Array(text.utf8))
        scanner.scan()
        return scanner.output
    }

    private init(input: [UInt8]) {
        self.input = input
        output.reserveCapacity(input.count)
    }

    private mutating func scan() {
        while position < input.count {
            if !skipLiteralOrComment() { keep() }
        }
    }

    private mutating func skipLiteralOrComment() -> Bool {
        if isAt("//") {
            while position < input.count, input[position] != UInt8(ascii: "\n") { blank() }
            return true
        }
        if isAt("/*") {
            skipBlockComment()
            return true
        }
        var pounds = 0
        while position + pounds < input.count, input[position + pounds] == UInt8(ascii: "#") { pounds += 1 }
        guard position + pounds < input.count else { return false }
        if input[position + pounds] == UInt8(ascii: "\"") {
            blank(pounds)
            skipString(pounds: pounds)
            return true
        }
        if pounds > 0, input[position + pounds] == UInt8(ascii: "/") {
            blank(pounds + 1)
            skip(to: "/" + String(repeating: "#", count: pounds))
            return true
        }
        return false
    }

    private mutating func skipBlockComment() {
        var depth = 0
        repeat {
            if isAt("/*") {
                depth += 1
                blank(2)
            } else if isAt("*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && position < input.count
    }

    private mutating func skipString(pounds: Int) {
        let hashes = String(repeating: "#", count: pounds)
        let quotes = isAt("\"\"\"") ? "\"\"\"" : "\""
        blank(quotes.utf8.count)
        while position < input.count, !isAt(quotes + hashes) {
            if isAt("\\" + hashes + "(") {
                blank(2 + pounds)
                skipInterpolation()
            } else if isAt("\\" + hashes) {
                blank(2 + pounds)
            } else {
                blank()
            }
        }
        blank(quotes.utf8.count + pounds)
    }

    private mutating func skipInterpolation() {
        var depth = 1
        while position < input.count, depth > 0 {
            let start = output.count
            if skipLiteralOrComment() { continue }
            if isAt("(") { depth += 1 }
            if isAt(")") { depth -= 1 }
            blank()
            assert(output.count > start)
        }
    }

    private mutating func skip(to end: String) {
        while position < input.count, !isAt(end) { blank() }
        blank(end.utf8.count)
    }

    private func isAt(_ text: String) -> Bool {
        input[position...].starts(with: text.utf8)
    }

    private mutating func keep() {
        output.append(input[position])
        position += 1
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where position < input.count {
            output.append(input[position] == UInt8(ascii: "\n") ? UInt8(ascii: "\n") : UInt8(ascii: " "))
            position += 1
        }
    }
}
