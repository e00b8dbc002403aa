// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc
package import Mail
internal import Synchronization

/// ContentWriter is in charge of a content on its way into the spool: in memory up to `StoredContent.inlineLimit`,
/// from there in a file.
///
/// One thread at a time.
package final class ContentWriter: Sendable {
    /// Gathers small pieces, so that a line is not a system call.
    private static let bufferLimit = 32 * 1024

    private struct State {
        var buffer: [UInt8] = []
        var length = 0
        var file: (descriptor: Int32, path: String)?
        var isFinished = false
    }

    private let files: ContentFiles
    private let state = Mutex(State())

    init(files: ContentFiles) {
        self.files = files
    }

    deinit {
        if state.withLock({ !$0.isFinished }) { discard() }
    }

    /// Octets so far.
    package var length: Int { state.withLock { $0.length } }

    /// Takes the next octets.
    ///
    /// True once they go to a file: further calls may block on the disk.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(SpoolError) -> Bool {
        try state.withLock { state throws(SpoolError) in
            precondition(!state.isFinished, "append after finish or discard")
            state.length += bytes.count
            if state.file == nil, state.length > StoredContent.inlineLimit { state.file = try files.create() }
            guard let file = state.file else {
                unsafe state.buffer.append(contentsOf: bytes)
                return false
            }
            guard state.buffer.count + bytes.count > ContentWriter.bufferLimit else {
                unsafe state.buffer.append(contentsOf: bytes)
                return true
            }
            try flush(&state, to: file)
            if bytes.count > ContentWriter.bufferLimit {
                unsafe try files.write(bytes, to: file.descriptor, path: file.path)
            } else {
                unsafe state.buffer.append(contentsOf: bytes)
            }
            return true
        }
    }

    /// What was appended, to be read before anything else happens to it.
    ///
    /// May block if `append` said so.
    package func written() throws(SpoolError) -> WrittenContent {
        try state.withLock { state throws(SpoolError) in
            precondition(!state.isFinished, "read after finish or discard")
            guard let file = state.file else {
                return WrittenContent(place: .memory(state.buffer), length: state.length)
            }
            try flush(&state, to: file)
            return WrittenContent(place: .file(path: file.path, files), length: state.length)
        }
    }

    /// No more octets follow.
    ///
    /// A file is on disk, with its name, when this returns: call it on a thread that may block if `append` said so.
    /// Then comes `enqueue`, or `discard`.
    package func finish() throws(SpoolError) -> StoredContent {
        try state.withLock { state throws(SpoolError) in
            precondition(!state.isFinished, "finish after finish or discard")
            guard let file = state.file else {
                state.isFinished = true
                return .inline(exchange(&state.buffer, with: []))
            }
            try flush(&state, to: file)
            try files.sync(file.descriptor, path: file.path)
            state.isFinished = true
            close(file.descriptor)
            return .file(path: file.path, length: state.length)
        }
    }

    /// The content is not wanted: its file is removed, also after `finish`.
    ///
    /// Not after `enqueue`, which takes it over.
    package func discard() {
        state.withLock { state in
            if let file = state.file {
                if !state.isFinished { close(file.descriptor) }
                files.unlink(file.path)
            }
            state.file = nil
            state.buffer = []
            state.isFinished = true
        }
    }

    private func flush(_ state: inout State, to file: (descriptor: Int32, path: String)) throws(SpoolError) {
        let bytes = exchange(&state.buffer, with: [])
        guard !bytes.isEmpty else { return }
        let result = unsafe bytes.withUnsafeBytes { bytes -> Result<Void, SpoolError> in
            Result { () throws(SpoolError) in unsafe try files.write(bytes, to: file.descriptor, path: file.path) }
        }
        try result.get()
    }
}
