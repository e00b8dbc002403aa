// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import GRDB
internal import Glibc
package import Mail

/// Why the spool could not do what it was asked.
package struct SpoolError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// The file system or a quota is full.
        case full
        /// The disk or the database said no.
        case failed
        /// Another process owns the spool; its id, if the lock file tells it.
        case locked(processID: Int32?)
        /// The queue ID is in use, or the message can't be stored as it is.
        case taken
        /// No permission, no spool there, or one that a newer version made.
        case unusable
        /// The spool is closed or closing.
        case closed
        /// A result was recorded for a message that is not under a lease.
        case notLeased
    }

    package var kind: Kind
    /// One line that names the file and the cause.
    package var text: String

    package init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }

    package var description: String { text }

    /// The reply that tells a client so.
    ///
    /// The cause is for the log: a client can't mend it.
    package var refusal: IntakeRefusal {
        switch kind {
        case .full: .insufficientStorage
        case .failed, .locked, .taken, .unusable, .closed, .notLeased:
            // RFC 3463 §3.4: X.3.0, other or undefined mail system status.
            IntakeRefusal(
                replyCode: 451, status: EnhancedStatusCode(4, 3, 0),
                lines: ["The message could not be stored, try later"])
        }
    }

    /// What an error of any kind means, met while doing something with a file.
    static func from(_ error: any Error, doing what: String) -> SpoolError {
        if let error = error as? SpoolError { return error }
        guard let error = error as? DatabaseError else { return SpoolError(.failed, "\(what): \(error)") }
        // SQLite turns ENOSPC and EDQUOT of a write into SQLITE_FULL.
        let kind: Kind =
            switch error.resultCode.primaryResultCode {
            case .SQLITE_FULL: .full
            case .SQLITE_CONSTRAINT: .taken
            case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_NOTADB, .SQLITE_AUTH: .unusable
            default: .failed
            }
        return SpoolError(kind, "\(what): \(error.message ?? error.resultCode.description)")
    }

    /// The error that a system call just left in errno.
    static func fromErrno(_ what: String) -> SpoolError {
        let code = errno
        let kind: Kind =
            switch code {
            case ENOSPC, EDQUOT: .full
            case EACCES, EPERM, EROFS: .unusable
            default: .failed
            }
        return SpoolError(kind, "\(what): \(unsafe String(cString: strerror(code)))")
    }
}

extension IntakeRefusal {
    /// RFC 5321 §4.2.3, RFC 3463 §3.4: mail system full.
    static let insufficientStorage = IntakeRefusal(
        replyCode: 452, status: EnhancedStatusCode(4, 3, 1), lines: ["Insufficient system storage, try later"])
}
