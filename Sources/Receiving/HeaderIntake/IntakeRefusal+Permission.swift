// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

extension IntakeRefusal {
    /// RFC 6409 §6.1: a submitter uses addresses that it may use.
    ///
    /// RFC 3463 §3.8: X.7.1, "delivery not authorized".
    static func notPermitted(_ mailbox: Mailbox, in place: String, application: String) -> IntakeRefusal {
        let text =
            "Message refused: application \(application) may not use <\(mailbox)> in \(place);"
            + " `from` of its [[app]] says what it may use"
        let printable = text.unicodeScalars.map { (32...126).contains($0.value) ? $0 : "?" }
        return IntakeRefusal(
            replyCode: 550, status: EnhancedStatusCode(5, 7, 1),
            lines: [String(String.UnicodeScalarView(printable))])
    }
}
