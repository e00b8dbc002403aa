// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc

/// KeyReading is in charge of looking at key files without changing them: content, mode, owner, parents.
enum KeyReading {
    /// The content of a file that may be public.
    static func content(of path: String) throws(KeyError) -> [UInt8] {
        let (bytes, _) = try read(path)
        return bytes
    }

    /// The content of a private key file, if nobody but its owner can read it.
    static func privateContent(of path: String) throws(KeyError) -> [UInt8] {
        let (bytes, status) = try read(path)
        guard status.st_mode & 0o077 == 0 else {
            throw KeyError("\(path) can be read by others than its owner: run `chmod 600 \(quoted(path))`")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 || geteuid() == 0 else {
            throw KeyError("\(path) belongs to another user: run `chown \(geteuid()) \(quoted(path))`")
        }
        return bytes
    }

    private static func read(_ path: String) throws(KeyError) -> ([UInt8], stat) {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw openFailure(path) }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw DurableFiles.failure("look at", path) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= DurableFiles.maximumFileOctets else {
            throw KeyError("\(path) is no regular file of at most 1 MiB")
        }
        var bytes = [UInt8](repeating: 0, count: DurableFiles.maximumFileOctets)
        var count = 0
        while count < bytes.count {
            let space = bytes.count - count
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(file, buffer.baseAddress.map { unsafe $0 + count }, space)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw DurableFiles.failure("read", path) }
            if got == 0 { break }
            count += got
        }
        return (Array(bytes.prefix(count)), status)
    }

    private static func openFailure(_ path: String) -> KeyError {
        let code = errno
        guard code == EACCES else { return DurableFiles.failure("open", path) }
        return KeyError(
            "\(path) can't be read by user \(geteuid()): run `chown \(geteuid()) \(quoted(path))` as root")
    }

    /// Directories from `path` upwards that others may write to: whoever can, can put other keys there.
    static func warnings(aboveAndAt path: String) -> [String] {
        var warnings: [String] = []
        guard let resolved = unsafe realpath(path, nil) else { return [] }
        defer { unsafe free(resolved) }
        var directory = unsafe String(cString: resolved)
        while true {
            var status = stat()
            let isSticky = unsafe stat(directory, &status) == 0 && status.st_mode & S_ISVTX != 0
            if status.st_mode & 0o022 != 0, !isSticky {
                warnings.append("others may write to \(directory): run `chmod go-w \(quoted(directory))`")
            }
            guard directory != "/", let slash = directory.lastIndex(of: "/") else { return warnings }
            directory = slash == directory.startIndex ? "/" : String(directory[..<slash])
        }
    }

    /// Whose files new files beside `path` should be; nil when they are anyway.
    static func owner(of path: String) -> DurableFiles.Owner? {
        var status = stat()
        guard geteuid() == 0, unsafe stat(path, &status) == 0, status.st_uid != 0 else { return nil }
        return DurableFiles.Owner(user: status.st_uid, group: status.st_gid)
    }

    enum Presence {
        case directory, absent
        case unreadable(KeyError)
    }

    static func presence(of path: String) -> Presence {
        let handle = unsafe opendir(path)
        if let handle = unsafe handle {
            unsafe closedir(handle)
            return .directory
        }
        return errno == ENOENT ? .absent : .unreadable(DurableFiles.failure("read the directory", path))
    }

    /// Whether there is anything of this name.
    static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    /// The names in a directory, without those that begin with a dot, sorted.
    static func names(in path: String) throws(KeyError) -> [String] {
        guard let handle = unsafe opendir(path) else { throw DurableFiles.failure("read the directory", path) }
        defer { unsafe closedir(handle) }
        var names: [String] = []
        while let entry = unsafe readdir(handle) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// A path as a shell takes it.
    static func quoted(_ path: String) -> String {
        let plain = path.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"), UInt8(ascii: "@"), UInt8(ascii: "+"):
                true
            default:
                false
            }
        }
        return plain
            ? path : "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
