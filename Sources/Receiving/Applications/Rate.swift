// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// How much an application may hand in within a time.
///
///     100/min, 5000 recipients/hour, 2 GiB/day
package struct Rate: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        case messages, recipients, octets
    }

    package static let maximumAmount = 1 << 50
    private static let forms = "\"100/min\", \"5000 recipients/hour\" or \"2 GiB/day\""
    private static let units = ["B": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40]

    package var kind: Kind
    package var amount: Int
    package var period: Period

    package enum Period: Int, Hashable, Sendable {
        case minute = 60
        case hour = 3600
        case day = 86_400
    }

    package init(kind: Kind, amount: Int, period: Period) {
        self.kind = kind
        self.amount = amount
        self.period = period
    }

    package init(_ text: String) throws(PatternError) {
        let fault = PatternError("\"\(text)\" is not a rate; write it like \(Rate.forms)")
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw fault }
        switch parts[1].drop(while: { $0 == " " }) {
        case "min", "minute": period = .minute
        case "h", "hour": period = .hour
        case "d", "day": period = .day
        default: throw fault
        }
        let digits = parts[0].prefix { $0.isASCII && $0.isNumber }
        let word = parts[0].dropFirst(digits.count).split(separator: " ").joined(separator: " ")
        guard let number = Int(digits), (1...Rate.maximumAmount).contains(number) else { throw fault }
        switch word {
        case "", "message", "messages":
            kind = .messages
            amount = number
        case "recipient", "recipients":
            kind = .recipients
            amount = number
        default:
            guard let shift = Rate.units[word], number <= Rate.maximumAmount >> shift else { throw fault }
            kind = .octets
            amount = number << shift
        }
    }
}
