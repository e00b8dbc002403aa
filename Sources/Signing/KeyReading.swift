// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
internal import Glibc

/// KeyReading is in charge of looking at key files without changing them: content, mode, owner, parents.
enum KeyReading {
    /// Who reads: what a file's mode has to be depends on it.
    struct Reader {
        var user = geteuid()
        var group = getegid()
    }

    /// The content of a file that may be public.
    static func content(of path: String) throws(KeyError) -> [UInt8] {
        let (bytes, _) = try read(path, flags: 0)
        return bytes
    }

    /// The content of a private key file, if nobody can read it who should not.
    ///
    /// It has to be a file of its own: behind a symbolic link others may own the directories that nobody looks at.
    static func privateContent(of path: String) throws(KeyError) -> [UInt8] {
        var (bytes, status) = try read(path, flags: O_NOFOLLOW)
        if let flaw = flaw(of: path, mode: status.st_mode, user: status.st_uid, group: status.st_gid, Reader()) {
            SigningKey.erase(&bytes)
            throw flaw
        }
        return bytes
    }

    /// The content of a credential that the service manager gives to this service only.
    ///
    /// systemd makes the file 0400, of root, and lets the service's user read it by an access control list, whose mask
    /// stands where the mode has the bits of the group: these say nothing about a group here, unless it could write.
    static func credentialContent(of path: String) throws(KeyError) -> [UInt8] {
        var (bytes, status) = try read(path, flags: 0)
        guard status.st_mode & 0o027 == 0 else {
            SigningKey.erase(&bytes)
            throw KeyError(
                "the credential \(path) is open to others",
                remedy: "let systemd make it with LoadCredential=, or run `chmod 400 \(ShellWord.quoted(path))`")
        }
        return bytes
    }

    /// Why a private key file can't be trusted, with the command that mends it; nil if it can.
    ///
    /// Its owner may be the reader or root, and nobody else may have access. The one exception: root's file that a
    /// group of the service's own may read, the usual way to keep a service from changing what it reads. Whether a
    /// group has other members nobody can tell for sure; that it is the reader's first group is taken as the sign.
    static func flaw(of path: String, mode: mode_t, user: uid_t, group: gid_t, _ reader: Reader) -> KeyError? {
        let isMine = user == reader.user
        guard isMine || user == 0 || reader.user == 0 else {
            return KeyError(
                "\(path) belongs to another user",
                remedy: "run `chown \(reader.user) \(ShellWord.quoted(path))` as root")
        }
        let isOfServiceGroup = user == 0 && group != 0 && (reader.user == 0 || reader.group == group)
        let forbidden: mode_t = isOfServiceGroup ? 0o037 : 0o077
        guard mode & forbidden != 0 else { return nil }
        // Root's file would be lost to a reader who isn't root without its group.
        let owner = isMine || reader.user == 0 ? "" : "chown \(reader.user) \(ShellWord.quoted(path)) && "
        return KeyError(
            "\(path) is open to others than its owner",
            remedy: "run `\(owner)chmod 600 \(ShellWord.quoted(path))`" + (owner.isEmpty ? "" : " as root"))
    }

    private static func read(_ path: String, flags: CInt) throws(KeyError) -> ([UInt8], stat) {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags)
        guard file >= 0 else { throw openFailure(path) }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw DurableFiles.failure("look at", path) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= DurableFiles.maximumFileOctets else {
            throw KeyError("\(path) is no regular file of at most 1 MiB")
        }
        // One more, so that the end is seen; all at once, so that no copy of a secret is left behind.
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size) + 1)
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
        guard count <= Int(status.st_size) else {
            SigningKey.erase(&bytes)
            throw KeyError("\(path) grew while it was read: run the command again")
        }
        bytes.removeLast(bytes.count - count)
        return (bytes, status)
    }

    private static func openFailure(_ path: String) -> KeyError {
        let code = errno
        switch code {
        case EACCES:
            return KeyError(
                "\(path) can't be read by user \(geteuid())",
                remedy: "run `chown \(geteuid()) \(ShellWord.quoted(path))` as root")
        case ELOOP:
            let copy = ShellWord.quoted(path)
            return KeyError(
                "\(path) is a symbolic link, and what is secret must be in a file of its own",
                remedy: "run `cp --remove-destination \"$(readlink -f \(copy))\" \(copy) && chmod 600 \(copy)`")
        default:
            return DurableFiles.failure("open", path)
        }
    }

    /// What a file is at this moment; nil if it can't be looked at.
    static func identity(of path: String) -> FileIdentity? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        return FileIdentity(status)
    }

    /// Directories from `path` upwards that others may write to: whoever can, can put other keys there.
    static func warnings(aboveAndAt path: String) -> [String] {
        var warnings: [String] = []
        guard let resolved = unsafe realpath(path, nil) else { return [] }
        defer { unsafe free(resolved) }
        var directory = unsafe String(cString: resolved)
        while true {
            if let warning = warning(at: directory) { warnings.append(warning) }
            guard directory != "/", let slash = directory.lastIndex(of: "/") else { return warnings }
            directory = slash == directory.startIndex ? "/" : String(directory[..<slash])
        }
    }

    /// What is wrong with a directory in which keys lie, or another such; nil if nothing is.
    static func warning(at directory: String, _ reader: Reader = Reader()) -> String? {
        var status = stat()
        guard unsafe stat(directory, &status) == 0 else { return nil }
        let isSticky = status.st_mode & S_ISVTX != 0
        if status.st_mode & 0o022 != 0, !isSticky {
            return "others may write to \(directory): run `chmod go-w \(ShellWord.quoted(directory))`"
        }
        // Root can't tell the service's user from others, and the key directory may well be the service's.
        guard reader.user != 0, status.st_uid != 0, status.st_uid != reader.user else { return nil }
        return "\(directory) belongs to another user, who may put other keys there: "
            + "run `chown \(reader.user) \(ShellWord.quoted(directory))` as root"
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
}

/// Tells whether a file is still the one that was read: a file that was changed, replaced or given another mode or owner
/// has another.
struct FileIdentity: Hashable, Sendable {
    private let device: UInt64
    private let inode: UInt64
    private let octets: Int64
    private let modified: Moment
    private let changed: Moment

    private struct Moment: Hashable {
        let seconds: Int64
        let nanoseconds: Int64

        init(_ time: timespec) {
            seconds = Int64(time.tv_sec)
            nanoseconds = Int64(time.tv_nsec)
        }
    }

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        octets = Int64(status.st_size)
        modified = Moment(status.st_mtim)
        changed = Moment(status.st_ctim)
    }
}
