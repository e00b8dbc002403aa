// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc
import NIOCore

/// SubmissionPipe is in charge of `-bs`: SMTP between a program and the daemon, octet for octet.
struct SubmissionPipe {
    private static let chunkOctets = 64 * 1024

    let socket: SubmissionSocket

    /// Ends when the daemon does, or when the program's input has ended and the daemon has said all.
    func run() throws(SubmissionFault) {
        var hasInputEnded = false
        // RFC 5321 §4.3.1: a client waits for the greeting; programs that write into a pipe can't.
        var isGreeted = false
        while true {
            var polled = [
                pollfd(fd: isGreeted && !hasInputEnded ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            guard unsafe poll(&polled, nfds_t(polled.count), -1) >= 0 else {
                if errno == EINTR { continue }
                throw SubmissionFault.ofSystem()
            }
            if polled[0].revents != 0 {
                let octets = try read(STDIN_FILENO)
                if octets.isEmpty {
                    hasInputEnded = true
                    shutdown(socket.descriptor, CInt(SHUT_WR))
                } else {
                    try socket.send(ByteBuffer(bytes: octets))
                }
            }
            if polled[1].revents != 0 {
                let octets = try read(socket.descriptor)
                if octets.isEmpty { return }
                try write(octets)
                isGreeted = true
            }
        }
    }

    private func read(_ descriptor: CInt) throws(SubmissionFault) -> ArraySlice<UInt8> {
        var chunk = [UInt8](repeating: 0, count: SubmissionPipe.chunkOctets)
        while true {
            let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SubmissionFault.ofSystem() }
            return chunk[..<count]
        }
    }

    private func write(_ octets: ArraySlice<UInt8>) throws(SubmissionFault) {
        var rest = octets
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.write(STDOUT_FILENO, bytes.baseAddress, bytes.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SubmissionFault.ofSystem() }
            rest = rest.dropFirst(count)
        }
    }
}
