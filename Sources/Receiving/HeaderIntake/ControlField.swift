// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// A header field by which an application says how Waxwing is to treat one message; it never leaves.
///
/// | field | value |
/// |---|---|
/// | `X-Waxwing-Tag` | up to ten words to find messages by, with commas between them; the field may stand again |
/// | `X-Waxwing-Expires` | how long the message is of use: a duration such as `10 min`, or a date |
/// | `X-Waxwing-Send-At` | the date before which it does not leave |
/// | `X-Waxwing-Priority` | a number from -9 to 9, or `low`, `normal`, `high` |
/// | `X-Waxwing-Idempotency-Key` | of messages with the same key within a day one is sent |
/// | `X-Waxwing-Route` | the name of the `[[route]]` to take |
/// | `X-Waxwing-Test` | `yes`: the message is taken in and signed, and not sent |
///
/// All names that start with `X-Waxwing` are Waxwing's: one that it does not know is a mistake that would leave.
enum ControlField: String, CaseIterable {
    case tag = "Tag"
    case expires = "Expires"
    case sendAt = "Send-At"
    case priority = "Priority"
    case idempotencyKey = "Idempotency-Key"
    case route = "Route"
    case test = "Test"

    static let prefix = "X-Waxwing"

    var name: String { "\(ControlField.prefix)-\(rawValue)" }

    /// Completes "which must be …".
    var form: String {
        switch self {
        case .tag:
            "1 to \(ControlFields.maximumTagOctets) letters, digits and any of - _ . : / + for each tag, with commas"
                + " between them"
        case .expires: "a duration such as \"10 min\" (s, min, h or d), or a date as in \(ControlField.dates)"
        case .sendAt: "a date as in \(ControlField.dates)"
        case .priority: "a whole number from -9 to 9, or low, normal or high"
        case .idempotencyKey:
            "1 to \(ControlFields.maximumKeyOctets) printable US-ASCII characters without spaces"
        case .route: "the name of a [[route]] of the configuration"
        case .test: "yes or no"
        }
    }

    private static let dates = "\"Mon, 23 Nov 2026 09:05:00 +0000\" or \"2026-11-23T09:05:00Z\""

    /// Nil if there is no control field of this name.
    init?(name: String) {
        let lowercased = name.lowercased()
        guard let field = ControlField.allCases.first(where: { $0.name.lowercased() == lowercased }) else { return nil }
        self = field
    }
}
