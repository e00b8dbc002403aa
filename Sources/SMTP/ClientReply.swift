// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// A reply as a next hop gave it (RFC 5321 §4.2): the code that decides, and text for the people who read the
/// diagnostics.
///
/// The text is kept as bytes until somebody wants to read it.
package struct PeerReply: Hashable, Sendable {
    /// Longest text taken over into a diagnostic, in octets.
    package static let maximumDiagnosticOctets = 1000

    /// What the first digit says.
    package enum Severity: Hashable, Sendable {
        case positive, intermediate, transient, permanent
    }

    /// 200 to 599.
    package let code: Int
    /// What follows the code on each line, the lines separated by LF.
    package let text: [UInt8]

    package init(code: Int, text: [UInt8]) {
        self.code = code
        self.text = text
    }

    package var severity: Severity {
        switch code / 100 {
        case 2: .positive
        case 3: .intermediate
        case 4: .transient
        default: .permanent
        }
    }

    package var isPositive: Bool { code / 100 == 2 }

    /// The lines of the text, without codes.
    package var lines: [ArraySlice<UInt8>] {
        text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    }

    /// The enhanced status code at the start of the text.
    ///
    /// RFC 2034 §4: its class must be the class of the reply code; one that isn't is a next hop's slip, and
    /// the reply code counts.
    package var status: EnhancedStatusCode? {
        var numbers = (0, 0, 0)
        var field = 0
        var digits = 0
        for byte in text {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let digit = Int(byte - UInt8(ascii: "0"))
                digits += 1
                guard digits <= 3 else { return nil }
                switch field {
                case 0: numbers.0 = numbers.0 * 10 + digit
                case 1: numbers.1 = numbers.1 * 10 + digit
                default: numbers.2 = numbers.2 * 10 + digit
                }
                continue
            case UInt8(ascii: ".") where field < 2 && digits > 0:
                field += 1
                digits = 0
                continue
            default:
                guard byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") else { return nil }
            }
            break
        }
        guard field == 2, digits > 0, numbers.0 == code / 100, [2, 4, 5].contains(numbers.0) else { return nil }
        return EnhancedStatusCode(numbers.0, numbers.1, numbers.2)
    }

    /// The text as one line of printable ASCII: lines joined by " / ", anything else as "?".
    package var printableText: String {
        var printable: [UInt8] = []
        printable.reserveCapacity(min(text.count, PeerReply.maximumDiagnosticOctets) + 8)
        for byte in text {
            guard printable.count < PeerReply.maximumDiagnosticOctets else { break }
            switch byte {
            case UInt8(ascii: "\n"): printable.append(contentsOf: " / ".utf8)
            case UInt8(ascii: "\t"): printable.append(UInt8(ascii: " "))
            case 0x20...0x7E: printable.append(byte)
            default: printable.append(UInt8(ascii: "?"))
            }
        }
        return String(decoding: printable, as: UTF8.self)
    }

    /// What this reply to `command` says about a delivery attempt.
    package func diagnostic(command: String, remote: String) -> Diagnostic {
        let status = status ?? EnhancedStatusCode(isPositive ? 2 : severity == .permanent ? 5 : 4, 0, 0)
        return Diagnostic(
            replyCode: code, status: status, text: printableText, remote: remote, command: command,
            owner: owner(status))
    }

    /// Who must act.
    private func owner(_ status: EnhancedStatusCode) -> Diagnostic.Owner {
        if isAuthenticationFault { return .operator }
        switch status.subject {
        case 1, 2: return .recipient
        case 3, 4: return .network
        case 5, 7: return .operator
        case 6: return .sender
        default: return severity == .permanent ? .recipient : .network
        }
    }

    /// RFC 4954 §6: the next hop wants other credentials than it got.
    ///
    /// The mail is not at fault, so it waits.
    package var isAuthenticationFault: Bool {
        code == 530 || code == 534 || code == 535 || code == 538
    }
}
