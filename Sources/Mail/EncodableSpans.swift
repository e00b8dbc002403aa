// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Octets of a value that must be written otherwise.
struct EncodableSpan: Hashable {
    enum Kind: Hashable {
        /// Text, between white space.
        case phrase([UInt8])
        /// Text, after white space or a parenthesis.
        case comment([UInt8])
        /// Octets that take their place.
        case replacement([UInt8])
    }

    var octets: Range<Int>
    var kind: Kind

    fileprivate var isReplacement: Bool {
        if case .replacement = kind { true } else { false }
    }
}

/// EncodableSpans is in charge of finding what in a value (in UTF-8) must be encoded, by the syntax of its field.
///
/// Words that are to be encoded and stand side by side become one, with the white space between them: readers leave
/// out what stands between two encoded words (RFC 2047 §6.2).
struct EncodableSpans {
    private let value: ArraySlice<UInt8>
    private var spans: [EncodableSpan] = []

    init(_ value: ArraySlice<UInt8>) {
        self.value = value
    }

    /// In their order, none within another.
    var sorted: [EncodableSpan] {
        let ordered = spans.sorted { left, right in
            let (start, other) = (left.octets.lowerBound, right.octets.lowerBound)
            return start < other || start == other && left.isReplacement && !right.isReplacement
        }
        var kept: [EncodableSpan] = []
        var replacedEnd = value.startIndex
        for span in ordered where span.octets.lowerBound >= replacedEnd {
            if span.isReplacement { replacedEnd = span.octets.upperBound }
            kept.append(span)
        }
        return kept
    }

    // A word with its meaning.
    private struct Word {
        var octets: Range<Int>
        var text: [UInt8]
        var isEncoded = false
        var isEightBit: Bool { text.contains { $0 > 127 } }
    }

    mutating func findText(in range: Range<Int>) throws(AddressError) {
        try joinWords(words(in: range, isComment: false)) { .phrase($0) }
    }

    mutating func findAddresses() throws(AddressError) {
        let list = try AddressParser.list(in: value)
        try find(list)
        for address in list.addresses {
            guard address.localPart.utf8.allSatisfy({ $0 < 128 }) else {
                throw AddressError(reason: "a local-part outside ASCII; send an address in ASCII")
            }
            if value[address.octets].contains(where: { $0 > 127 }) {
                spans.append(EncodableSpan(octets: address.octets, kind: .replacement(Array(address.description.utf8))))
            }
        }
    }

    mutating func findPhrases() throws(AddressError) {
        try find(try AddressParser.phrases(in: value))
    }

    mutating func findComments() throws(AddressError) {
        var tokenizer = AddressTokenizer(value)
        while try tokenizer.next() != nil {}
        for comment in tokenizer.comments { try find(comment: comment) }
    }

    /// What is `attribute=value` between semicolons (RFC 2045 §5.1) becomes `attribute*=utf-8''value` (RFC 2231 §4).
    mutating func findParameters() throws(AddressError) {
        var tokenizer = AddressTokenizer(value)
        var parameter: [AddressTokenizer.Token] = []
        var counts: [String: Int] = [:]
        var changed: [String] = []
        while true {
            let token = try tokenizer.next()
            guard token == nil || token == .special(UInt8(ascii: ";")) else {
                if let token { parameter.append(token) }
                continue
            }
            if let name = try find(parameter: parameter) { changed.append(name) }
            if let range = parameter.first?.octets {
                let name = value[range].prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "*") }
                counts[String(decoding: name, as: UTF8.self).lowercased(), default: 0] += 1
            }
            parameter = []
            if token == nil { break }
        }
        for name in changed where counts[name, default: 0] > 1 {
            throw AddressError(reason: "the parameter \(name) twice")
        }
        for comment in tokenizer.comments { try find(comment: comment) }
    }

    private mutating func find(parameter: [AddressTokenizer.Token]) throws(AddressError) -> String? {
        let ranges = parameter.compactMap(\.octets)
        guard let first = ranges.first, let last = ranges.last,
            ranges.contains(where: { value[$0].contains { $0 > 127 } })
        else { return nil }
        guard case .atom(let range) = parameter[0], let equals = value[range].firstIndex(of: UInt8(ascii: "=")),
            equals > range.lowerBound
        else { throw AddressError(reason: "something that is not a parameter") }
        let name = value[range.lowerBound..<equals]
        guard name.allSatisfy({ $0 < 128 && $0 != UInt8(ascii: "*") }) else {
            throw AddressError(reason: "a malformed name of a parameter")
        }
        let content: [UInt8]
        if parameter.count == 1, equals + 1 < range.upperBound {
            content = Array(value[(equals + 1)..<range.upperBound])
        } else if parameter.count == 2, equals + 1 == range.upperBound, case .quotedString(let quoted) = parameter[1] {
            content = AddressTokenizer.content(ofQuotedString: value[quoted])
        } else {
            throw AddressError(reason: "a parameter whose value must be quoted")
        }
        try EncodableSpans.refuseBrokenWord(content[...])
        var replacement = Array(name) + Array("*=utf-8''".utf8)
        PercentEncoding.append(content, to: &replacement)
        spans.append(EncodableSpan(octets: first.lowerBound..<last.upperBound, kind: .replacement(replacement)))
        return String(decoding: name, as: UTF8.self).lowercased()
    }

    private mutating func find(_ list: AddressList) throws(AddressError) {
        let words = list.phrases.map { phrase in
            let octets = value[phrase.octets]
            let text = phrase.kind == .quotedString ? AddressTokenizer.content(ofQuotedString: octets) : Array(octets)
            return (phrase.kind, Word(octets: phrase.octets, text: text, isEncoded: phrase.kind == .encodedWord))
        }
        try joinWords(words.filter { $0.0 != .comment }.map(\.1)) { .phrase($0) }
        for (kind, word) in words where kind == .comment { try find(comment: word.octets) }
    }

    private mutating func find(comment: Range<Int>) throws(AddressError) {
        guard value[comment].contains(where: { $0 > 127 }) else { return }
        try joinWords(words(in: comment, isComment: true)) { .comment($0) }
    }

    /// The words between white space, in a comment also between parentheses.
    private func words(in range: Range<Int>, isComment: Bool) -> [Word] {
        var words: [Word] = []
        var position = range.lowerBound
        while position < range.upperBound {
            let start = position
            var text: [UInt8] = []
            while position < range.upperBound, !isDelimiter(value[position], isComment: isComment) {
                // RFC 5322 §3.2.1: a backslash takes its next octet along.
                if isComment, value[position] == UInt8(ascii: "\\"), position + 1 < range.upperBound { position += 1 }
                text.append(value[position])
                position += 1
            }
            if position > start {
                let isEncoded = EncodedWord.isEncodedWord(value[start..<position]) && text.allSatisfy { $0 < 128 }
                words.append(Word(octets: start..<position, text: text, isEncoded: isEncoded))
            } else {
                position += 1
            }
        }
        return words
    }

    private func isDelimiter(_ byte: UInt8, isComment: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): true
        case UInt8(ascii: "("), UInt8(ascii: ")"): isComment
        default: false
        }
    }

    private mutating func joinWords(
        _ words: [Word], kind: ([UInt8]) -> EncodableSpan.Kind
    ) throws(AddressError) {
        var index = 0
        while index < words.count {
            guard words[index].isEightBit else {
                index += 1
                continue
            }
            var last = index
            var text: [UInt8] = []
            var octets = words[index].octets
            // The white space to an encoded word would get lost: it goes into ours.
            if index > 0, words[index - 1].isEncoded, let space = space(words[index - 1], words[index]) {
                text += space
                octets = words[index - 1].octets.upperBound..<octets.upperBound
            }
            try EncodableSpans.refuseBrokenWord(words[index].text[...])
            text += words[index].text
            while last + 1 < words.count, words[last + 1].isEightBit,
                let space = space(words[last], words[last + 1])
            {
                last += 1
                try EncodableSpans.refuseBrokenWord(words[last].text[...])
                text += space + words[last].text
            }
            var end = words[last].octets.upperBound
            if last + 1 < words.count, words[last + 1].isEncoded, let space = space(words[last], words[last + 1]) {
                text += space
                end = words[last + 1].octets.lowerBound
            }
            spans.append(EncodableSpan(octets: octets.lowerBound..<end, kind: kind(text)))
            index = last + 1
        }
    }

    /// The white space between two words; nil if there is more between them than that.
    private func space(_ left: Word, _ right: Word) -> [UInt8]? {
        let between = value[left.octets.upperBound..<right.octets.lowerBound].filter {
            $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n")
        }
        return between.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") } ? Array(between) : nil
    }

    /// Some readers decode what only looks like an encoded word, others show it: nobody knows what was meant.
    private static func refuseBrokenWord(_ text: ArraySlice<UInt8>) throws(AddressError) {
        let pairs = zip(text, text.dropFirst())
        var start: Int?
        for (index, pair) in pairs.enumerated() {
            if start == nil, pair == (UInt8(ascii: "="), UInt8(ascii: "?")) { start = index }
            guard let start, index > start + 1, pair == (UInt8(ascii: "?"), UInt8(ascii: "=")) else { continue }
            throw AddressError(reason: "a broken encoded word; send whole ones (RFC 2047)")
        }
    }
}

extension AddressTokenizer.Token {
    /// Where a word stands; nil for specials.
    fileprivate var octets: Range<Int>? {
        switch self {
        case .atom(let range), .encodedWord(let range), .quotedString(let range), .literal(let range): range
        case .special: nil
        }
    }
}
