// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// DeliveryStatusNotification is in charge of the message that tells a sender what became of a message.
///
/// RFC 3464, RFC 6522. Whether one may be sent at all is decided before it is made: never for a null reverse-path.
/// It is pure ASCII with short lines whatever the original and the next hop's replies held, so that every next hop
/// takes it.
package struct DeliveryStatusNotification: Sendable {
    /// Of the original's header section this much is returned, in whole fields.
    package static let maximumReturnedOctets = 64 * 1024

    /// RFC 3464 §2.3.3.
    package enum Action: String, Hashable, Sendable {
        case failed, delayed, relayed, delivered
    }

    /// What became of one recipient.
    package struct RecipientReport: Hashable, Sendable {
        package var mailbox: Mailbox
        package var diagnostic: Diagnostic
        package var action: Action
        package var lastAttempt: Timestamp?
        /// ORCPT= of RCPT, as it came.
        package var originalRecipient: String?

        package init(
            mailbox: Mailbox, diagnostic: Diagnostic, action: Action = .failed, lastAttempt: Timestamp? = nil,
            originalRecipient: String? = nil
        ) {
            self.mailbox = mailbox
            self.diagnostic = diagnostic
            self.action = action
            self.lastAttempt = lastAttempt
            self.originalRecipient = originalRecipient
        }
    }

    /// The original's reverse-path.
    package var recipient: Mailbox
    /// The author domain of the notification: it must be one that mail can be signed for.
    package var sender: Domain
    /// This relay's name.
    package var reportingHost: String
    /// Of the original, like `arrival`.
    package var queueID: QueueID
    package var arrival: Timestamp
    /// Empty when it is lost.
    package var originalHeaderSection: [UInt8]
    package var reports: [RecipientReport]
    /// ENVID= of MAIL, as it came.
    package var envelopeID: String?
    /// To return the message whole; nil: its header section is returned.
    package var originalBody: [UInt8]?

    package init(
        recipient: Mailbox, sender: Domain, reportingHost: String, queueID: QueueID, arrival: Timestamp,
        originalHeaderSection: [UInt8], reports: [RecipientReport]
    ) {
        self.recipient = recipient
        self.sender = sender
        self.reportingHost = reportingHost
        self.queueID = queueID
        self.arrival = arrival
        self.originalHeaderSection = originalHeaderSection
        self.reports = reports
    }

    /// RFC 3464 §2: the null reverse-path, so that no notification causes another.
    package var envelope: Envelope {
        Envelope(reversePath: .null, recipients: [recipient])
    }

    /// Header section, empty line and body, with CRLF line ends.
    ///
    /// - Parameter random: tells the parts' boundary and the Message-ID apart from all others.
    package func content(now: Timestamp, random: UInt64) -> [UInt8] {
        let boundary = "=_\(queueID)_\(String(random, radix: 36))"
        var output: [UInt8] = []
        output.reserveCapacity(2048 + originalHeaderSection.count * 2)
        appendHeaderSection(boundary: boundary, now: now, random: random, to: &output)
        output += "\r\n--\(boundary)\r\n".utf8
        appendText(to: &output)
        output += "\r\n--\(boundary)\r\n".utf8
        appendDeliveryStatus(to: &output)
        // RFC 6522 §3: the third part is optional, and a content that is lost has nothing to return.
        if !originalHeaderSection.isEmpty {
            output += "\r\n--\(boundary)\r\n".utf8
            appendReturned(to: &output)
        }
        output += "\r\n--\(boundary)--\r\n".utf8
        return output
    }

    /// What it is about, and what it says of that: one word for all of its recipients, who fare alike.
    private var subject: (title: String, fate: String) {
        switch reports.first?.action ?? .failed {
        case .failed:
            (
                "Undelivered mail returned to sender",
                "could not be delivered to the recipients below. It will not be tried again."
            )
        case .delayed:
            (
                "Delivery delayed",
                "has not been delivered yet to the recipients below. It will be tried again; you need not send it again."
            )
        case .relayed:
            (
                "Mail passed on",
                "was passed on for the recipients below to a server that may not report its delivery."
            )
        case .delivered: ("Mail delivered", "was delivered to the recipients below.")
        }
    }

    func appendField(_ name: String, _ value: String, to output: inout [UInt8]) {
        output += "\(name): ".utf8
        LineFolder(continuation: " ").append(value, column: name.utf8.count + 2, to: &output)
    }

    /// An address is not folded: the spaces in a quoted local-part are part of it.
    func appendAddressField(_ name: String, _ value: String, to output: inout [UInt8]) {
        output += LineFolder.printableASCII("\(name): \(value)") + "\r\n".utf8
    }

    private func appendHeaderSection(boundary: String, now: Timestamp, random: UInt64, to output: inout [UInt8]) {
        appendField("From", "Mail Delivery System <MAILER-DAEMON@\(sender)>", to: &output)
        appendAddressField("To", "<\(recipient)>", to: &output)
        appendField("Subject", subject.title, to: &output)
        appendField("Date", MailDate.text(now), to: &output)
        let messageID = MessageIDMaker.messageID(queueID: queueID, random: random, host: sender.name)
        appendField("Message-ID", messageID, to: &output)
        // RFC 3834 §5.
        appendField("Auto-Submitted", "auto-replied", to: &output)
        appendField("MIME-Version", "1.0", to: &output)
        // RFC 6522 §3.
        let type = "multipart/report; report-type=delivery-status; boundary=\"\(boundary)\""
        appendField("Content-Type", type, to: &output)
    }

    /// RFC 6522 §3 (1): the part for a human reader.
    private func appendText(to output: inout [UInt8]) {
        let folder = LineFolder(continuation: "")
        output += "Content-Type: text/plain; charset=us-ascii\r\n\r\n".utf8
        folder.append("This is the mail system at \(reportingHost).", column: 0, to: &output)
        output += "\r\n".utf8
        folder.append("Your message of \(MailDate.text(arrival)) \(subject.fate)", column: 0, to: &output)
        for report in reports {
            output += "\r\n".utf8
            output += LineFolder.printableASCII("<\(report.mailbox)>:") + "\r\n".utf8
            output += "    ".utf8
            let verb = report.diagnostic.replyCode == nil ? ":" : " said:"
            let source = report.diagnostic.remote.map { "\($0)\(verb) " } ?? ""
            LineFolder(continuation: "    ").append(
                source + diagnosticText(report.diagnostic), column: 4, to: &output)
        }
    }

    /// The reply as the next hop gave it, or what was found without one.
    func diagnosticText(_ diagnostic: Diagnostic) -> String {
        guard let code = diagnostic.replyCode else { return diagnostic.text }
        let startsWithStatus = diagnostic.text.split(separator: " ").first.flatMap { EnhancedStatusCode($0) } != nil
        return startsWithStatus ? "\(code) \(diagnostic.text)" : "\(code) \(diagnostic.status) \(diagnostic.text)"
    }
}
