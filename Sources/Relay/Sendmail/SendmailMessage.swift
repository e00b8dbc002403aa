// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// SendmailMessage is in charge of what a message on standard input lacks to be submitted: its recipients and its author.
///
/// It adds a From field to a message without one, and an empty line between header section and body; the rest of the
/// content is the relay's to judge.
package struct SendmailMessage: Hashable, Sendable {
    package var reversePath: ReversePath
    /// Each once.
    package var recipients: [Mailbox]
    /// With CRLF line ends.
    package var content: [UInt8]

    /// Who calls.
    package struct User: Hashable, Sendable {
        package var name: String
        /// Stands behind the `@` of addresses without a domain.
        package var host: Domain

        package init(name: String, host: Domain) {
            self.name = name
            self.host = host
        }
    }

    /// - Parameter input: as `SendmailInput` makes it.
    package init(_ request: SendmailRequest, input: [UInt8], user: User) throws(SendmailError) {
        let addresses = AddressReader(host: user.host)
        let account = try addresses.account(user)
        reversePath =
            try request.sender.map { text throws(SendmailError) in try addresses.reversePath(text) }
            ?? .mailbox(account)
        var recipients: [Mailbox] = []
        for argument in request.recipients {
            recipients += try addresses.mailboxes(Array(argument.utf8)[...], in: "the recipient \"\(argument)\"")
        }
        let parts = MessageParts(input)
        // Without -t and with a From field of its own the relay reads the header section, and says what is wrong.
        let header = try? HeaderSection(parts.headerSection, allowsSpaceBeforeColon: true)
        if request.readsRecipients {
            guard let header else { throw SendmailMessage.malformed(parts.headerSection) }
            recipients += try addresses.recipients(in: header)
        }
        var seen: Set<Mailbox> = []
        self.recipients = recipients.filter { seen.insert($0).inserted }
        guard !self.recipients.isEmpty else {
            throw SendmailError(
                .usage,
                request.readsRecipients
                    ? "no recipient stands in To, Cc or Bcc, nor behind the options"
                    : "no recipient is named; write one behind the options, or -t to take those of To, Cc and Bcc")
        }
        var author: [UInt8] = []
        if let header, header.first(FieldName("From")) == nil {
            let mailbox = if case .mailbox(let sender) = reversePath { sender } else { account }
            author = SendmailMessage.authorField(mailbox, name: request.fullName)
        }
        content = author + parts.headerSection + [13, 10] + parts.body
    }

    /// RFC 5322 §3.6.2, §3.4: a display name, quoted if it has more than letters and digits.
    private static func authorField(_ mailbox: Mailbox, name: String?) -> [UInt8] {
        let octets = (name ?? "").utf8.prefix(200).map { $0 < 32 || $0 == 127 ? UInt8(ascii: " ") : $0 }
        guard !octets.allSatisfy({ $0 == UInt8(ascii: " ") }) else { return Array("From: \(mailbox)\r\n".utf8) }
        var quoted: [UInt8] = []
        for octet in octets {
            if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") { quoted.append(UInt8(ascii: "\\")) }
            quoted.append(octet)
        }
        return Array("From: \"".utf8) + quoted + Array("\" <\(mailbox)>\r\n".utf8)
    }

    private static func malformed(_ headerSection: [UInt8]) -> SendmailError {
        do {
            _ = try HeaderSection(headerSection, allowsSpaceBeforeColon: true)
            return SendmailError(.dataError, "the header section can't be read")
        } catch {
            return SendmailError(.dataError, "line \(error.line) of the header section is malformed: \(error.reason)")
        }
    }
}

/// Where header section and body of a message are, as people write it by hand.
///
/// The line `From …` that mailbox files put before a message is not part of it, and a line that is no header field
/// starts the body, with or without an empty line before it.
struct MessageParts {
    let headerSection: [UInt8]
    let body: ArraySlice<UInt8>

    init(_ input: [UInt8]) {
        var start = 0
        if input.starts(with: "From ".utf8) { start = MessageParts.lineEnd(input, from: 0) }
        var position = start
        while position < input.count {
            let end = MessageParts.lineEnd(input, from: position)
            let line = input[position..<end]
            if line.elementsEqual([13, 10]) {
                headerSection = Array(input[start..<position])
                body = input[end...]
                return
            }
            let isContinuation = position > start && (line.first == 0x20 || line.first == 0x09)
            guard isContinuation || MessageParts.isField(line) else { break }
            position = end
        }
        headerSection = Array(input[start..<position])
        body = input[position...]
    }

    /// Behind the line feed.
    private static func lineEnd(_ input: [UInt8], from start: Int) -> Int {
        input[start...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? input.count
    }

    /// RFC 5322 §2.2, with white space before the colon as in its §4.5.
    private static func isField(_ line: ArraySlice<UInt8>) -> Bool {
        let name = line.prefix { (33...126).contains($0) && $0 != UInt8(ascii: ":") }
        guard !name.isEmpty else { return false }
        return line[name.endIndex...].first { $0 != 0x20 && $0 != 0x09 } == UInt8(ascii: ":")
    }
}
