// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// FunctionFinder is in charge of finding the functions, initializers, deinitializers and subscripts of a file and how
/// many lines each takes, from its first word to its closing brace.
struct FunctionFinder {
    struct Function: Hashable {
        var name: String
        /// Counted from 1.
        var line: Int
        var lineCount: Int
    }

    private let code: [UInt8]
    private var functions: [Function] = []

    static func functions(in text: String) -> [Function] {
        var finder = FunctionFinder(code: CodeScanner.code(of: text))
        finder.find()
        return finder.functions
    }

    private init(code: [UInt8]) {
        self.code = code
    }

    private mutating func find() {
        var position = 0
        var line = 1
        while position < code.count {
            if code[position] == UInt8(ascii: "\n") { line += 1 }
            guard FunctionFinder.isWordOctet(code[position]) else {
                position += 1
                continue
            }
            let word = word(at: position)
            if let name = declaredName(word, at: position), let open = bodyStart(after: position + word.utf8.count) {
                let lineCount = code[position...closingBrace(of: open)].count { $0 == UInt8(ascii: "\n") } + 1
                functions.append(Function(name: name, line: line, lineCount: lineCount))
            }
            position += word.utf8.count
        }
    }

    /// The name of the function whose declaration this word starts; nil if it starts none.
    private func declaredName(_ word: String, at position: Int) -> String? {
        if position > 0, code[position - 1] == UInt8(ascii: ".") || code[position - 1] == UInt8(ascii: "`") {
            return nil
        }
        let after = position + word.utf8.count
        switch word {
        case "func":
            let start = code[after...].firstIndex { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "`") } ?? code.count
            let name = self.word(at: start)
            return name.isEmpty ? "operator" : name
        case "init", "subscript":
            let next = after < code.count ? code[after] : 0
            return "(<?!".utf8.contains(next) ? word : nil
        case "deinit":
            return word
        default:
            return nil
        }
    }

    /// The brace that opens the body; nil for a declaration without one, as in a protocol.
    private func bodyStart(after start: Int) -> Int? {
        var depth = 0
        var last: UInt8 = 0
        var position = start
        while position < code.count {
            let byte = code[position]
            switch byte {
            case UInt8(ascii: "("), UInt8(ascii: "["):
                depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"):
                depth -= 1
            case UInt8(ascii: "{") where depth == 0:
                return position
            case UInt8(ascii: "}") where depth == 0:
                return nil
            case UInt8(ascii: "\n") where depth == 0:
                guard last == UInt8(ascii: ",") || signatureContinues(after: position) else { return nil }
            default:
                break
            }
            if byte > 32 { last = byte }
            position += 1
        }
        return nil
    }

    private func signatureContinues(after newline: Int) -> Bool {
        guard let next = code[newline...].firstIndex(where: { $0 > 32 }) else { return false }
        let continuations = ["{", "->", "where ", "async", "throws", "rethrows", "(", "<", "&"]
        return continuations.contains { code[next...].starts(with: $0.utf8) }
    }

    private func closingBrace(of open: Int) -> Int {
        var depth = 0
        for position in open..<code.count {
            if code[position] == UInt8(ascii: "{") { depth += 1 }
            if code[position] == UInt8(ascii: "}") { depth -= 1 }
            if depth == 0 { return position }
        }
        return code.count - 1
    }

    private func word(at position: Int) -> String {
        String(decoding: code[position...].prefix(while: FunctionFinder.isWordOctet), as: UTF8.self)
    }

    private static func isWordOctet(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 128...255:
            true
        default:
            false
        }
    }
}
