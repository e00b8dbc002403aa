// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Where the spool is and how full it may get.
package struct SpoolConfiguration: Sendable {
    package var directory: String
    /// Below this much free space nothing more is taken in.
    package var minimumFree: MinimumFree
    package var maximumMessages: Int
    /// Octets of all contents together.
    package var maximumOctets: Int64
    package var limits = SpoolLimits()
    /// Called before each write; an error that it throws stands for the failure of that write.
    var beforeWrite: (@Sendable (WritePoint) throws -> Void)?

    package init(
        directory: String, minimumFree: MinimumFree = .fraction(0.05), maximumMessages: Int = 10_000_000,
        maximumOctets: Int64 = 100 << 30
    ) {
        self.directory = directory
        self.minimumFree = minimumFree
        self.maximumMessages = maximumMessages
        self.maximumOctets = maximumOctets
    }
}

package enum MinimumFree: Hashable, Sendable {
    /// Of the size of the file system: 0.05 is five per cent.
    case fraction(Double)
    case octets(Int64)
}

/// The spool's own bounds, in one place.
///
/// Times are in milliseconds.
package struct SpoolLimits: Hashable, Sendable {
    /// Most messages in one transaction.
    package var batchMessages = 500
    /// Most octets of content in one transaction.
    package var batchOctets = 4 << 20
    /// A transaction with this many new messages or more shows that sessions crowd in.
    package var crowd = 4
    /// How long the writer then waits at most before the next one for as many to finish again, in looks, and
    /// the microseconds between two looks.
    ///
    /// Short beside a sync of most disks: on a slow one company gathers by itself, during the sync before.
    package var crowdLooks = 5
    package var crowdLookInterval: UInt32 = 100
    /// How long results may wait for new messages to share a commit with.
    package var resultDelay = 20
    /// Most fresh messages kept in memory for `claim` after their commit.
    package var handoffMessages = 2000
    /// Most octets of these; what is beyond is read from disk when its turn comes.
    package var handoffOctets = 4 << 20
    /// Most messages read from disk at a time.
    package var pageMessages = 200
    /// Most octets read from disk at a time.
    package var pageOctets = 4 << 20
    /// How long to wait after a result could not be written.
    package var resultRetryDelay = 1000
    /// Longest sleep before the clock is looked at again: it may have been set, or the machine suspended.
    package var longestSleep = 60_000
    /// How long nothing was written before unused pages are given back to the file system.
    package var idleDelay = 1000
    /// Pages given back in one transaction.
    package var reclaimPages = 2000
    /// Unused pages that are left for the next messages.
    package var spareFreePages = 4096

    package init() {}
}

/// Each kind of access to the disk that a message's way in and out needs, for tests that let the n-th one fail.
enum WritePoint: Hashable, Sendable {
    case begin, insertMessage, insertDue, deleteMessage, deleteDue, updateRecipient, keepFields, updateTotals, commit
    case insertIdempotencyKey, deleteIdempotencyKeys
    case writeKeyUse, insertUnsignable, deleteUnsignable
    case checkpoint, reclaim
    case createFile, writeFile, syncFile, syncDirectory, unlinkFile, readFile
}
