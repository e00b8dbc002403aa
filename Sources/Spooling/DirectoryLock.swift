// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc
internal import Synchronization

/// DirectoryLock is in charge of there being one daemon to a spool.
///
/// The kernel drops it with the process, so nothing is left to clean after a crash.
final class DirectoryLock: Sendable {
    private let descriptor: Mutex<Int32?>

    init(_ directory: SpoolDirectory) throws(SpoolError) {
        let descriptor = unsafe open(directory.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .fromErrno("Can't open \(directory.lock)") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            let error = SpoolError.fromErrno("Can't lock \(directory.lock)")
            let processID = DirectoryLock.processID(in: descriptor)
            close(descriptor)
            guard isHeld else { throw error }
            let who = processID.map { "process \($0)" } ?? "another process"
            throw SpoolError(.locked(processID: processID), "The spool \(directory.path) is in use by \(who)")
        }
        do throws(SpoolError) {
            try directory.give(directory.lock)
        } catch {
            close(descriptor)
            throw error
        }
        // Only for people and for the message above; what counts is the lock itself.
        let text = Array("\(getpid())\n".utf8)
        if ftruncate(descriptor, 0) == 0 {
            _ = unsafe text.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        }
        self.descriptor = Mutex(descriptor)
    }

    deinit {
        release()
    }

    func release() {
        let held = descriptor.withLock { $0.take() }
        if let held { close(held) }
    }

    private static func processID(in descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}
