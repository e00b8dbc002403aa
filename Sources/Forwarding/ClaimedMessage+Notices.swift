// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import Spooling

// What the sender of a message wants to be told (RFC 3461), by the places in `recipients`.
extension ClaimedMessage {
    /// What a next hop is told of some recipients, in their order.
    func notices(of positions: [Int]) -> DeliveryNotices {
        var notices = envelope.notices
        guard !notices.recipients.isEmpty else { return notices }
        notices.recipients = [:]
        for (place, position) in positions.enumerated() {
            notices.recipients[place] = envelope.notices.recipients[recipients[position].index]
        }
        return notices
    }

    /// The report of a success, if one is wanted from here: on delivery, and on handing over to a next hop that reports
    /// none itself (RFC 3461 §5.2.2).
    ///
    /// - Parameter isPassedOn: the next hop got what is wanted, and reports itself.
    func successReport(
        _ position: Int, _ diagnostic: Diagnostic, isPassedOn: Bool, _ now: Timestamp
    ) -> DeliveryStatusNotification.RecipientReport? {
        let recipient = recipients[position]
        guard envelope.notices.wants(.success, recipient: recipient.index), !isPassedOn, !options.isTest else {
            return nil
        }
        // Without a reply it went into a file, which is its end.
        return .init(
            mailbox: recipient.mailbox, diagnostic: diagnostic,
            action: diagnostic.replyCode == nil ? .delivered : .relayed, lastAttempt: now,
            originalRecipient: envelope.notices[recipient: recipient.index].originalRecipient)
    }
}

extension ClaimedMessage {
    /// The body to return with a report, if the sender asked for it and something failed (RFC 3461 §4.3).
    ///
    /// None where it is not at hand in memory or would need another encoding than the report itself: then the header
    /// section tells what the report is about.
    func returnedBody(_ reports: [DeliveryStatusNotification.RecipientReport]) -> [UInt8]? {
        guard envelope.notices.returned == .full, reports.contains(where: { $0.action == .failed }),
            !envelope.isEightBit, case .inline(let octets) = content
        else { return nil }
        return Array(octets.dropFirst(headerLength + 2))
    }
}
