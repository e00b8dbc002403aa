// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc
internal import Mail
internal import Spooling

extension ClaimedMessage {
    /// The header section with the CRLF of its last field.
    ///
    /// Blocks when the content is in a file.
    ///
    /// Content that is shorter than its header section was lost or cut in the spool: nothing of it may leave.
    func headerSection() throws(FileFault) -> [UInt8] {
        let section: [UInt8]
        switch content {
        case .inline(let bytes): section = Array(bytes.prefix(headerLength))
        case .file(let path, _): section = try ContentFile(path: path).read(offset: 0, count: headerLength)
        }
        guard section.count == headerLength, headerLength > 0 else {
            throw FileFault(operation: "read the content of \(queueID)", path: "", code: EIO)
        }
        return section
    }

    /// The body as it stands in the spool.
    ///
    /// Blocks, and throws a `FileFault` if octets are missing.
    var bodyReader: BodyReader {
        { [content, start = headerLength + 2] consume in
            switch content {
            case .inline(let bytes):
                try consume(bytes.dropFirst(start))
            case .file(let path, let length):
                let file = try ContentFile(path: path)
                var offset = start
                while offset < length {
                    let block = try file.read(
                        offset: offset, count: min(ForwardingLimits.blockOctets, length - offset))
                    guard !block.isEmpty else {
                        throw FileFault(operation: "read all \(length) octets of", path: path, code: EIO)
                    }
                    try consume(block[...])
                    offset += block.count
                }
            }
        }
    }
}
