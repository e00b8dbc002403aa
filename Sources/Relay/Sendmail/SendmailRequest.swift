// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What a call of sendmail asks for.
package struct SendmailRequest: Hashable, Sendable {
    package enum Mode: Hashable, Sendable {
        /// Take one message from standard input.
        case submit
        /// Speak SMTP on standard input and output: `-bs`.
        case dialogue
        /// Show the queue: `-bp`, `mailq`.
        case list
        /// What other programs need and Waxwing does not: `newaliases`, `-bi`, `-q`.
        case nothing
        case help
        case version
    }

    package var mode = Mode.submit
    /// Take the recipients from To, Cc and Bcc too: `-t`.
    package var readsRecipients = false
    /// A line with a single dot ends the message: without `-i`.
    package var endsAtDot = true
    /// The reverse-path as it was written: `-f`, `-r`.
    ///
    /// Empty or `<>` is the null one; nil is the user.
    package var sender: String?
    /// The display name in a From field that must be made: `-F`.
    package var fullName: String?
    /// The configuration file: `-C`, `--config`.
    package var configuration: String?
    /// Tell what became of the message: `-v`.
    package var isVerbose = false
    package var recipients: [String] = []

    package init() {}
}
