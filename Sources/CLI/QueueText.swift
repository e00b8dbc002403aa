// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import Relay

/// The queue for people.
enum QueueText {
    static func list(_ document: QueueDocument) -> String {
        if document.messages.isEmpty { return "The queue is empty.\n" }
        var text = ""
        for message in document.messages {
            let sender = "<\(message.reversePath)>"
            text += "\(message.queueID)  \(message.state)  \(Moment.text(message.arrival))  \(message.octets) octets  "
            text += "\(sender)  \(message.openRecipients) of \(message.recipients) recipients\n"
            if let release = message.release, message.nextAttempt == release {
                text += "    held until \(Moment.text(release))\n"
            } else if let next = message.nextAttempt {
                text += "    next attempt \(Moment.text(next))\n"
            }
            if let diagnostic = message.lastDiagnostic { text += "    \(diagnostic)\n" }
        }
        if let next = document.next { text += "More: waxwing queue list --after \(next)\n" }
        return text
    }

    static func show(_ message: QueueEntryDocument) -> String {
        var text = """
            \(message.queueID)\(message.isActive ? "  on its way out now" : "")\(message.isHeld ? "  held" : "")
            from     <\(message.reversePath)>
            arrived  \(Moment.text(message.arrival))
            expires  \(Moment.text(message.expiry))
            size     \(message.octets) octets

            """
        for (index, repair) in message.repairs.enumerated() {
            text += (index == 0 ? "repairs  " : "         ") + QueueText.repair(repair) + "\n"
        }
        if let options = message.options { text += QueueText.options(options) }
        for recipient in message.recipients {
            text += "to       <\(recipient.mailbox)>  \(recipient.state), \(recipient.attempts) attempts deferred\n"
            if let diagnostic = recipient.lastDiagnostic { text += "         \(diagnostic)\n" }
            if let nextHop = recipient.lastNextHop { text += "         said by \(nextHop)\n" }
            if let owner = recipient.owner { text += "         \(advice(owner))\n" }
            if let words = recipient.notify { text += "         reports wanted: \(words.lowercased())\n" }
            if let original = recipient.originalRecipient { text += "         originally for \(original)\n" }
            if let next = recipient.nextAttempt { text += "         next attempt \(Moment.text(next))\n" }
        }
        return text
    }

    /// What was done to the message, in words.
    ///
    /// A word that a newer daemon uses stands for itself.
    private static func repair(_ word: String) -> String {
        switch Repair(rawValue: word) {
        case .lineEnds: "line ends: LF became CRLF"
        case .finalLineEnd: "the last line got its line end"
        case .fieldSyntax: "white space before a field's colon was removed"
        case .foldedHeader: "a header line over 998 octets was folded"
        case .encodedHeader: "8-bit text in the header was encoded (RFC 2047)"
        case .encodedLongLines: "a body part with lines over 998 octets was encoded"
        case .rewrittenMailbox: "the sender's mailbox was rewritten by a [[rewrite]] rule"
        case .addedFields: "header fields of the application ([[app]]) were added"
        case nil: word
        }
    }

    private static func advice(_ owner: String) -> String {
        switch owner {
        case "sender": "the sender must act: address or content"
        case "recipient": "the recipient's side must act"
        case "operator": "you must act: this machine's configuration, keys or reputation"
        default: "nobody must act: it is tried again"
        }
    }
}
