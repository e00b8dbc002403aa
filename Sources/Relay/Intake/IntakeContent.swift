// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
internal import Mail
internal import Spooling

/// IntakeContent is in charge of one content on its way to the spool: what somebody will want to know of its body
/// later is found out as the octets pass.
///
/// Exactly one of `finish` and `discard` must be called, or `discard` after `finish` failed.
final class IntakeContent {
    private let writer: ContentWriter
    private let hashers: [(canonicalization: BodyHash.Canonicalization, hasher: BodyHasher)]
    private var lines = LineMeter()
    private var lastOctet: UInt8?
    /// Octets of the header section.
    private(set) var headerLength = 0
    /// An octet above 127 is among what was written.
    private(set) var isEightBit = false
    /// The next call may block on the disk, or take long.
    private(set) var mayBlock = false

    /// The body has a line over 998 octets.
    var hasLongLine: Bool { lines.hasLongLine }

    init(_ writer: ContentWriter, hashes: [BodyHash.Canonicalization]) throws(CryptographyError) {
        self.writer = writer
        var hashers: [(BodyHash.Canonicalization, BodyHasher)] = []
        for canonicalization in hashes {
            switch canonicalization {
            case .simple: hashers.append((.simple, try BodyHasher(.simple)))
            case .relaxed: hashers.append((.relaxed, try BodyHasher(.relaxed)))
            }
        }
        self.hashers = hashers
    }

    /// Starts the content with its header section and the empty line; comes first.
    func begin(_ headerSection: [UInt8]) throws(SpoolError) {
        headerLength = headerSection.count
        try write(headerSection)
        try write(IntakeContent.lineEnd)
    }

    /// Takes the next octets of the body.
    func append(_ bytes: UnsafeRawBufferPointer) throws(SpoolError) {
        guard let last = unsafe bytes.last else { return }
        lastOctet = last
        unsafe lines.append(bytes)
        for (_, hasher) in hashers { unsafe hasher.append(bytes) }
        try unsafe write(bytes)
        if lines.hasLongLine { mayBlock = true }
    }

    func append(_ bytes: ArraySlice<UInt8>) throws(SpoolError) {
        let result = unsafe bytes.withUnsafeBytes { bytes in
            Result { () throws(SpoolError) in unsafe try append(bytes) }
        }
        try result.get()
    }

    enum LastLine {
        case complete
        /// It got the CRLF that it lacked.
        case completed
        /// It ends with a CR alone.
        case bareReturn
    }

    /// The body is whole, but for the end of its last line.
    func endLastLine() throws(SpoolError) -> LastLine {
        guard lines.isInsideLine else { return .complete }
        guard lastOctet != UInt8(ascii: "\r") else { return .bareReturn }
        try append(IntakeContent.lineEnd[...])
        return .completed
    }

    /// What was written, to be read before `discard` or `finish`.
    func written() throws(SpoolError) -> WrittenContent {
        try writer.written()
    }

    /// The content as the spool takes it, and the hashes of its body.
    ///
    /// It throws a `SpoolError` or a `CryptographyError`.
    func finish() throws -> (StoredContent, [BodyHash]) {
        let hashes = try hashers.map { canonicalization, hasher in
            BodyHash(canonicalization: canonicalization, digest: try hasher.finish())
        }
        return (try writer.finish(), hashes)
    }

    func discard() {
        writer.discard()
    }

    private static let lineEnd = [UInt8(ascii: "\r"), UInt8(ascii: "\n")]

    private func write(_ bytes: [UInt8]) throws(SpoolError) {
        let result = unsafe bytes.withUnsafeBytes { bytes in
            Result { () throws(SpoolError) in unsafe try write(bytes) }
        }
        try result.get()
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(SpoolError) {
        if unsafe bytes.containsEightBitOctet { isEightBit = true }
        if unsafe try writer.append(bytes) { mayBlock = true }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether an octet above 127 is among them.
    fileprivate var containsEightBitOctet: Bool {
        var seen: UInt64 = 0
        var position = 0
        // Eight octets at a time: this looks at everything that passes.
        while position + 8 <= count {
            seen |= unsafe loadUnaligned(fromByteOffset: position, as: UInt64.self)
            position += 8
        }
        while position < count {
            seen |= unsafe UInt64(self[position])
            position += 1
        }
        return seen & 0x8080_8080_8080_8080 != 0
    }
}
