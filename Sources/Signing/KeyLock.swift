// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc

/// Holds the lock of a key directory, against other threads and other processes, until it is released.
final class KeyLock: Sendable {
    private let file: CInt

    /// Waits for the lock: nobody holds it for longer than a few writes.
    init(_ path: String, owner: DurableFiles.Owner?, files: DurableFiles) throws(KeyError) {
        file = try Self.open(path, owner: owner, files: files)
        while flock(file, LOCK_EX) != 0 {
            guard errno == EINTR else { throw DurableFiles.failure("lock", path) }
        }
    }

    /// Does not wait; nil while another holds the lock.
    static func ifFree(
        _ path: String, owner: DurableFiles.Owner?, files: DurableFiles
    ) throws(KeyError) -> KeyLock? {
        let file = try open(path, owner: owner, files: files)
        guard flock(file, LOCK_EX | LOCK_NB) != 0 else { return KeyLock(holding: file) }
        let code = errno
        close(file)
        guard code == EWOULDBLOCK || code == EINTR else { throw DurableFiles.failure("lock", path) }
        return nil
    }

    private init(holding file: CInt) {
        self.file = file
    }

    private static func open(
        _ path: String, owner: DurableFiles.Owner?, files: DurableFiles
    ) throws(KeyError) -> CInt {
        try files.beforeStep(.lock, path)
        let file = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, DurableFiles.privateMode)
        guard file >= 0 else { throw DurableFiles.failure("open the lock", path) }
        if let owner { _ = fchown(file, owner.user, owner.group) }
        return file
    }

    deinit {
        close(file)
    }
}
