// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// The parts for programs: what became of each recipient, and the header section that the report is about.
extension DeliveryStatusNotification {
    /// RFC 3464 §2.1: fields about the message, then a group of fields for each recipient.
    func appendDeliveryStatus(to output: inout [UInt8]) {
        output += "Content-Type: message/delivery-status\r\n\r\n".utf8
        // RFC 3464 §2.2.1: without the encoding that it has in MAIL.
        if let envelopeID { appendAddressField("Original-Envelope-Id", XText.readable(envelopeID), to: &output) }
        appendField("Reporting-MTA", "dns; \(reportingHost)", to: &output)
        appendField("X-Waxwing-Queue-ID", queueID.description, to: &output)
        appendField("Arrival-Date", MailDate.text(arrival), to: &output)
        for report in reports {
            output += "\r\n".utf8
            // RFC 3464 §2.3.1, before the final recipient; only as the sender gave it.
            if let original = report.originalRecipient {
                let type = original.prefix { $0 != ";" }
                let address = XText.readable(String(original.dropFirst(type.count + 1)))
                appendAddressField("Original-Recipient", "\(type); \(address)", to: &output)
            }
            appendAddressField("Final-Recipient", "rfc822; \(report.mailbox)", to: &output)
            appendField("Action", report.action.rawValue, to: &output)
            appendField("Status", report.diagnostic.status.description, to: &output)
            if let remote = report.diagnostic.remote {
                appendField("Remote-MTA", "dns; \(DeliveryStatusNotification.hostName(of: remote))", to: &output)
            }
            // RFC 3464 §2.3.6: the type `smtp` is for what an SMTP server said.
            let type = report.diagnostic.replyCode == nil ? "x-waxwing" : "smtp"
            appendField("Diagnostic-Code", "\(type); \(diagnosticText(report.diagnostic))", to: &output)
            if let lastAttempt = report.lastAttempt {
                appendField("Last-Attempt-Date", MailDate.text(lastAttempt), to: &output)
            }
        }
    }

    /// The message whole, where that was asked for and it needs no encoding (RFC 3461 §4.3), else its header section.
    func appendReturned(to output: inout [UInt8]) {
        guard let originalBody, originalHeaderSection.count <= DeliveryStatusNotification.maximumReturnedOctets,
            DeliveryStatusNotification.isPlainText(originalHeaderSection[...]),
            DeliveryStatusNotification.isPlainText(originalBody[...])
        else { return appendReturnedHeaderSection(to: &output) }
        output += "Content-Type: message/rfc822\r\n\r\n".utf8
        output += originalHeaderSection + "\r\n".utf8 + originalBody
    }

    /// RFC 6522 §4: the header section is enough to recognise the message by, and may be quoted-printable where
    /// it is not 7-bit text with lines that every relay takes.
    func appendReturnedHeaderSection(to output: inout [UInt8]) {
        let returned = DeliveryStatusNotification.wholeFields(of: originalHeaderSection)
        output += "Content-Type: text/rfc822-headers\r\n".utf8
        if DeliveryStatusNotification.isPlainText(returned) {
            output += "\r\n".utf8
            output += returned
        } else {
            output += "Content-Transfer-Encoding: quoted-printable\r\n\r\n".utf8
            output += QuotedPrintable.encode(returned)
        }
    }

    /// The fields that fit into `maximumReturnedOctets`.
    private static func wholeFields(of headerSection: [UInt8]) -> ArraySlice<UInt8> {
        guard headerSection.count > maximumReturnedOctets else { return headerSection[...] }
        var end = maximumReturnedOctets
        while end > 0 {
            let startsField = headerSection[end] != UInt8(ascii: " ") && headerSection[end] != UInt8(ascii: "\t")
            if startsField, headerSection[end - 1] == UInt8(ascii: "\n") { break }
            end -= 1
        }
        return headerSection[..<end]
    }

    /// Whether it is 7-bit data (RFC 2045 §2.7): lines of at most 998 octets, no NUL, CR and LF only in pairs.
    private static func isPlainText(_ text: ArraySlice<UInt8>) -> Bool {
        var column = 0
        var previous: UInt8 = 0
        for byte in text {
            guard byte != 0, byte < 128 else { return false }
            guard (previous == UInt8(ascii: "\r")) == (byte == UInt8(ascii: "\n")) else { return false }
            column = byte == UInt8(ascii: "\n") ? 0 : column + 1
            guard column <= 998 + 1 else { return false }
            previous = byte
        }
        return previous != UInt8(ascii: "\r")
    }

    /// A next hop without its port, an address as an address literal.
    ///
    /// RFC 3464 §2.1.2: MTA names of the type `dns` are domains or address literals.
    static func hostName(of remote: String) -> String {
        var host = remote[...]
        if host.hasPrefix("["), let bracket = host.firstIndex(of: "]") {
            host = host[host.index(after: host.startIndex)..<bracket]
        } else if let bracket = host.firstIndex(of: "[") {
            // `mx.example.net[192.0.2.1]:25`: the name is enough.
            host = host[..<bracket]
        } else if let colon = host.firstIndex(of: ":"), host[host.index(after: colon)...].allSatisfy(\.isNumber) {
            host = host[..<colon]
        }
        if host.contains(":") { return "[IPv6:\(host)]" }
        return host.allSatisfy { $0.isNumber || $0 == "." } ? "[\(host)]" : String(host)
    }
}
