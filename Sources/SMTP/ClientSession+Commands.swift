// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail
import NIOCore

// How the commands of a transaction are written, and what can't be written.
extension ClientSession {
    func mailCommand(_ transaction: ClientTransaction) -> ByteBuffer {
        var buffer = ByteBuffer()
        write(mail: transaction, into: &buffer)
        return buffer
    }

    func recipientCommand(_ index: Int, of transaction: ClientTransaction) -> ByteBuffer {
        var buffer = ByteBuffer()
        write(recipient: index, of: transaction, into: &buffer)
        return buffer
    }

    func write(mail transaction: ClientTransaction, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("MAIL FROM:<")
        if case .mailbox(let mailbox) = transaction.reversePath { write(mailbox, into: &buffer) }
        buffer.writeStaticString(">")
        if extensions.hasSize, let size = transaction.size {
            buffer.writeStaticString(" SIZE=")
            buffer.writeString(String(size))
        }
        if transaction.isEightBit, extensions.hasEightBitMIME { buffer.writeStaticString(" BODY=8BITMIME") }
        // RFC 3461 §5.2.1: passed on unchanged, to who knows of it.
        if extensions.hasDSN {
            if let returned = transaction.notices.returned { buffer.writeString(" RET=\(returned.rawValue)") }
            if let envelopeID = transaction.notices.envelopeID { buffer.writeString(" ENVID=\(envelopeID)") }
        }
        buffer.writeStaticString("\r\n")
    }

    func write(recipient index: Int, of transaction: ClientTransaction, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("RCPT TO:<")
        write(transaction.recipients[index], into: &buffer)
        buffer.writeStaticString(">")
        if extensions.hasDSN, let notice = transaction.notices.recipients[index] {
            if let words = notice.occasionWords { buffer.writeString(" NOTIFY=\(words)") }
            if let original = notice.originalRecipient { buffer.writeString(" ORCPT=\(original)") }
        }
        buffer.writeStaticString("\r\n")
    }

    private func write(_ mailbox: Mailbox, into buffer: inout ByteBuffer) {
        buffer.writeString(mailbox.localPart)
        buffer.writeStaticString("@")
        switch mailbox.host {
        case .domain(let domain): buffer.writeString(domain.name)
        case .literal(let literal): buffer.writeString(literal)
        }
    }

    /// Why this next hop can't get the message at all.
    func misfit(_ transaction: ClientTransaction) -> Diagnostic? {
        // RFC 1870 §6.2: no use in sending what is over the declared maximum.
        if let maximum = extensions.maximumSize, let size = transaction.size, size > maximum {
            return Diagnostic(
                status: EnhancedStatusCode(5, 3, 4),
                text: "the message has \(size) octets, the next hop takes \(maximum)",
                remote: configuration.remote, owner: .sender)
        }
        // RFC 6152 §3: 8-bit content goes only to a server that offers 8BITMIME.
        if transaction.isEightBit, !extensions.hasEightBitMIME {
            return Diagnostic(
                status: EnhancedStatusCode(5, 6, 3),
                text: "the message holds 8-bit content and the next hop does not offer 8BITMIME",
                remote: configuration.remote, owner: .sender)
        }
        if case .mailbox(let mailbox) = transaction.reversePath, !isPlain(mailbox) { return notPlain }
        return nil
    }

    /// Printable ASCII: what a path without SMTPUTF8 consists of (RFC 6531 §3.2), and what can't end a command.
    func isPlain(_ mailbox: Mailbox) -> Bool {
        let isPlainLocalPart = mailbox.localPart.utf8.allSatisfy { (0x20...0x7E).contains($0) }
        guard case .literal(let literal) = mailbox.host else { return isPlainLocalPart }
        return isPlainLocalPart && literal.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    var notPlain: Diagnostic {
        Diagnostic(
            status: EnhancedStatusCode(5, 6, 7), text: "the address needs SMTPUTF8", remote: configuration.remote,
            owner: .sender)
    }
}
