// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Foundation
import Glibc

/// DropDirectory is in charge of the directory that every user of the machine may put messages into: of its making, of
/// opening what lies in it without being led anywhere else, and of what leaves it.
///
/// Whoever puts a file there chooses its name, its kind and what it holds, and may change it at any time. So a file counts
/// only for what the open descriptor says: a regular file with one name, which belongs to its sender.
struct DropDirectory: Sendable {
    /// Everybody may add files and nobody may list them; files get the directory's group, and only their owner or the
    /// directory's removes them.
    static let mode: mode_t = 0o3733
    /// What was refused for good, below the directory: for the operator alone.
    static let refusedName = "refused"
    private static let refusedMode: mode_t = 0o700
    /// A file that sendmail did not finish, as it was killed.
    private static let temporaryLifeSeconds = 86_400
    /// Names read at a time; the rest comes with the next scan.
    private static let maximumNames = 10_000

    let path: String

    /// Makes what is missing, and sets the modes.
    func make() throws(DirectoryError) {
        try RuntimeDirectories.make(path, mode: DropDirectory.refusedMode)
        try RuntimeDirectories.make("\(path)/\(DropDirectory.refusedName)", mode: DropDirectory.refusedMode)
        var status = stat()
        for (directory, mode) in [("\(path)/\(DropDirectory.refusedName)", Self.refusedMode), (path, Self.mode)] {
            guard unsafe lstat(directory, &status) == 0 else { throw DirectoryError(path: directory, code: errno) }
            // Where the path is a link or somebody else's, whoever made it decides where mail goes.
            guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid() || geteuid() == 0 else {
                throw DirectoryError(path: directory, code: status.st_mode & S_IFMT == S_IFDIR ? EPERM : ENOTDIR)
            }
            if status.st_mode & 0o7777 != mode, unsafe chmod(directory, mode) != 0 {
                throw DirectoryError(path: directory, code: errno)
            }
        }
    }

    /// The names of messages, the oldest first; removes what sendmail left unfinished long ago.
    func names(now: Int) throws(DropFault) -> [String] {
        guard let stream = unsafe opendir(path) else { throw .system(DropDirectory.reason()) }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while names.count < DropDirectory.maximumNames, let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name.hasPrefix(DropWriter.temporaryPrefix) { removeIfOld(name, now) }
            if !name.hasPrefix("."), name != DropDirectory.refusedName { names.append(name) }
        }
        return names.sorted()
    }

    private func removeIfOld(_ name: String, _ now: Int) {
        var status = stat()
        guard unsafe lstat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            now - status.st_mtim.tv_sec > DropDirectory.temporaryLifeSeconds
        else { return }
        _ = unsafe unlink("\(path)/\(name)")
    }

    func open(_ name: String) throws(DropFault) -> Opened {
        // A FIFO that nobody writes to must not stop the daemon either.
        let descriptor = unsafe Glibc.open("\(path)/\(name)", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT: throw .gone
            case ELOOP: throw .malformed("it is a symbolic link")
            case ENXIO: throw .malformed("it is no file")
            case EACCES, EPERM: throw .malformed("the daemon may not read it")
            default: throw .system(DropDirectory.reason())
            }
        }
        let opened = Opened(descriptor: descriptor)
        guard unsafe fstat(descriptor, &opened.status) == 0 else { throw .system(DropDirectory.reason()) }
        guard opened.status.st_mode & S_IFMT == S_IFREG else { throw .malformed("it is no file") }
        // A second name may be one in a place where its owner never meant to send anything.
        guard opened.status.st_nlink == 1 else {
            throw .malformed("it has \(opened.status.st_nlink) names (hard links)")
        }
        return opened
    }

    /// Removes a message that is in the spool.
    func remove(_ name: String, _ opened: FileIdentity) throws(DropFault) {
        var status = stat()
        guard unsafe lstat("\(path)/\(name)", &status) == 0 else { throw .gone }
        // Its owner has put another file in its place, which is another message.
        guard FileIdentity(status) == opened else { return }
        guard unsafe unlink("\(path)/\(name)") == 0 else { throw .system(DropDirectory.reason()) }
    }

    /// What was refused stays, where only the operator sees it.
    ///
    /// - Returns: its path.
    func setAside(_ name: String) throws(DropFault) -> String {
        // Its owner chose the name: another one of the same name must not be lost.
        let target = "\(path)/\(DropDirectory.refusedName)/\(name).\(UInt32.random(in: .min ... .max))"
        guard unsafe rename("\(path)/\(name)", target) == 0 else {
            if errno == ENOENT { throw .gone }
            throw .system(DropDirectory.reason())
        }
        return target
    }

    /// So that messages which were removed don't come back after a power failure.
    func sync() {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // A failure here can duplicate, and not lose.
        _ = fsync(descriptor)
    }

    static func reason() -> String {
        unsafe String(cString: strerror(errno))
    }

    /// Which file it is, whatever its name.
    struct FileIdentity: Hashable, Sendable {
        let device: UInt
        let number: UInt

        init(_ status: stat) {
            device = UInt(status.st_dev)
            number = UInt(status.st_ino)
        }
    }

    /// A file that is open, and what it was when it was opened.
    final class Opened {
        let descriptor: CInt
        var status = stat()

        /// Whose it is, which nobody but root can change.
        var userID: UInt32 { status.st_uid }

        init(descriptor: CInt) {
            self.descriptor = descriptor
        }

        deinit {
            close(descriptor)
        }

        /// The next octets; empty at the end.
        func read(atMost count: Int) throws(DropFault) -> ArraySlice<UInt8> {
            var chunk = [UInt8](repeating: 0, count: count)
            while true {
                let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw .system(DropDirectory.reason()) }
                return chunk[..<count]
            }
        }
    }
}
