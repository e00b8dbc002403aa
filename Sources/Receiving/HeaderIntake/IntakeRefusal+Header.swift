// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// The refusals of intake that a header section causes.
extension IntakeRefusal {
    /// RFC 3463 §3.7: X.6.0, "other or undefined media error".
    package static func from(_ problem: String) -> IntakeRefusal {
        IntakeRefusal(
            replyCode: 550, status: EnhancedStatusCode(5, 6, 0),
            lines: ["Message refused: \(problem)."])
    }

    /// RFC 5322 §3.6: how often a field may stand.
    static func repeated(_ name: String, count: Int) -> IntakeRefusal {
        let limit = name == "From" ? "one must stand" : "at most one may stand"
        return from("the message has \(count) \(name) fields, where \(limit) (RFC 5322, section 3.6); send it once")
    }

    static func repeatedInResending(_ name: String) -> IntakeRefusal {
        from(
            "\(shortened(name)) stands twice in one block of Resent fields, where it may stand once"
                + " (RFC 5322, section 3.6.6); send it once")
    }

    /// - Parameter problem: what the field has or lacks, and how to mend it.
    static func field(_ name: String, problem: String) -> IntakeRefusal {
        from("the \(shortened(name)) field \(problem)")
    }

    /// A name may be as long as a line.
    private static func shortened(_ name: String) -> String {
        name.utf8.count <= 64 ? name : "\(name.prefix(61))..."
    }

    package static func malformedHeaderSection(_ error: MalformedHeaderSection) -> IntakeRefusal {
        IntakeRefusal(
            replyCode: 550, status: EnhancedStatusCode(5, 6, 0),
            lines: ["Message refused: line \(error.line) of the header section is malformed: \(error.reason)."])
    }

    /// RFC 5321 §6.3, RFC 3463 §3.5: X.4.6, "routing loop detected".
    package static func tooManyHops(_ count: Int) -> IntakeRefusal {
        IntakeRefusal(
            replyCode: 554, status: EnhancedStatusCode(5, 4, 6),
            lines: ["Message refused: it has \(count) Received fields, so it is going round in a loop."])
    }

    /// RFC 3463 §3.4: X.3.4, "message too big for system".
    package static var headerSectionTooLarge: IntakeRefusal {
        IntakeRefusal(
            replyCode: 552, status: EnhancedStatusCode(5, 3, 4),
            lines: ["Message refused: its header section is larger than \(HeaderSection.maximumOctets / 1024) KiB."])
    }
}
