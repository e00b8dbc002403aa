// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc
internal import Mail

/// Reads a message as it leaves, a block at a time, so that a large one costs one block of memory.
///
/// A value: a block is read on a thread that may block, and the reader that comes back with it reads the next.
struct ContentReader: Sendable {
    private enum Source: Sendable {
        case memory(ArraySlice<UInt8>)
        /// With what the file holds, if nothing was cut off or added.
        case file(path: String, length: Int)
    }

    private let source: Source
    /// What comes before the next octets of the source.
    private var front: [UInt8]
    private let length: Int?
    private var encoder: RenditionEncoder?
    private var file: ContentFile?
    private var offset = 0
    private var produced = 0

    init(_ content: SignedContent, of stored: StoredContent) {
        front = content.front
        length = content.length
        switch content.rest {
        case .stored(let offset): self.offset = offset
        case .memory: break
        case .encoded(let rendition, let offset):
            encoder = rendition.makeEncoder()
            self.offset = offset
        }
        switch (content.restInMemory(of: stored), stored) {
        case (let octets?, _): source = .memory(octets)
        case (nil, .inline(let octets)): source = .memory(octets.dropFirst(offset))
        case (nil, .file(let path, let length)): source = .file(path: path, length: length)
        }
    }

    /// The next octets, and whether they are the last.
    ///
    /// Blocks. Anything but what was signed is never said to be at its end.
    mutating func next() throws(FileFault) -> (octets: [UInt8], isLast: Bool) {
        var octets = front
        front = []
        let isLast: Bool
        switch source {
        case .memory(let rest):
            append(rest, to: &octets)
            isLast = true
        case .file(let path, let length):
            let block = try open(path).read(offset: offset, count: ForwardingLimits.blockOctets)
            offset += block.count
            isLast = block.count < ForwardingLimits.blockOctets
            guard isLast ? offset == length : offset <= length else {
                throw FileFault(operation: "read all \(length) octets of the content", path: path, code: EIO)
            }
            append(block[...], to: &octets)
        }
        if isLast { encoder?.finish(to: &octets) }
        produced += octets.count
        if isLast, let length, produced != length {
            throw FileFault(
                operation: "send \(length) octets of content, as was announced, and not \(produced)", path: "",
                code: EIO)
        }
        return (octets, isLast)
    }

    private mutating func append(_ block: ArraySlice<UInt8>, to octets: inout [UInt8]) {
        if encoder == nil { octets += block } else { encoder?.append(block, to: &octets) }
    }

    private mutating func open(_ path: String) throws(FileFault) -> ContentFile {
        if let file { return file }
        let opened = try ContentFile(path: path)
        file = opened
        return opened
    }
}
