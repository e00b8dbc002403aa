// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// AddressParser is in charge of reading the mailboxes of an address field such as From (RFC 5322 §3.4); what an
/// encoded word decodes to is never an address.
///
/// Of the obsolete grammar it reads what old programs still send and all readers understand alike: a route
/// before the address, empty list elements, dots in a display name. It refuses the rest, above all white space and
/// comments around the dots of an address: there readers differ, and the author domain decides which key signs.
///
///     "a@b" <x@c>, Team: y@d (why not), <@route.example:z@e>;      x@c, y@d, z@e
package struct AddressParser {
    private var tokenizer: AddressTokenizer
    private var token: AddressTokenizer.Token?
    private var mailboxes: [Mailbox] = []

    /// The mailboxes of a field's value in their order, those of groups included.
    package static func mailboxes(in value: ArraySlice<UInt8>) throws(AddressError) -> [Mailbox] {
        var parser = AddressParser(tokenizer: AddressTokenizer(value))
        try parser.advance()
        try parser.list(isInGroup: false)
        return parser.mailboxes
    }

    private init(tokenizer: AddressTokenizer) {
        self.tokenizer = tokenizer
    }

    private mutating func advance() throws(AddressError) {
        token = try tokenizer.next()
    }

    private func isAt(_ character: Unicode.Scalar) -> Bool {
        token == .special(UInt8(ascii: character))
    }

    /// Addresses and commas up to the end, or up to the semicolon of a group.
    private mutating func list(isInGroup: Bool) throws(AddressError) {
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
        guard let first = token, case .some(let word) = wordRange(first) else {
            throw AddressError(reason: "an address that starts with a character that must be quoted")
        }
        try advance()
        if isAt("@") {
            guard let word else { throw AddressError(reason: "an encoded word for a local-part") }
            return mailboxes.append(try mailbox(localPart: word))
        }
        while let next = token, wordRange(next) != nil { try advance() }
        if isAt("<") { return try angleAddress() }
        if isAt(":") {
            guard !isInGroup else { throw AddressError(reason: "a group within a group") }
            try advance()
            try list(isInGroup: true)
            return try advance()
        }
        if isAt("@") { throw AddressError(reason: "an @ outside quotes or angle brackets") }
        throw AddressError(reason: "an address without a domain")
    }

    /// Of a word its octets, or nil for an encoded word; the outer nil says that the token is not a word.
    private func wordRange(_ token: AddressTokenizer.Token) -> Range<Int>?? {
        switch token {
        case .atom(let range), .quotedString(let range): .some(.some(range))
        case .encodedWord: .some(nil)
        case .literal, .special: nil
        }
    }

    private mutating func angleAddress() throws(AddressError) {
        try advance()
        // RFC 5322 §4.4: a route stands before the address and is to be ignored.
        if isAt("@") || isAt(",") {
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
        guard let first = token, let word = wordRange(first) ?? nil else {
            throw AddressError(reason: "no address between the angle brackets")
        }
        try advance()
        guard isAt("@") else { throw AddressError(reason: "an address without a domain") }
        let mailbox = try mailbox(localPart: word)
        guard isAt(">") else { throw AddressError(reason: "more than an address between the angle brackets") }
        try advance()
        mailboxes.append(mailbox)
    }

    /// From the `@` on.
    private mutating func mailbox(localPart: Range<Int>) throws(AddressError) -> Mailbox {
        try advance()
        let octets = tokenizer.bytes[localPart]
        if octets.first != UInt8(ascii: "\"") {
            guard AddressParser.isDotAtom(octets) else { throw AddressError(reason: "a misplaced dot in a local-part") }
            return Mailbox(localPart: String(decoding: octets, as: UTF8.self), host: try host())
        }
        let unfolded = octets.filter { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
        return Mailbox(localPart: String(decoding: unfolded, as: UTF8.self), host: try host())
    }

    private mutating func host() throws(AddressError) -> Mailbox.Host {
        let host: Mailbox.Host
        switch token {
        case .atom(let range):
            // One final dot would be accepted in DNS but not in an address (RFC 5321 §4.1.2).
            let octets = tokenizer.bytes[range]
            guard octets.last != UInt8(ascii: "."), let domain = Domain(String(decoding: octets, as: UTF8.self)) else {
                throw AddressError(reason: "a domain that is not a domain name")
            }
            host = .domain(domain)
        case .literal(let range):
            host = .literal(String(decoding: tokenizer.bytes[range], as: UTF8.self))
        case .encodedWord, .quotedString, .special, nil:
            throw AddressError(reason: "an address without a domain")
        }
        try advance()
        return host
    }

    /// RFC 5322 §3.2.3: dots only between atoms.
    private static func isDotAtom(_ octets: ArraySlice<UInt8>) -> Bool {
        var previous = UInt8(ascii: ".")
        for byte in octets {
            if byte == UInt8(ascii: "."), previous == UInt8(ascii: ".") { return false }
            previous = byte
        }
        return previous != UInt8(ascii: ".")
    }
}
