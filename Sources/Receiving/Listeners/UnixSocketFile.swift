// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc

/// UnixSocketFile is in charge of a Unix socket's name in the file system: it makes it with the owner and mode that
/// were asked for, takes the place of one whose listener is gone, and removes its own at the end.
///
/// It never removes what is not a socket, nor a socket that somebody listens on.
struct UnixSocketFile: Sendable {
    /// Bound, not listening yet; whoever listens owns it.
    let descriptor: Int32
    private let path: String
    private let device: dev_t
    private let inode: ino_t

    init(_ socket: UnixSocket) throws(ReceivingError) {
        path = socket.path
        try UnixSocketFile.clear(socket)
        descriptor = UnixSocketFile.open()
        guard descriptor >= 0 else { throw ReceivingError(code: errno, .unixSocket(socket), lastReason) }
        do throws(ReceivingError) {
            // The file is made with this mode: until its owner is right, nobody else gets in.
            guard fchmod(descriptor, 0o600) == 0, unsafe UnixSocketFile.call(bind, descriptor, socket.path) == 0 else {
                throw ReceivingError(code: errno, .unixSocket(socket), lastReason)
            }
            guard unsafe lchown(path, socket.ownerID ?? .max, socket.groupID ?? .max) == 0,
                unsafe chmod(path, socket.mode) == 0
            else { throw .notToBeGiven(path: path, reason: lastReason) }
            var status = stat()
            guard unsafe lstat(path, &status) == 0 else {
                throw ReceivingError(code: errno, .unixSocket(socket), lastReason)
            }
            device = status.st_dev
            inode = status.st_ino
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// After the listener was closed.
    ///
    /// A name that belongs to another socket by now stays.
    func remove() {
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK,
            status.st_dev == device, status.st_ino == inode
        else { return }
        _ = unsafe unlink(path)
    }

    /// Removes what a listener left behind that is gone.
    private static func clear(_ socket: UnixSocket) throws(ReceivingError) {
        var status = stat()
        guard unsafe lstat(socket.path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: socket.path) }
        let probe = open()
        guard probe >= 0 else { throw ReceivingError(code: errno, .unixSocket(socket), lastReason) }
        defer { close(probe) }
        // Only a refusal says that nobody listens; a full queue (EAGAIN) or a missing permission does not.
        guard unsafe call(connect, probe, socket.path) != 0, errno == ECONNREFUSED else {
            throw .addressInUse(.unixSocket(socket))
        }
        _ = unsafe unlink(socket.path)
    }

    private static func open() -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return socket(AF_UNIX, type, 0)
    }

    /// Calls bind(2) or connect(2) with a path as the address.
    private static func call(
        _ function: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32, _ descriptor: Int32, _ path: String
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let octets = Array(path.utf8)
        let isShort = unsafe withUnsafeMutableBytes(of: &address.sun_path) { space in
            guard octets.count < space.count else { return false }
            unsafe space.copyBytes(from: octets)
            return true
        }
        guard isShort else {
            errno = ENAMETOOLONG
            return -1
        }
        return unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe function(descriptor, address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// What errno says.
private var lastReason: String {
    unsafe String(cString: strerror(errno))
}
