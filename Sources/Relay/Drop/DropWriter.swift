// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc

/// DropWriter is in charge of leaving messages in the drop directory: whole and on the disk under their final names, or
/// not at all.
struct DropWriter: Sendable {
    static let temporaryPrefix = ".new-"
    /// The directory's group, which is the daemon's, may read it.
    private static let fileMode: mode_t = 0o640

    let directory: String

    /// Writes each of `files`, and gives all of them their final names when the last one is on the disk.
    ///
    /// - Throws: a sentence about what failed.
    func write(_ files: [[[UInt8]]]) throws(DropWriteError) {
        var pending: [(descriptor: CInt, temporary: String, name: String)] = []
        defer {
            for file in pending {
                // Not there any more if it got its final name.
                _ = unsafe unlink(file.temporary)
                close(file.descriptor)
            }
        }
        for parts in files {
            let name = "\(time(nil))-\(DropWriter.random())"
            let temporary = "\(directory)/\(DropWriter.temporaryPrefix)\(name)"
            // Nobody can guess the name, and no link that somebody has put there is followed.
            let descriptor = unsafe open(
                temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, DropWriter.fileMode)
            guard descriptor >= 0 else { throw failure("make a file in") }
            pending.append((descriptor, temporary, "\(directory)/\(name)"))
            // The umask may have taken too much.
            guard fchmod(descriptor, DropWriter.fileMode) == 0 else { throw failure("set the mode of a file in") }
            for bytes in parts { try write(bytes, to: descriptor) }
            guard fsync(descriptor) == 0 else { throw failure("sync a file in") }
        }
        for file in pending {
            guard unsafe rename(file.temporary, file.name) == 0 else { throw failure("rename a file in") }
        }
        if let last = pending.last { try syncDirectory(holding: last.descriptor) }
    }

    private func write(_ bytes: [UInt8], to descriptor: CInt) throws(DropWriteError) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(
                    descriptor, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written)
            }
            guard count > 0 || errno == EINTR else { throw failure("write a file in") }
            written += max(0, count)
        }
    }

    /// Most users may not read the directory, so they can't open it to sync it: they sync the whole file system.
    private func syncDirectory(holding descriptor: CInt) throws(DropWriteError) {
        let opened = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else {
            guard DropWriter.syncFileSystem(of: descriptor) == 0 else { throw failure("sync the disk of") }
            return
        }
        defer { close(opened) }
        guard fsync(opened) == 0 else { throw failure("sync") }
    }

    /// syncfs(2) is in no module of Swift's: the function is looked up by name; sync(2) does the same for all disks.
    private static func syncFileSystem(of descriptor: CInt) -> CInt {
        typealias Function = @convention(c) (CInt) -> CInt
        guard let symbol = unsafe dlsym(nil, "syncfs") else {
            sync()
            return 0
        }
        // 1: glibc declares syncfs as int (int).
        let syncfs = unsafe unsafeBitCast(symbol, to: Function.self)
        return syncfs(descriptor)
    }

    private static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(generator.next(), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    private func failure(_ action: String) -> DropWriteError {
        let code = errno
        return DropWriteError(
            description: "can't \(action) \(directory): \(unsafe String(cString: strerror(code)))")
    }
}

struct DropWriteError: Error, Hashable, Sendable, CustomStringConvertible {
    var description: String
}
