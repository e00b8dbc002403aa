// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// The refusals of intake that a control field causes.
///
/// RFC 3463 §3.7: X.6.0, "other or undefined media error".
extension IntakeRefusal {
    static func unknownControlField(_ name: String) -> IntakeRefusal {
        let known = ControlField.allCases.map(\.name).joined(separator: ", ")
        return control(
            ["Message refused: there is no control field \(shown(name)).", "Known are \(known)."])
    }

    static func repeatedControlField(_ field: ControlField) -> IntakeRefusal {
        control(["Message refused: the control field \(field.name) stands more than once; send it once."])
    }

    static func controlValue(_ field: ControlField, _ value: String) -> IntakeRefusal {
        control(["Message refused: \(field.name) is \"\(shown(value))\",", "which must be \(field.form)."])
    }

    static func unknownRoute(_ name: String, known: [String]) -> IntakeRefusal {
        // As many as a line holds well.
        let names = known.prefix(10).map(shown).joined(separator: ", ")
        return control([
            "Message refused: \(ControlField.route.name) is \"\(shown(name))\",",
            "which must be \(ControlField.route.form): \(names.prefix(400)).",
        ])
    }

    static var tooManyTags: IntakeRefusal {
        control(["Message refused: it has more than \(ControlFields.maximumTags) tags in \(ControlField.tag.name)."])
    }

    static func tooFarAhead(_ field: ControlField) -> IntakeRefusal {
        let days = ControlFields.maximumSecondsAhead / 86_400
        return control(["Message refused: \(field.name) lies more than \(days) days ahead; send it later."])
    }

    static func expiredBeforehand(isDelayed: Bool) -> IntakeRefusal {
        let moment = isDelayed ? "before the message leaves by \(ControlField.sendAt.name)" : "in the past"
        return control(["Message refused: \(ControlField.expires.name) lies \(moment), so nobody would get it."])
    }

    private static func control(_ lines: [String]) -> IntakeRefusal {
        IntakeRefusal(replyCode: 550, status: EnhancedStatusCode(5, 6, 0), lines: lines)
    }

    /// What a client wrote, as far as it can stand in a reply.
    private static func shown(_ text: String) -> String {
        let octets = text.utf8.prefix(64).map { (32...126).contains($0) ? $0 : UInt8(ascii: "?") }
        return String(decoding: octets, as: UTF8.self) + (text.utf8.count > 64 ? "..." : "")
    }
}
