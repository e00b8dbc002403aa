// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail

/// What a reader shows of encoded words, written for the tests apart from what makes them (RFC 2047 §6).
enum HeaderText {
    /// A text value unfolded and decoded, without white space at its ends.
    static func decode(_ value: String) -> String {
        let scalars = value.unicodeScalars.filter { $0 != "\r" && $0 != "\n" }
        var result = ""
        var gap = ""
        var wasEncoded = false
        var rest = scalars[...]
        while !rest.isEmpty {
            let space = rest.prefix { $0 == " " || $0 == "\t" }
            gap = String(String.UnicodeScalarView(space))
            rest = rest.dropFirst(space.count)
            let word = rest.prefix { $0 != " " && $0 != "\t" }
            rest = rest.dropFirst(word.count)
            guard !word.isEmpty else { break }
            let text = String(String.UnicodeScalarView(word))
            let decoded = self.word(text[...])
            if !result.isEmpty, !(wasEncoded && decoded != nil) { result += gap }
            result += decoded ?? text
            wasEncoded = decoded != nil
        }
        return result
    }

    /// All names and comments of an address field as a reader shows them, with single spaces.
    static func display(_ list: AddressList, in value: ArraySlice<UInt8>) -> [String] {
        var result: [String] = []
        var last: AddressList.Phrase?
        for phrase in list.phrases where phrase.kind != .comment {
            let raw = String(decoding: value[phrase.octets], as: UTF8.self)
            let text: String
            switch phrase.kind {
            case .quotedString: text = unquoted(raw.dropFirst().dropLast())
            case .encodedWord: text = word(raw[...]) ?? raw
            case .atom, .comment: text = raw
            }
            let between = last.map { value[$0.octets.upperBound..<phrase.octets.lowerBound] }
            if let between, between.allSatisfy({ [9, 10, 13, 32].contains($0) }), let index = result.indices.last {
                let isJoined = last?.kind == .encodedWord && phrase.kind == .encodedWord
                result[index] += (isJoined ? "" : " ") + text
            } else {
                result.append(text)
            }
            last = phrase
        }
        // Parentheses are words of their own, as an encoded word may touch them.
        for comment in list.phrases where comment.kind == .comment && !isWithinAddress(comment, list) {
            let raw = String(decoding: value[comment.octets], as: UTF8.self)
            var spaced = ""
            var isQuoted = false
            for scalar in raw.unicodeScalars where scalar != "\r" && scalar != "\n" {
                let isParenthesis = !isQuoted && (scalar == "(" || scalar == ")")
                isQuoted = !isQuoted && scalar == "\\"
                spaced += isParenthesis ? " \(scalar) " : String(scalar)
            }
            result.append(decode(spaced).replacing("\\", with: ""))
        }
        return result.map { $0.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ") }
    }

    /// The text of an encoded word in UTF-8 of at most 75 octets; nil for anything else.
    static func word(_ word: Substring) -> String? {
        let parts = word.split(separator: "?", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0] == "=", parts[1] == "utf-8", parts[4] == "=", word.utf8.count <= 75 else {
            return nil
        }
        let octets = parts[2] == "b" ? base64(parts[3]) : quoted(parts[3])
        return octets.flatMap { String(validating: $0, as: UTF8.self) }
    }

    private static func isWithinAddress(_ comment: AddressList.Phrase, _ list: AddressList) -> Bool {
        list.addresses.contains { $0.octets.contains(comment.octets.lowerBound) }
    }

    private static func unquoted(_ text: Substring) -> String {
        var result = ""
        var isQuoted = false
        for scalar in text.unicodeScalars where scalar != "\r" && scalar != "\n" {
            if !isQuoted, scalar == "\\" {
                isQuoted = true
            } else {
                result.unicodeScalars.append(scalar)
                isQuoted = false
            }
        }
        return result
    }

    private static func quoted(_ text: Substring) -> [UInt8]? {
        var octets: [UInt8] = []
        var rest = text[...]
        while let character = rest.popFirst() {
            if character == "=" {
                guard let octet = UInt8(rest.prefix(2), radix: 16) else { return nil }
                octets.append(octet)
                rest = rest.dropFirst(2)
            } else {
                octets += String(character == "_" ? " " : character).utf8
            }
        }
        return octets
    }

    private static func base64(_ text: Substring) -> [UInt8]? {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        guard text.count % 4 == 0 else { return nil }
        var octets: [UInt8] = []
        var bits = 0
        var count = 0
        for character in text where character != "=" {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            bits = (bits << 6 | value) & 0xFFFF
            count += 6
            if count >= 8 {
                count -= 8
                octets.append(UInt8(bits >> count & 255))
            }
        }
        return octets
    }
}
