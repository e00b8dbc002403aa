// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc

/// PrivateFileChange is in charge of replacing a file that only its owner may read: whole and on the disk, or not at
/// all, and never two changes at once.
package enum PrivateFileChange {
    /// The file gets mode 600 and the owner of its directory, which is made if it is not there.
    ///
    /// - Parameter content: what is to be in the file; called while the lock is held.
    package static func change(_ path: String, _ content: (String) throws -> [UInt8]) throws {
        let files = DurableFiles()
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try makeDirectory(directory, files)
        let owner = owner(of: directory)
        let lock = try KeyLock(path + ".lock", owner: owner, files: files)
        defer { withExtendedLifetime(lock) {} }
        try files.replace(path, try content(path), mode: DurableFiles.privateMode, owner: owner, in: directory)
    }

    private static func makeDirectory(_ path: String, _ files: DurableFiles) throws(KeyError) {
        guard !path.isEmpty, unsafe access(path, F_OK) != 0 else { return }
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try makeDirectory(parent, files)
        try files.makeDirectory(path, owner: owner(of: parent))
    }

    /// Only root can give a file away, and only then is there need.
    private static func owner(of directory: String) -> DurableFiles.Owner? {
        var status = stat()
        guard geteuid() == 0, unsafe stat(directory.isEmpty ? "/" : directory, &status) == 0 else { return nil }
        return DurableFiles.Owner(user: status.st_uid, group: status.st_gid)
    }
}
