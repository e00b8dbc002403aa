// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc
internal import Mail

/// A content file of the spool, open for reading.
///
/// Its calls block.
final class ContentFile: Sendable {
    private let descriptor: CInt

    init(path: String) throws(FileFault) {
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFault(operation: "open", path: path, code: errno) }
    }

    deinit {
        Glibc.close(descriptor)
    }

    /// `count` octets from `offset` on; fewer only at the end of the file.
    func read(offset: Int, count: Int) throws(FileFault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(
                    descriptor, buffer.baseAddress?.advanced(by: filled), count - filled, off_t(offset + filled))
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw FileFault(operation: "read", path: "", code: errno) }
            guard got > 0 else { break }
            filled += got
        }
        if filled < count { bytes.removeLast(count - filled) }
        return bytes
    }

    static func diagnostic(_ error: any Error) -> Diagnostic {
        Diagnostic(
            status: EnhancedStatusCode(4, 3, 0), text: "the spooled content can't be read: \(error)", owner: .operator)
    }
}

/// A file operation that failed.
struct FileFault: Error, Hashable, CustomStringConvertible {
    var operation: String
    var path: String
    var code: CInt

    var description: String {
        let reason = unsafe String(cString: strerror(code))
        return path.isEmpty ? "\(operation): \(reason)" : "\(operation) \(path): \(reason)"
    }
}
