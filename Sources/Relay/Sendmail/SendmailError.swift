// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What a call of sendmail ends with, by the words of sysexits.h.
package enum SendmailStatus: Int32, Sendable {
    case success = 0
    /// EX_USAGE: the call is wrong.
    case usage = 64
    /// EX_DATAERR: the message is.
    case dataError = 65
    /// EX_NOUSER: a recipient is refused.
    case noUser = 67
    /// EX_UNAVAILABLE: the relay refuses for another reason.
    case unavailable = 69
    /// EX_IOERR: standard input can't be read.
    case inputError = 74
    /// EX_TEMPFAIL: not now.
    case temporaryFailure = 75
    /// EX_NOPERM: the sender may not do this.
    case noPermission = 77
    /// EX_CONFIG: the configuration can't be used.
    case configuration = 78
}

/// Why sendmail did not take a message: what the caller is told, and the status.
package struct SendmailError: Error, Hashable, Sendable, CustomStringConvertible {
    package var status: SendmailStatus
    /// What is wrong and how to mend it.
    package var description: String

    package init(_ status: SendmailStatus, _ description: String) {
        self.status = status
        self.description = description
    }
}
