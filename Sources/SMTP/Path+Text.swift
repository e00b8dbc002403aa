// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

extension Path {
    /// The path that `text` is, with its brackets; nil if MAIL and RCPT would not take it.
    package init?(_ text: String) {
        var scanner = ByteScanner(Array(text.utf8)[...])
        guard let path = try? scanner.path(), scanner.isAtEnd else { return nil }
        self = path
    }
}
