// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc

/// DurableFiles is in charge of every change on disk that keys need: each is complete and on the disk, or it did not
/// happen.
///
/// Its steps can be made to fail one by one in tests.
struct DurableFiles: Sendable {
    enum Step: String, Sendable {
        case makeDirectory, createFile, writeFile, syncFile, giveAway, rename, remove, setMode, syncDirectory, lock
    }

    /// Who new files belong to; nil keeps the running user.
    struct Owner: Hashable, Sendable {
        var user: uid_t
        var group: gid_t
    }

    static let privateMode: mode_t = 0o600
    static let publicMode: mode_t = 0o644
    private static let directoryMode: mode_t = 0o755
    /// No file of a key is longer.
    static let maximumFileOctets = 1024 * 1024

    /// Called before each step; what it throws is the step's failure.
    var beforeStep: @Sendable (Step, String) throws(KeyError) -> Void = { (_, _) throws(KeyError) in }

    /// Makes a directory unless there is one.
    func makeDirectory(_ path: String, owner: Owner?) throws(KeyError) {
        try beforeStep(.makeDirectory, path)
        if unsafe mkdir(path, Self.directoryMode) != 0 {
            guard errno != EEXIST else { return }
            throw Self.failure("make the directory", path)
        }
        guard let owner else { return }
        try beforeStep(.giveAway, path)
        guard unsafe chown(path, owner.user, owner.group) == 0 else { throw Self.failure("give away", path) }
    }

    /// Makes a file that was not there, with all of `bytes` on the disk.
    func create(_ path: String, _ bytes: [UInt8], mode: mode_t, owner: Owner?) throws(KeyError) {
        try beforeStep(.createFile, path)
        // The mode is the final one from the start: nobody else ever has the file open.
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else { throw Self.failure("make", path) }
        defer { close(file) }
        // The umask may have taken too much.
        guard fchmod(file, mode) == 0 else { throw Self.failure("set the mode of", path) }
        if let owner {
            try beforeStep(.giveAway, path)
            guard fchown(file, owner.user, owner.group) == 0 else { throw Self.failure("give away", path) }
        }
        try write(bytes, to: file, path)
    }

    /// Replaces a file by another of the same name: readers see the old one or the new one.
    func replace(_ path: String, _ bytes: [UInt8], mode: mode_t, owner: Owner?, in directory: String) throws(KeyError) {
        let temporary = path + ".new"
        // Left by a crash; the lock is held, so nobody else writes it.
        _ = unsafe unlink(temporary)
        try create(temporary, bytes, mode: mode, owner: owner)
        try move(temporary, to: path, in: directory)
    }

    /// Adds a line at the end of a file, which is made if need be.
    func append(_ bytes: [UInt8], to path: String, owner: Owner?, in directory: String) throws(KeyError) {
        try beforeStep(.createFile, path)
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, Self.publicMode)
        guard file >= 0 else { throw Self.failure("write", path) }
        defer { close(file) }
        if let owner {
            try beforeStep(.giveAway, path)
            guard fchown(file, owner.user, owner.group) == 0 else { throw Self.failure("give away", path) }
        }
        try write(bytes, to: file, path)
        try syncDirectory(directory)
    }

    /// Renames a file or a directory.
    ///
    /// The new name is on the disk when this returns.
    func move(_ path: String, to target: String, in directory: String) throws(KeyError) {
        try beforeStep(.rename, target)
        guard unsafe rename(path, target) == 0 else { throw Self.failure("rename to", target) }
        try syncDirectory(directory)
    }

    /// Removes a file; one that is not there is no error.
    func remove(_ path: String, in directory: String) throws(KeyError) {
        try beforeStep(.remove, path)
        guard unsafe unlink(path) == 0 || errno == ENOENT else { throw Self.failure("remove", path) }
        try syncDirectory(directory)
    }

    func setMode(_ path: String, _ mode: mode_t) throws(KeyError) {
        try beforeStep(.setMode, path)
        guard unsafe chmod(path, mode) == 0 else { throw Self.failure("set the mode of", path) }
    }

    func syncDirectory(_ path: String) throws(KeyError) {
        try beforeStep(.syncDirectory, path)
        let directory = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw Self.failure("open", path) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw Self.failure("sync", path) }
    }

    private func write(_ bytes: [UInt8], to file: CInt, _ path: String) throws(KeyError) {
        try beforeStep(.writeFile, path)
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(file, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written)
            }
            guard count > 0 || errno == EINTR else { throw Self.failure("write", path) }
            written += max(0, count)
        }
        try beforeStep(.syncFile, path)
        guard fsync(file) == 0 else { throw Self.failure("sync", path) }
    }

    /// The error of the system call that failed just now.
    static func failure(_ action: String, _ path: String) -> KeyError {
        let code = errno
        let reason = unsafe strerror(code).map { text in unsafe String(cString: text) } ?? "error \(code)"
        let remedy: String
        switch code {
        case EACCES, EPERM, EROFS: remedy = ": run the command as root or as the owner of the key directory"
        case ENOSPC, EDQUOT: remedy = ": make room on the disk and run the command again"
        default: remedy = ""
        }
        return KeyError("can't \(action) \(path) (\(reason))\(remedy)")
    }
}
