// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What the sender of a message wants to be told of its delivery (RFC 3461): part of the envelope, passed on to next
/// hops that know of it, else honoured here.
package struct DeliveryNotices: Hashable, Sendable {
    /// RET= of MAIL: how much of the message comes back with a failure (§4.3).
    package enum Returned: String, Hashable, Sendable {
        case full = "FULL"
        case headers = "HDRS"
    }

    package var returned: Returned?
    /// ENVID= of MAIL, as it was written: xtext (§4.4).
    package var envelopeID: String?
    /// Of those recipients for whom anything was said, by their place in the envelope.
    package var recipients: [Int: RecipientNotice] = [:]

    package init(returned: Returned? = nil, envelopeID: String? = nil, recipients: [Int: RecipientNotice] = [:]) {
        self.returned = returned
        self.envelopeID = envelopeID
        self.recipients = recipients
    }

    /// Nothing was said: failures are reported, with the header section.
    package static let none = DeliveryNotices()
}

/// What the sender wants to be told about one recipient.
package struct RecipientNotice: Hashable, Sendable {
    /// NOTIFY= of RCPT (§4.1).
    package struct Occasions: OptionSet, Hashable, Sendable {
        package let rawValue: Int

        package init(rawValue: Int) {
            self.rawValue = rawValue
        }

        package static let success = Occasions(rawValue: 1)
        package static let failure = Occasions(rawValue: 2)
        package static let delay = Occasions(rawValue: 4)
    }

    /// Nil: nothing was said.
    ///
    /// Empty: NEVER.
    package var occasions: Occasions?
    /// ORCPT= of RCPT, as it was written: an address type, a semicolon, xtext (§4.2).
    package var originalRecipient: String?

    package init(occasions: Occasions? = nil, originalRecipient: String? = nil) {
        self.occasions = occasions
        self.originalRecipient = originalRecipient
    }

    /// Whether an occasion is to be reported (§4.1): without a word that is failure, and delay as the relay likes.
    package func wants(_ occasion: Occasions) -> Bool {
        (occasions ?? [.failure, .delay]).contains(occasion)
    }

    /// The value of NOTIFY; nil if nothing was said.
    package var occasionWords: String? {
        guard let occasions else { return nil }
        if occasions.isEmpty { return "NEVER" }
        let words: [(Occasions, String)] = [(.success, "SUCCESS"), (.failure, "FAILURE"), (.delay, "DELAY")]
        return words.filter { occasions.contains($0.0) }.map(\.1).joined(separator: ",")
    }

    /// Reads the value of NOTIFY in any case; nil when it is none, or says NEVER beside another word.
    package static func occasions(_ words: String) -> Occasions? {
        if words.uppercased() == "NEVER" { return [] }
        var occasions: Occasions = []
        for word in words.uppercased().split(separator: ",", omittingEmptySubsequences: false) {
            let occasion: Occasions
            switch word {
            case "SUCCESS": occasion = .success
            case "FAILURE": occasion = .failure
            case "DELAY": occasion = .delay
            default: return nil
            }
            guard occasions.insert(occasion).inserted else { return nil }
        }
        return occasions
    }
}

extension DeliveryNotices {
    package subscript(recipient index: Int) -> RecipientNotice {
        recipients[index] ?? RecipientNotice()
    }

    /// Whether an occasion is to be reported for the recipient at this place.
    package func wants(_ occasion: RecipientNotice.Occasions, recipient index: Int) -> Bool {
        self[recipient: index].wants(occasion)
    }
}
