// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// AddressParser is in charge of reading an address field such as From (RFC 5322 §3.4, and the groups that RFC 6854
/// lets stand in it); what an encoded word decodes to is never an address.
///
/// Of the obsolete grammar (RFC 5322 §4.4) it reads what old programs send: a route before the address, empty list
/// elements, dots in a display name, white space and comments around the dots of an address, local-parts of several
/// words. Readers differ about the route and the last two: who signs such an address writes it in its one plain
/// spelling first.
///
///     "a@b" <x@c>, Team: y@d (why not), <@route.example:z@e>;      x@c, y@d, z@e
package struct AddressParser {
    private var tokenizer: AddressTokenizer
    private var token: AddressTokenizer.Token?
    private var list = AddressList()

    /// A word of a phrase or of a local-part.
    private typealias Word = AddressList.Phrase

    /// The mailboxes of a field's value in their order, those of groups included; each must have a domain.
    package static func mailboxes(in value: ArraySlice<UInt8>) throws(AddressError) -> [Mailbox] {
        var mailboxes: [Mailbox] = []
        for address in try list(in: value).addresses {
            guard let mailbox = address.mailbox else { throw AddressError(reason: "an address without a domain") }
            mailboxes.append(mailbox)
        }
        return mailboxes
    }

    /// What stands in a field's value.
    package static func list(in value: ArraySlice<UInt8>) throws(AddressError) -> AddressList {
        var parser = AddressParser(tokenizer: AddressTokenizer(value))
        try parser.advance()
        try parser.addresses(isInGroup: false)
        return parser.result()
    }

    /// The words and comments of a value that is phrases with commas between them, such as that of Keywords.
    package static func phrases(in value: ArraySlice<UInt8>) throws(AddressError) -> AddressList {
        var parser = AddressParser(tokenizer: AddressTokenizer(value))
        try parser.advance()
        while parser.token != nil {
            parser.list.phrases += try parser.words()
            guard parser.token == nil || parser.isAt(",") else {
                throw AddressError(reason: "a character that must be quoted")
            }
            try parser.advance()
        }
        return parser.result()
    }

    private init(tokenizer: AddressTokenizer) {
        self.tokenizer = tokenizer
    }

    private func result() -> AddressList {
        guard !tokenizer.comments.isEmpty else { return list }
        var list = list
        list.phrases += tokenizer.comments.map { Word(kind: .comment, octets: $0) }
        list.phrases.sort { $0.octets.lowerBound < $1.octets.lowerBound }
        return list
    }

    private mutating func advance() throws(AddressError) {
        token = try tokenizer.next()
    }

    private func isAt(_ character: Unicode.Scalar) -> Bool {
        token == .special(UInt8(ascii: character))
    }

    /// Addresses and commas up to the end, or up to the semicolon of a group.
    private mutating func addresses(isInGroup: Bool) throws(AddressError) {
        while token != nil {
            if isInGroup, isAt(";") { return }
            if isAt(",") {
                // RFC 5322 §4.4: elements of a list may be empty.
                try advance()
                continue
            }
            try address(isInGroup: isInGroup)
            guard token == nil || isAt(",") || isInGroup && isAt(";") else {
                throw AddressError(reason: "more than an address between its commas")
            }
        }
        if isInGroup { throw AddressError(reason: "a group without its semicolon") }
    }

    private mutating func address(isInGroup: Bool) throws(AddressError) {
        if isAt("<") { return try angleAddress() }
        let words = try words()
        guard !words.isEmpty else {
            throw AddressError(reason: "an address that starts with a character that must be quoted")
        }
        if isAt("<") {
            list.phrases += words
            return try angleAddress()
        }
        if isAt(":") {
            guard !isInGroup else { throw AddressError(reason: "a group within a group") }
            list.phrases += words
            try advance()
            try addresses(isInGroup: true)
            return try advance()
        }
        try addressSpecification(words)
    }

    /// The words up to the next special.
    private mutating func words() throws(AddressError) -> [Word] {
        var words: [Word] = []
        while let token {
            switch token {
            case .atom(let range): words.append(Word(kind: .atom, octets: range))
            case .quotedString(let range): words.append(Word(kind: .quotedString, octets: range))
            case .encodedWord(let range): words.append(Word(kind: .encodedWord, octets: range))
            case .literal, .special: return words
            }
            try advance()
        }
        return words
    }

    private mutating func angleAddress() throws(AddressError) {
        try advance()
        // RFC 5322 §4.4: a route stands before the address and is to be ignored.
        let hasRoute = isAt("@") || isAt(",")
        let start = tokenizer.tokenStart
        if hasRoute {
            while !isAt(":") {
                if isAt(",") {
                    try advance()
                } else if isAt("@") {
                    try advance()
                    _ = try host()
                } else {
                    throw AddressError(reason: "a malformed route")
                }
            }
            try advance()
        }
        let words = try words()
        guard !words.isEmpty else { throw AddressError(reason: "no address between the angle brackets") }
        try addressSpecification(words)
        if hasRoute, let last = list.addresses.indices.last {
            list.addresses[last].octets = start..<list.addresses[last].octets.upperBound
        }
        guard isAt(">") else { throw AddressError(reason: "more than an address between the angle brackets") }
        try advance()
    }

    /// A local-part whose words were read, and the domain if there is one.
    private mutating func addressSpecification(_ words: [Word]) throws(AddressError) {
        guard let first = words.first, let last = words.last else { return }
        let hasHost = isAt("@")
        if words.contains(where: { $0.kind == .encodedWord }) {
            throw AddressError(reason: hasHost ? "an encoded word for a local-part" : "an address without a domain")
        }
        guard let localPart = localPart(words) else {
            guard words.count > 1 else { throw AddressError(reason: "a misplaced dot in a local-part") }
            let isSplit = !areJoinedByDots(words)
            throw AddressError(
                reason: !isSplit
                    ? "a misplaced dot in a local-part"
                    : hasHost ? "an @ outside quotes or angle brackets" : "an address without a domain")
        }
        var address = AddressList.Address(
            localPart: localPart, host: nil, octets: first.octets.lowerBound..<last.octets.upperBound)
        if hasHost {
            try advance()
            let (host, end) = try host()
            address.host = host
            address.octets = first.octets.lowerBound..<end
        }
        list.addresses.append(address)
    }

    /// RFC 5322 §4.4: words with dots between them, in one word; nil where the dots are not so.
    private func localPart(_ words: [Word]) -> String? {
        guard areJoinedByDots(words) else { return nil }
        if words.count == 1, words[0].kind == .quotedString {
            let unfolded = tokenizer.bytes[words[0].octets].filter {
                $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n")
            }
            return String(decoding: unfolded, as: UTF8.self)
        }
        var shape: [UInt8] = []
        var text: [UInt8] = []
        for word in words {
            let octets = tokenizer.bytes[word.octets]
            shape += word.kind == .quotedString ? [UInt8(ascii: "q")] : octets
            text += word.kind == .quotedString ? AddressTokenizer.content(ofQuotedString: octets)[...] : octets
        }
        guard AddressParser.isDotAtom(shape) else { return nil }
        guard words.contains(where: { $0.kind == .quotedString }) else { return String(decoding: text, as: UTF8.self) }
        var quoted: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { quoted.append(UInt8(ascii: "\\")) }
            quoted.append(byte)
        }
        return String(decoding: quoted + [UInt8(ascii: "\"")], as: UTF8.self)
    }

    private func areJoinedByDots(_ words: [Word]) -> Bool {
        zip(words, words.dropFirst()).allSatisfy { left, right in
            left.kind == .atom && tokenizer.bytes[left.octets].last == UInt8(ascii: ".")
                || right.kind == .atom && tokenizer.bytes[right.octets].first == UInt8(ascii: ".")
        }
    }

    private mutating func host() throws(AddressError) -> (host: Mailbox.Host, end: Int) {
        switch token {
        case .atom(let range):
            var name = Array(tokenizer.bytes[range])
            var end = range.upperBound
            try advance()
            // RFC 5322 §4.4: white space and comments around the dots.
            while case .atom(let next) = token,
                name.last == UInt8(ascii: ".") || tokenizer.bytes[next].first == UInt8(ascii: ".")
            {
                name += tokenizer.bytes[next]
                end = next.upperBound
                try advance()
            }
            // One final dot would be accepted in DNS but not in an address (RFC 5321 §4.1.2).
            guard name.last != UInt8(ascii: "."),
                let domain = Domain(internationalised: String(decoding: name, as: UTF8.self))
            else { throw AddressError(reason: "a domain that is not a domain name") }
            return (.domain(domain), end)
        case .literal(let range):
            let literal = Mailbox.Host.literal(String(decoding: tokenizer.bytes[range], as: UTF8.self))
            try advance()
            return (literal, range.upperBound)
        case .encodedWord, .quotedString, .special, nil:
            throw AddressError(reason: "an address without a domain")
        }
    }

    /// RFC 5322 §3.2.3: dots only between atoms.
    private static func isDotAtom(_ octets: [UInt8]) -> Bool {
        var previous = UInt8(ascii: ".")
        for byte in octets {
            if byte == UInt8(ascii: "."), previous == UInt8(ascii: ".") { return false }
            previous = byte
        }
        return previous != UInt8(ascii: ".")
    }
}
