// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

extension Mailbox {
    /// The one mailbox that a text of the operator's is, such as `ops@example.com`; nil if it is something else.
    package init?(written text: String) {
        guard let mailboxes = try? AddressParser.mailboxes(in: Array(text.utf8)[...]), mailboxes.count == 1,
            mailboxes[0].description.lowercased() == text.lowercased(),
            mailboxes[0].localPart.utf8.count <= Mailbox.maximumLocalPartOctets
        else { return nil }
        self = mailboxes[0]
    }
}
