// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// Why what was asked for a message can't be done.
extension IntakeRefusal {
    /// RFC 3463 §3.8: X.7.1, "delivery not authorized, message refused".
    static func unknownRoute(_ name: String, known: [String]) -> IntakeRefusal {
        let list = known.map { "\"\($0)\"" }.joined(separator: ", ")
        return IntakeRefusal(
            replyCode: 550, status: EnhancedStatusCode(5, 7, 1),
            lines: [printable("Message refused: no [[route]] is called \"\(name)\"; there are \(list)")])
    }

    /// RFC 3463 §3.5: X.4.7, "delivery time expired".
    static var expiredBefore: IntakeRefusal {
        IntakeRefusal(
            replyCode: 550, status: EnhancedStatusCode(5, 4, 7),
            lines: ["Message refused: it would expire before it may leave."])
    }
}
