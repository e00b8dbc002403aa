// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc

/// SpoolDirectory is in charge of the names and the owner of the spool's files.
///
///     <spool>/lock             who owns the spool; held by flock for as long as a daemon runs
///     <spool>/spool.db         the queue (SQLite, with -wal and -shm beside it)
///     <spool>/content/3f/…     contents past `StoredContent.inlineLimit`, a file each
struct SpoolDirectory: Sendable {
    let path: String
    /// Set when root writes into somebody else's spool: what it makes there is given to them.
    let owner: Owner?

    struct Owner: Hashable, Sendable {
        var user: uid_t
        var group: gid_t
    }

    var database: String { path + "/spool.db" }
    var lock: String { path + "/lock" }
    var content: String { path + "/content" }

    /// The directory as it is.
    init(existing path: String) throws(SpoolError) {
        var information = stat()
        guard unsafe stat(path, &information) == 0 else { throw .fromErrno("The spool \(path)") }
        guard information.st_mode & S_IFMT == S_IFDIR else {
            throw SpoolError(.unusable, "The spool \(path) is not a directory")
        }
        self.path = path
        let isForeign = geteuid() == 0 && information.st_uid != 0
        self.owner = isForeign ? Owner(user: information.st_uid, group: information.st_gid) : nil
    }

    /// The directory, made with its parents where they are missing.
    ///
    /// Mail is nobody else's business: 0700.
    static func make(_ path: String) throws(SpoolError) -> SpoolDirectory {
        var missing: [String] = []
        var parent = path
        while !parent.isEmpty, parent != "/", unsafe access(parent, F_OK) != 0, errno == ENOENT {
            missing.append(parent)
            parent = parentPath(of: parent)
        }
        // The nearest directory that is there says to whom the new ones belong.
        let owner = missing.isEmpty ? nil : try SpoolDirectory(existing: parent.isEmpty ? "." : parent).owner
        for directory in missing.reversed() {
            guard unsafe mkdir(directory, 0o700) == 0 || errno == EEXIST else {
                throw .fromErrno("Can't make the spool \(directory)")
            }
            if let owner { try owner.give(directory) }
        }
        return try SpoolDirectory(existing: path)
    }

    /// Makes sure that the database file is there before SQLite opens it, so that mode and owner are ours.
    func prepareDatabaseFile() throws(SpoolError) {
        let descriptor = unsafe open(database, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .fromErrno("Can't open \(database)") }
        close(descriptor)
        try give(database)
    }

    /// Gives a new file to the spool's owner.
    func give(_ file: String) throws(SpoolError) {
        if let owner { try owner.give(file) }
    }

    static func parentPath(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

extension SpoolDirectory.Owner {
    func give(_ file: String) throws(SpoolError) {
        guard unsafe lchown(file, user, group) == 0 else { throw .fromErrno("Can't give \(file) to the spool's owner") }
    }
}
