// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// A name in an SPF record, with macros that are replaced for each message (RFC 7208 §7).
struct SPFMacroString: Hashable, Sendable {
    enum Part: Hashable, Sendable {
        case literal(String)
        case macro(Macro)
    }

    /// `%{d2r-}` and its like.
    struct Macro: Hashable, Sendable {
        /// In lower case.
        var letter: Character
        /// An upper-case letter asks for percent encoding (RFC 7208 §7.3).
        var isEncoded: Bool
        /// How many parts on the right stay; nil: all.
        var count: Int?
        var isReversed: Bool
        /// What the value is cut at; empty: dots.
        var delimiters: String

        /// RFC 7208 §7.3: cut, reversed, shortened, and joined with dots.
        func transform(_ value: String) -> String {
            var parts = value.split(omittingEmptySubsequences: false) { delimiter in
                delimiters.isEmpty ? delimiter == "." : delimiters.contains(delimiter)
            }
            if isReversed { parts.reverse() }
            if let count { parts = parts.suffix(count) }
            let joined = parts.joined(separator: ".")
            return isEncoded ? SPFMacroString.encoded(joined) : joined
        }
    }

    var parts: [Part]

    /// The name, if it is the same for every message.
    var constant: String? {
        var text = ""
        for part in parts {
            guard case .literal(let literal) = part else { return nil }
            text += literal
        }
        return text
    }

    /// Reads a macro-string (RFC 7208 §7.1).
    init(_ text: Substring) throws(SPFSyntaxError) {
        parts = []
        var literal = ""
        var rest = text.utf8[...]
        while let octet = rest.popFirst() {
            // RFC 7208 §7.1: visible characters but the percent sign stand for themselves.
            guard (0x21...0x7E).contains(octet) else {
                throw SPFSyntaxError(text: "\"\(text)\" has a character that no name in SPF may have")
            }
            guard octet == UInt8(ascii: "%") else {
                literal.unicodeScalars.append(Unicode.Scalar(octet))
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "%"): literal += "%"
            case UInt8(ascii: "_"): literal += " "
            case UInt8(ascii: "-"): literal += "%20"
            case UInt8(ascii: "{"):
                guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else {
                    throw SPFSyntaxError(text: "\"\(text)\" has a macro without its closing brace")
                }
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = ""
                parts.append(.macro(try Self.macro(rest[..<end], in: text)))
                rest = rest[rest.index(after: end)...]
            default:
                throw SPFSyntaxError(text: "\"\(text)\" has a % that begins no macro: %% stands for the character")
            }
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
    }

    private static func macro(_ octets: Substring.UTF8View.SubSequence, in text: Substring) throws(SPFSyntaxError)
        -> Macro
    {
        var rest = octets
        let fault = SPFSyntaxError(text: "\"\(text)\" has a macro that does not exist")
        guard let letter = rest.popFirst(), ASCII.isLetter(letter) else { throw fault }
        let lower = Character(Unicode.Scalar(ASCII.lowercased(letter)))
        // RFC 7208 §7.2: c, r and t stand in explanations only, which are texts of their own.
        guard "slodiphv".contains(lower) else { throw fault }
        var digits = ""
        while let octet = rest.first, ASCII.isDigit(octet) {
            digits.unicodeScalars.append(Unicode.Scalar(octet))
            rest.removeFirst()
        }
        // RFC 7208 §7.3: the number is not zero. More parts than a name can have are all of them.
        let count = digits.isEmpty ? nil : Int(digits) ?? Int.max
        if count == 0 { throw fault }
        var isReversed = false
        if let octet = rest.first, ASCII.lowercased(octet) == UInt8(ascii: "r") {
            isReversed = true
            rest.removeFirst()
        }
        var delimiters = ""
        for octet in rest {
            guard ".-+,/_=".utf8.contains(octet) else { throw fault }
            delimiters.unicodeScalars.append(Unicode.Scalar(octet))
        }
        return Macro(
            letter: lower, isEncoded: letter < UInt8(ascii: "a"), count: count, isReversed: isReversed,
            delimiters: delimiters)
    }

    /// Reads a domain-spec (RFC 7208 §7.1): it ends in a top label or in a macro.
    init(domain text: Substring) throws(SPFSyntaxError) {
        guard !text.isEmpty else { throw SPFSyntaxError(text: "a name is missing") }
        try self.init(text)
        guard case .literal(let end)? = parts.last else { return }
        guard Self.endsInTopLabel(end, isAlone: parts.count == 1) else {
            throw SPFSyntaxError(text: "\"\(text)\" does not end as a domain name does")
        }
    }

    /// RFC 7208 §7.1 domain-end: a dot and a label of letters, digits and inner hyphens, not of digits alone.
    private static func endsInTopLabel(_ text: String, isAlone: Bool) -> Bool {
        let text = text.hasSuffix(".") ? text.dropLast() : text[...]
        guard let dot = text.lastIndex(of: ".") else { return false }
        let label = text[text.index(after: dot)...].utf8
        // A dot in front of everything has nothing to end.
        if isAlone, dot == text.startIndex { return false }
        let isPlain = label.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "-") }
        return isPlain && label.contains { !ASCII.isDigit($0) } && label.first != UInt8(ascii: "-")
            && label.last != UInt8(ascii: "-")
    }

    /// RFC 7208 §7.3, RFC 3986 §2.3: all but unreserved characters.
    private static func encoded(_ text: String) -> String {
        var result = ""
        for octet in text.utf8 {
            if ASCII.isLetter(octet) || ASCII.isDigit(octet) || "-._~".utf8.contains(octet) {
                result.unicodeScalars.append(Unicode.Scalar(octet))
            } else {
                let digits = String(octet, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }
}
