// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc
internal import Synchronization

/// ContentFiles is in charge of the files beside the database.
///
/// A file counts only once a committed message names it; any other is an orphan of a crash.
///
/// A name is `<shard>/<instance>-<number>`: the instance is new with each opening of the spool, so that
/// the search for orphans can tell what a running session is just writing from what a dead one left.
final class ContentFiles: Sendable {
    static let shardCount = 64
    private static let blockOctets = 32 * 1024

    let directory: SpoolDirectory
    let beforeWrite: (@Sendable (WritePoint) throws -> Void)?
    private let instance: String
    private let nextNumber = Atomic<UInt64>(0)

    init(directory: SpoolDirectory, instance: UInt64, beforeWrite: (@Sendable (WritePoint) throws -> Void)?) {
        self.directory = directory
        self.beforeWrite = beforeWrite
        self.instance = String(instance, radix: 36)
    }

    static func shardName(_ number: Int) -> String {
        (number < 16 ? "0" : "") + String(number, radix: 16)
    }

    func path(of name: String) -> String {
        "\(directory.content)/\(name)"
    }

    /// The name of a file by its path; nil if it's not one of the spool's.
    func name(of path: String) -> String? {
        let prefix = directory.content + "/"
        return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : nil
    }

    /// A new, empty file.
    func create() throws(SpoolError) -> (descriptor: Int32, path: String) {
        try fault(.createFile, "Can't make a content file")
        let number = nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue
        let shard = ContentFiles.shardName(Int(number % UInt64(ContentFiles.shardCount)))
        let path = path(of: "\(shard)/\(instance)-\(number)")
        var descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0, errno == ENOENT {
            try makeDirectory(directory.content)
            try makeDirectory("\(directory.content)/\(shard)")
            descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        }
        guard descriptor >= 0 else { throw .fromErrno("Can't make \(path)") }
        do throws(SpoolError) {
            try directory.give(path)
        } catch {
            close(descriptor)
            unlink(path)
            throw error
        }
        return (descriptor, path)
    }

    func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws(SpoolError) {
        try fault(.writeFile, "Can't write \(path)")
        var rest = unsafe bytes
        while unsafe !rest.isEmpty {
            let count = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .fromErrno("Can't write \(path)") }
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Hands on the octets of a range, in blocks of at most 32 KiB.
    ///
    /// It throws a `SpoolError`, or what `consume` throws.
    func read(_ path: String, _ range: Range<Int>, _ consume: ([UInt8]) throws -> Void) throws {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SpoolError.fromErrno("Can't open \(path)") }
        defer { close(descriptor) }
        var position = range.lowerBound
        while position < range.upperBound {
            try fault(.readFile, "Can't read \(path)")
            var block = [UInt8](repeating: 0, count: min(ContentFiles.blockOctets, range.upperBound - position))
            let count = unsafe block.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress, buffer.count, off_t(position))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SpoolError.fromErrno("Can't read \(path)") }
            guard count > 0 else { throw SpoolError(.failed, "\(path) is shorter than what was written to it") }
            block.removeLast(block.count - count)
            try consume(block)
            position += count
        }
    }

    /// Brings the file and its name to the disk; only then may a commit name it.
    func sync(_ descriptor: Int32, path: String) throws(SpoolError) {
        try fault(.syncFile, "Can't sync \(path)")
        guard fsync(descriptor) == 0 else { throw .fromErrno("Can't sync \(path)") }
        try syncDirectory(SpoolDirectory.parentPath(of: path))
    }

    func unlink(_ path: String) {
        // A file that stays is an orphan, and the next start removes it.
        guard (try? beforeWrite?(.unlinkFile)) != nil || beforeWrite == nil else { return }
        _ = unsafe Glibc.unlink(path)
    }

    /// The files of one shard that an earlier opening of the spool made.
    func earlierNames(inShard number: Int) -> [String] {
        let shard = ContentFiles.shardName(number)
        guard let stream = unsafe opendir("\(directory.content)/\(shard)") else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            guard !name.hasPrefix("."), !name.hasPrefix(instance + "-") else { continue }
            names.append("\(shard)/\(name)")
        }
        return names
    }

    private func makeDirectory(_ path: String) throws(SpoolError) {
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .fromErrno("Can't make \(path)") }
        try directory.give(path)
        try syncDirectory(SpoolDirectory.parentPath(of: path))
    }

    private func syncDirectory(_ path: String) throws(SpoolError) {
        try fault(.syncDirectory, "Can't sync \(path)")
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .fromErrno("Can't open \(path)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .fromErrno("Can't sync \(path)") }
    }

    private func fault(_ point: WritePoint, _ what: String) throws(SpoolError) {
        guard let beforeWrite else { return }
        do { try beforeWrite(point) } catch { throw .from(error, doing: what) }
    }
}
