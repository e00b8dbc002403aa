// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc

/// A file that only its owner may read.
enum PrivateFile {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Makes a file that is not there yet; when it can't be written whole, none is left.
    static func create(_ path: String, _ bytes: [UInt8]) throws(Failure) {
        // O_EXCL follows no symbolic link and overwrites nothing.
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let remedy = errno == EEXIST ? ": name a file that is not there yet" : ""
            throw Failure(description: "\(path) can't be made: \(reason)\(remedy)")
        }
        defer { close(descriptor) }
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes[offset...].withUnsafeBytes { buffer in
                unsafe write(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw give(up: path) }
            offset += count
        }
        guard fsync(descriptor) == 0 else { throw give(up: path) }
    }

    private static func give(up path: String) -> Failure {
        let failure = Failure(description: "\(path) can't be written: \(reason)")
        unsafe unlink(path)
        return failure
    }

    private static var reason: String { unsafe String(cString: strerror(errno)) }
}
