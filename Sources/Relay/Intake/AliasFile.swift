// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Dispatch
import Glibc
import Logging
import Receiving
import Synchronization

/// Why there is no table of aliases.
enum AliasFileError: Error, Hashable {
    case unreadable(String)
    case faulty(AliasFaults)
}

/// AliasFile is in charge of the alias file while the relay runs: it reads the file again when it has changed.
///
/// A file that has become wrong or is gone leaves the last good one in force, and the log says so.
final class AliasFile: Sendable {
    /// How often it is looked whether the file has changed, in nanoseconds.
    static let interval: UInt64 = 1_000_000_000

    /// What changes with a file's content.
    private struct Stamp: Hashable {
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int

        init?(_ path: String) {
            var status = stat()
            guard unsafe stat(path, &status) == 0 else { return nil }
            inode = UInt64(status.st_ino)
            size = Int64(status.st_size)
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }
    }

    private struct State {
        var table = AliasTable()
        var stamp: Stamp?
        var nextLook: UInt64 = 0
    }

    private let path: String
    private let interval: UInt64
    private let state = Mutex(State())

    init(_ path: String, interval: UInt64 = AliasFile.interval) {
        self.path = path
        self.interval = interval
    }

    /// What the file says; a look at its date each second, and a short file when that has changed.
    func table(_ logger: Logger) -> AliasTable {
        let now = DispatchTime.now().uptimeNanoseconds
        return state.withLock { state in
            guard now >= state.nextLook else { return state.table }
            state.nextLook = now + interval
            let stamp = Stamp(path)
            guard stamp == nil || stamp != state.stamp else { return state.table }
            state.stamp = stamp
            do throws(AliasFileError) {
                state.table = try AliasFile.read(path)
            } catch {
                logger.error(
                    "the alias file can't be used: the aliases before stay in force",
                    metadata: ["file": "\(path)", "error": "\(error)"])
            }
            return state.table
        }
    }

    static func read(_ path: String) throws(AliasFileError) -> AliasTable {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(reason(errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(reason(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable("it is not a file") }
        var octets: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        // One block more than the table takes, so that the table says what is too much.
        while octets.count <= AliasTable.maximumOctets {
            let count = unsafe block.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(reason(errno)) }
            if count == 0 { break }
            octets += block[..<count]
        }
        do throws(AliasFaults) {
            return try AliasTable(octets)
        } catch {
            throw .faulty(error)
        }
    }

    private static func reason(_ code: CInt) -> String {
        unsafe String(cString: strerror(code))
    }
}

extension AliasFileError: CustomStringConvertible {
    var description: String {
        switch self {
        case .unreadable(let reason): reason
        case .faulty(let faults):
            faults.faults.map { "line \($0.line): \($0.problem). \($0.remedy)." }.joined(separator: " ")
        }
    }
}
