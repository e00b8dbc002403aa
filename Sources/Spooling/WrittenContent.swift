// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// WrittenContent is in charge of reading a content back that is on its way into the spool, before it is decided
/// what is kept of it.
///
/// Good until its writer is told `discard` or `finish`. Its calls block if the content is in a file.
package struct WrittenContent: Sendable {
    enum Place: Sendable {
        case memory([UInt8])
        case file(path: String, ContentFiles)
    }

    let place: Place
    /// Octets of the content.
    package let length: Int

    /// Some of its octets, in memory.
    package func octets(_ range: Range<Int>) throws(SpoolError) -> [UInt8] {
        switch place {
        case .memory(let bytes):
            return Array(bytes[range])
        case .file(let path, let files):
            var octets: [UInt8] = []
            octets.reserveCapacity(range.count)
            do {
                try files.read(path, range) { octets += $0 }
            } catch {
                throw .from(error, doing: "Can't read \(path)")
            }
            return octets
        }
    }

    /// Reads from an octet to the end, in pieces that are small if the content is not.
    ///
    /// It throws a `SpoolError`, or what its caller throws.
    package func body(from start: Int) -> BodyReader {
        { [place, length] consume in
            switch place {
            case .memory(let bytes): try consume(bytes[min(start, bytes.count)...])
            case .file(let path, let files): try files.read(path, min(start, length)..<length) { try consume($0[...]) }
            }
        }
    }
}
