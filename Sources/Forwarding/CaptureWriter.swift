// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc
internal import Mail
internal import Spooling

/// `CaptureWriter` is in charge of the destination for development machines: instead of being sent, a message is
/// written to a directory as `<queue ID>.eml`, byte for byte as a next hop would have got it, with its envelope
/// beside it as `<queue ID>.json`.
///
/// Recipients of one message can come here at different times and by different routes. Where the first of them is not
/// the message's first recipient but its n-th, the names are `<queue ID>-<n>`: so no two of them are the same, and an
/// attempt that is repeated after a crash replaces its own files.
///
/// Each file appears whole or not at all; the content comes last, so that who sees it sees the envelope too. Its
/// calls block.
struct CaptureWriter: Sendable {
    let directory: String

    func write(_ message: ClaimedMessage, positions: [Int], content: SignedContent) -> Outcome {
        do {
            try makeDirectory()
            let recipients = positions.map { message.recipients[$0].mailbox }
            let envelope = CaptureWriter.json(
                message.queueID, message.envelope, recipients, isEightBit: content.isEightBit)
            let name = CaptureWriter.name(message, positions)
            try write("\(name).json") { file throws(FileFault) in try file.append(envelope) }
            try write("\(name).eml") { file throws(FileFault) in
                try copy(ContentReader(content, of: message.content), to: file)
            }
            try synchronizeDirectory()
            return .delivered(
                Diagnostic(
                    status: EnhancedStatusCode(2, 0, 0), text: "captured as \(name).eml", remote: directory,
                    owner: .network))
        } catch {
            return .deferred(
                Diagnostic(
                    status: EnhancedStatusCode(4, 3, 0), text: "the message can't be captured: \(error)",
                    remote: directory, owner: .operator))
        }
    }

    private static func name(_ message: ClaimedMessage, _ positions: [Int]) -> String {
        let first = positions.map { message.recipients[$0].index }.min() ?? 0
        return first == 0 ? "\(message.queueID)" : "\(message.queueID)-\(first + 1)"
    }

    private func makeDirectory() throws(FileFault) {
        guard unsafe mkdir(directory, 0o750) != 0, errno != EEXIST else { return }
        throw FileFault(operation: "mkdir", path: directory, code: errno)
    }

    /// Only then do the new names survive a power failure; the spool forgets the message next.
    private func synchronizeDirectory() throws(FileFault) {
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFault(operation: "open", path: directory, code: errno) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFault(operation: "fsync", path: directory, code: errno) }
    }

    private func write(
        _ name: String, _ fill: (OutputFile) throws(FileFault) -> Void
    ) throws(FileFault) {
        let path = "\(directory)/\(name)"
        let temporary = "\(directory)/.\(name).tmp"
        let file = try OutputFile(path: temporary)
        do throws(FileFault) {
            try fill(file)
            try file.synchronize()
            guard unsafe rename(temporary, path) == 0 else {
                throw FileFault(operation: "rename", path: path, code: errno)
            }
        } catch {
            unsafe unlink(temporary)
            throw error
        }
    }

    private func copy(_ reader: ContentReader, to output: OutputFile) throws(FileFault) {
        var reader = reader
        var isLast = false
        while !isLast {
            let block = try reader.next()
            try output.append(block.octets)
            isLast = block.isLast
        }
    }

    static func json(
        _ queueID: QueueID, _ envelope: Envelope, _ recipients: [Mailbox], isEightBit: Bool
    ) -> [UInt8] {
        let list = recipients.map { quoted($0.description) }.joined(separator: ", ")
        let text = """
            {
              "queue_id": \(quoted(queueID.description)),
              "reverse_path": \(quoted(envelope.reversePath.description)),
              "recipients": [\(list)],
              "eight_bit": \(isEightBit)
            }

            """
        return Array(text.utf8)
    }

    /// RFC 8259 §7.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{0}"..<"\u{20}", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

/// A file being written.
private final class OutputFile {
    private let path: String
    private let descriptor: CInt

    init(path: String) throws(FileFault) {
        self.path = path
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw FileFault(operation: "open", path: path, code: errno) }
    }

    deinit {
        Glibc.close(descriptor)
    }

    func append(_ bytes: [UInt8]) throws(FileFault) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileFault(operation: "write", path: path, code: errno) }
            written += count
        }
    }

    func synchronize() throws(FileFault) {
        guard fsync(descriptor) == 0 else { throw FileFault(operation: "fsync", path: path, code: errno) }
    }
}
