// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import Spooling

// What a message may ask for, and a dispatcher heeds.
extension ClaimedMessage {
    /// What becomes of a message that asked not to be sent any more from some time on; nil before that.
    ///
    /// Not so at the end of the usual lifetime, where one last attempt is made: a message that asks for an end is
    /// useless after it, such as a password for one login.
    func expired(at now: Timestamp) -> Diagnostic? {
        guard let wanted = options.expiry, now >= wanted else { return nil }
        let attempts = recipients.map(\.attempts).max() ?? 0
        let tried = attempts == 0 ? "it was not tried" : "it was deferred \(attempts) times"
        // RFC 3463 §3.5: X.4.7, delivery time expired.
        return Diagnostic(
            status: EnhancedStatusCode(5, 4, 7),
            text: "not delivered by \(MailDate.text(wanted)), when its sender had it expire; \(tried)",
            owner: .network)
    }
}

extension RoutingFault {
    /// No route takes a recipient, or the one that the message asks for is gone.
    static func noRoute(_ options: MessageOptions) -> RoutingFault {
        guard let name = options.route else {
            return .deferred(4, 4, "no route is for this recipient", .operator)
        }
        return .deferred(
            4, 4,
            "the message asks for the [[route]] \"\(name)\", and none of that name is configured any more: "
                + "add it to the configuration again, and reload", .operator)
    }
}

extension Diagnostic {
    /// What is recorded of a message that asked not to be sent: nobody who reads it must take it for a delivery.
    static func tested(_ route: Route, _ content: SignedContent) -> Diagnostic {
        let size = content.length.map { ", \($0) octets" } ?? ""
        // Fields are not kept of a message that is encoded for its way; then they stand in front.
        let isSigned =
            content.keptFields.map { !$0.isEmpty } ?? content.front.starts(with: "DKIM-Signature:".utf8)
        let signing = isSigned ? "signed" : "unsigned, as the configuration has it,"
        return Diagnostic(
            status: EnhancedStatusCode(2, 0, 0),
            text: "a test: \(signing) for the route \"\(route.name)\"\(size), and not sent, as was asked",
            owner: .sender)
    }
}
