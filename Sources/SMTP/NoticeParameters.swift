// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// NoticeParameters is in charge of the words of RFC 3461 §4 behind MAIL and RCPT: what the sender wants to be told.
///
///     C: MAIL FROM:<ada@example.com> RET=HDRS ENVID=QQ314159
///     C: RCPT TO:<bob@example.org> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob@example.net
enum NoticeParameters {
    /// Octets of a value of ENVID and of ORCPT (§4.4, §4.2).
    static let maximumEnvelopeIDOctets = 100
    static let maximumOriginalRecipientOctets = 500

    /// Takes a parameter of MAIL; false if it is another's.
    static func take(
        _ keyword: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>, into notices: inout DeliveryNotices
    ) throws(CommandError) -> Bool {
        if keyword.isEqual(anyCase: "RET") {
            let word = String(decoding: value, as: UTF8.self).uppercased()
            guard notices.returned == nil, let returned = DeliveryNotices.Returned(rawValue: word) else {
                throw .badParameter("RET takes FULL or HDRS, once")
            }
            notices.returned = returned
        } else if keyword.isEqual(anyCase: "ENVID") {
            guard notices.envelopeID == nil, value.count <= maximumEnvelopeIDOctets, let text = xtext(value) else {
                throw .badParameter("ENVID takes up to 100 octets of xtext, once")
            }
            notices.envelopeID = text
        } else {
            return false
        }
        return true
    }

    /// Takes a parameter of RCPT; false if it is another's.
    static func take(
        _ keyword: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>, into notice: inout RecipientNotice
    ) throws(CommandError) -> Bool {
        if keyword.isEqual(anyCase: "NOTIFY") {
            let words = String(decoding: value, as: UTF8.self)
            guard notice.occasions == nil, let occasions = RecipientNotice.occasions(words) else {
                throw .badParameter("NOTIFY takes NEVER, or some of SUCCESS, FAILURE and DELAY, once")
            }
            notice.occasions = occasions
        } else if keyword.isEqual(anyCase: "ORCPT") {
            guard notice.originalRecipient == nil, let text = originalRecipient(value) else {
                throw .badParameter("ORCPT takes an address type, a semicolon and an address in xtext, once")
            }
            notice.originalRecipient = text
        } else {
            return false
        }
        return true
    }

    private static func originalRecipient(_ value: ArraySlice<UInt8>) -> String? {
        let type = value.prefix { $0 != UInt8(ascii: ";") }
        let isAtom = type.allSatisfy { byte in
            (0x21...0x7E).contains(byte) && !"()<>@,;:\\\".[]=+".utf8.contains(byte)
        }
        let address = value.dropFirst(type.count + 1)
        guard !type.isEmpty, isAtom, value.count <= maximumOriginalRecipientOctets, xtext(address) != nil else {
            return nil
        }
        return String(decoding: value, as: UTF8.self)
    }

    /// The octets as text if they are xtext of something printable, and there are any (§4).
    private static func xtext(_ value: ArraySlice<UInt8>) -> String? {
        guard !value.isEmpty, let decoded = XText.decoded(value), decoded.allSatisfy({ (0x20...0x7E).contains($0) })
        else { return nil }
        return String(decoding: value, as: UTF8.self)
    }
}
