// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import Spooling

extension Delivery {
    /// Those whom the next hop hears of.
    var recipients: [Mailbox] {
        if let substitute { return [substitute] }
        let claimed = message.claimed
        return positions.map { claimed.recipients[$0].mailbox }
    }

    /// What the next hop is told of them; of those whose mail is captured nothing, not even by ORCPT.
    var notices: DeliveryNotices {
        substitute == nil ? message.claimed.notices(of: positions) : DeliveryNotices()
    }

    /// What became of each of `positions`, by what became of each of `recipients`.
    func outcomes(_ outcomes: [Outcome?]) -> [Outcome?] {
        guard substitute != nil, let outcome = outcomes.first else { return outcomes }
        return Array(repeating: outcome, count: positions.count)
    }

    /// The same, for who gets it instead.
    func captured(by substitute: Mailbox?, version: Int) -> Delivery {
        var delivery = self
        delivery.substitute = substitute
        delivery.captureVersion = version
        return delivery
    }
}
