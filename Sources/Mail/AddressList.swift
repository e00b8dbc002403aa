// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What stands in the value of an address field, and where.
package struct AddressList: Hashable, Sendable {
    /// The addresses in their order, those of groups included.
    package var addresses: [Address] = []
    /// The words of display names and group names, and the comments, in their order.
    package var phrases: [Phrase] = []

    /// An address as an author may write it.
    package struct Address: Hashable, Sendable {
        /// With its quotes if it needs any.
        package var localPart: String
        /// Nil for an address without a domain, such as `root`.
        package var host: Mailbox.Host?
        /// From the local-part, or the route before it, to the end of the domain, without angle brackets.
        package var octets: Range<Int>

        /// Nil if it has no domain.
        package var mailbox: Mailbox? {
            host.map { Mailbox(localPart: localPart, host: $0) }
        }

        /// The address in the one spelling that all readers understand alike.
        package var description: String {
            mailbox?.description ?? localPart
        }
    }

    /// Whether all readers find the same addresses in the value that was read: no route, nothing between the parts of
    /// an address, and no encoded word in which a reader that knows none of them finds an address.
    package func isUnmistakable(in value: ArraySlice<UInt8>) -> Bool {
        let arePlain = addresses.allSatisfy { address in
            let written = value[address.octets]
            // An internationalised domain is written as itself.
            let isPlain =
                written.contains { $0 > 127 }
                || String(decoding: written, as: UTF8.self).lowercased() == address.description.lowercased()
            return isPlain && !EncodedWord.isContained(in: address.localPart)
        }
        return arePlain
            && phrases.allSatisfy { phrase in
                let octets = value[phrase.octets]
                return phrase.kind != .encodedWord
                    || EncodedWord.escapedForPhrase(octets).map { octets.elementsEqual($0) } ?? false
            }
    }

    /// A piece of text for people.
    package struct Phrase: Hashable, Sendable {
        package enum Kind: Hashable, Sendable {
            case atom
            /// With its quotes.
            case quotedString
            case encodedWord
            /// With its parentheses.
            case comment
        }

        package var kind: Kind
        package var octets: Range<Int>
    }
}
