// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Mail

/// AddressReader is in charge of addresses as users write them, on the command line and in header fields; those without
/// a domain are of this host.
struct AddressReader {
    let host: Domain

    /// The mailbox of the user that calls.
    func account(_ user: SendmailMessage.User) throws(SendmailError) -> Mailbox {
        let isPlain = user.name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard !isPlain || user.name.isEmpty else {
            return Mailbox(localPart: user.name, host: .domain(user.host))
        }
        let mailboxes = try? mailboxes(Array("\(user.name)@\(user.host)".utf8)[...], in: "the user name")
        guard let mailbox = mailboxes?.first, mailboxes?.count == 1 else {
            throw SendmailError(
                .usage, "the user \"\(user.name)\" has a name that can't stand in an address; name a sender with -f")
        }
        return mailbox
    }

    /// What -f says.
    func reversePath(_ text: String) throws(SendmailError) -> ReversePath {
        if text.isEmpty || text == "<>" { return .null }
        let mailboxes = try mailboxes(Array(text.utf8)[...], in: "the sender \"\(text)\"")
        guard let mailbox = mailboxes.first, mailboxes.count == 1 else {
            throw SendmailError(.usage, "the sender \"\(text)\" is not one address; write -f user@example.com")
        }
        return .mailbox(mailbox)
    }

    /// - Parameter place: for the error.
    func mailboxes(_ value: ArraySlice<UInt8>, in place: String) throws(SendmailError) -> [Mailbox] {
        do {
            return try AddressParser.list(in: value).addresses.map { address in
                address.mailbox ?? Mailbox(localPart: address.localPart, host: .domain(host))
            }
        } catch {
            let status: SendmailStatus = place.hasPrefix("the field") ? .dataError : .usage
            throw SendmailError(status, "\(place) has \(error.reason); write addresses such as user@example.com")
        }
    }

    /// Those of To, Cc and Bcc, or of the newest resending if the message was resent (RFC 5322 §3.6.6).
    func recipients(in header: HeaderSection) throws(SendmailError) -> [Mailbox] {
        var recipients: [Mailbox] = []
        for field in fields(of: header) {
            recipients += try mailboxes(header.bytes[field.value], in: "the field \(header.name(of: field))")
        }
        return recipients
    }

    private func fields(of header: HeaderSection) -> [HeaderSection.Field] {
        let resent = ["Resent-To", "Resent-Cc", "Resent-Bcc"].map { FieldName($0) }
        let plain = ["To", "Cc", "Bcc"].map { FieldName($0) }
        let block = newestResending(of: header)
        if block.contains(where: { field in resent.contains { header.isNamed(field, $0) } }) {
            return block.filter { field in resent.contains { header.isNamed(field, $0) } }
        }
        return header.fields.filter { field in plain.contains { header.isNamed(field, $0) } }
    }

    /// The first run of Resent fields in which no name stands twice.
    private func newestResending(of header: HeaderSection) -> [HeaderSection.Field] {
        var names: Set<String> = []
        var block: [HeaderSection.Field] = []
        for field in header.fields {
            let name = header.name(of: field).lowercased()
            guard name.hasPrefix("resent-") else {
                if block.isEmpty { continue }
                break
            }
            guard names.insert(name).inserted else { break }
            block.append(field)
        }
        return block
    }
}
