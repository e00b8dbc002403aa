// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// Author is in charge of who a message is from: the one mailbox in From, whose domain decides which key signs.
///
/// What programs read differently is written in its one plain spelling: an address with a route, or with comments
/// around its dots; an encoded word that an address could be found in.
struct Author {
    private(set) var mailbox: Mailbox
    private(set) var domain: Domain
    /// What is to stand in From; nil if it stays as it is.
    private(set) var value: [UInt8]?
    private(set) var repairs: Set<Repair> = []
    private(set) var rewritten: RewrittenAuthor?

    /// RFC 5322 §3.6.2 lets a message have several authors; with one there is no question which domain must sign.
    init(of header: HeaderSection, field: HeaderSection.Field?, rules: RewriteRules, localDomain: Domain?)
        throws(IntakeRefusal)
    {
        guard let field else { throw .from("the message has no From field") }
        let list: AddressList
        do {
            list = try AddressParser.list(in: header.bytes[field.value])
        } catch {
            throw .from("the From field has \(error.reason)")
        }
        guard let address = list.addresses.first else { throw .from("the From field has no mailbox") }
        guard list.addresses.count == 1 else {
            throw .from("the From field has \(list.addresses.count) mailboxes, where one must stand")
        }
        let written = header.bytes[address.octets]
        let plain: String
        let rewritten =
            rules.rewrite(localPart: address.localPart, host: address.host)
            ?? localDomain.flatMap { LocalName.completed(localPart: address.localPart, host: address.host, with: $0) }
        if let mailbox = rewritten {
            plain = mailbox.description
            self.mailbox = mailbox
            self.rewritten = RewrittenAuthor(from: address.description, to: mailbox)
            repairs.insert(.rewrittenMailbox)
        } else if let mailbox = address.mailbox {
            plain = mailbox.description
            self.mailbox = mailbox
        } else {
            throw .from(
                "the From field has an address without a domain; send a whole address, or let a [[rewrite]] rule"
                    + " or [local] domain give it one")
        }
        guard let domain = mailbox.domain else {
            throw .from(
                "the From field has an address literal, where a domain must stand; send one, or let a [[rewrite]]"
                    + " rule give it one")
        }
        self.domain = domain
        guard !EncodedWord.isContained(in: plain) else {
            throw .from("the From field has an encoded word for a local-part, which some readers decode; send ASCII")
        }
        var edits = try Author.plainWords(of: list, in: header)
        // Octets above 127 in it are left to the encoding of the whole field.
        let isPlain = written.contains { $0 > 127 } || Author.isEqual(written, plain)
        if !edits.isEmpty || !isPlain && rewritten == nil { repairs.insert(.fieldSyntax) }
        if !isPlain || rewritten != nil { edits.append((address.octets, Array(plain.utf8))) }
        guard !edits.isEmpty else { return }
        edits.sort { $0.octets.lowerBound < $1.octets.lowerBound }
        var value: [UInt8] = []
        var position = field.value.lowerBound
        for edit in edits {
            value += header.bytes[position..<edit.octets.lowerBound] + edit.text
            position = edit.octets.upperBound
        }
        self.value = value + header.bytes[position..<field.value.upperBound]
    }

    /// The encoded words of the display name that must be written otherwise.
    private static func plainWords(
        of list: AddressList, in header: HeaderSection
    ) throws(IntakeRefusal) -> [(octets: Range<Int>, text: [UInt8])] {
        var edits: [(octets: Range<Int>, text: [UInt8])] = []
        for phrase in list.phrases where phrase.kind == .encodedWord {
            let word = header.bytes[phrase.octets]
            guard let text = EncodedWord.escapedForPhrase(word) else {
                throw .from(
                    "the From field has an encoded word with characters that may not stand in one"
                        + " (RFC 2047, section 5); encode them")
            }
            if !word.elementsEqual(text) { edits.append((phrase.octets, text)) }
        }
        return edits
    }

    /// The case of letters is no matter of spelling: the local-part is what it is, and a domain has none.
    private static func isEqual(_ written: ArraySlice<UInt8>, _ plain: String) -> Bool {
        written.elementsEqual(plain.utf8) { left, right in
            left == right || left | 0x20 == right && (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(right)
        }
    }
}
