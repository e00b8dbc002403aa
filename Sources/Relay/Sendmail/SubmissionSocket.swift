// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Glibc
import NIOCore

/// SubmissionSocket is in charge of a connection to the daemon that the one thread of a command waits on.
///
/// It owns its descriptor.
final class SubmissionSocket {
    private static let connectSeconds = 10
    private static let sendSeconds = 300
    private static let chunkOctets = 64 * 1024
    /// A closed connection is an error and no signal.
    private static let flags = CInt(MSG_NOSIGNAL)

    let descriptor: CInt

    init(_ place: SubmissionPlace) throws(SubmissionFault) {
        let family =
            switch place {
            case .unix: AF_UNIX
            case .tcp(let address, _): IPAddress(address)?.isIPv6 == true ? AF_INET6 : AF_INET
            }
        descriptor = socket(family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SubmissionFault.ofSystem() }
        // On Linux the time limit of sending is that of connecting too (socket(7)).
        setTimeLimit(SO_SNDTIMEO, seconds: SubmissionSocket.connectSeconds)
        guard connect(to: place) == 0 else { throw SubmissionFault.ofSystem() }
        setTimeLimit(SO_SNDTIMEO, seconds: SubmissionSocket.sendSeconds)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    func send(_ buffer: ByteBuffer) throws(SubmissionFault) {
        var buffer = buffer
        while buffer.readableBytes > 0 {
            let count = unsafe buffer.withUnsafeReadableBytes { bytes in
                unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, SubmissionSocket.flags)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SubmissionFault.ofSystem() }
            buffer.moveReaderIndex(forwardBy: count)
        }
    }

    /// Waits for octets and adds them to `buffer`.
    func receive(into buffer: inout ByteBuffer, withinSeconds seconds: Int) throws(SubmissionFault) {
        setTimeLimit(SO_RCVTIMEO, seconds: seconds)
        var chunk = [UInt8](repeating: 0, count: SubmissionSocket.chunkOctets)
        while true {
            let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SubmissionFault.ofSystem() }
            guard count > 0 else { throw SubmissionFault(description: "the connection was closed") }
            buffer.writeBytes(chunk[..<count])
            return
        }
    }

    private func connect(to place: SubmissionPlace) -> CInt {
        switch place {
        case .unix(let path):
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            let octets = Array(path.utf8)
            // One octet stays zero, which ends the path.
            guard octets.count < MemoryLayout.size(ofValue: name.sun_path) else {
                errno = ENAMETOOLONG
                return -1
            }
            unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: octets) }
            return unsafe connect(to: &name)
        case .tcp(let text, let port):
            guard let address = IPAddress(text) else {
                errno = EADDRNOTAVAIL
                return -1
            }
            if address.isIPv6 {
                var name = sockaddr_in6()
                name.sin6_family = sa_family_t(AF_INET6)
                name.sin6_port = UInt16(truncatingIfNeeded: port).bigEndian
                unsafe withUnsafeMutableBytes(of: &name.sin6_addr) { unsafe $0.copyBytes(from: address.octets) }
                return unsafe connect(to: &name)
            }
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
            unsafe withUnsafeMutableBytes(of: &name.sin_addr) { unsafe $0.copyBytes(from: address.octets) }
            return unsafe connect(to: &name)
        }
    }

    private func connect<Name>(to name: UnsafePointer<Name>) -> CInt {
        unsafe name.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            unsafe Glibc.connect(descriptor, generic, socklen_t(MemoryLayout<Name>.size))
        }
    }

    private func setTimeLimit(_ option: CInt, seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
}

/// Why the daemon can't be talked to.
struct SubmissionFault: Error, Hashable, Sendable, CustomStringConvertible {
    var description: String

    /// The error of the system call that failed just now.
    static func ofSystem() -> SubmissionFault {
        let code = errno
        // The time limits of a socket show as these.
        let isLate = code == EAGAIN || code == EINPROGRESS
        return SubmissionFault(description: isLate ? "no answer in time" : unsafe String(cString: strerror(code)))
    }
}
