// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// BodyHasher is in charge of the body hash: it canonicalizes the octets of a body as they pass and hashes the result
/// with SHA-256 (RFC 6376 §3.4.3, §3.4.4, §3.7).
///
/// It never buffers the body.
///
/// The octets may come in pieces of any size; the hash is that of the whole. Only CRLF is a line end: a CR or
/// an LF alone is content like any other octet.
///
/// ```swift
/// let hasher = try BodyHasher(.relaxed)
/// hasher.append(firstPiece)
/// hasher.append(secondPiece)
/// let bodyHash = try hasher.finish()  // the 32 octets of `bh=`
/// ```
@safe
public final class BodyHasher {
    /// How the body is canonicalized.
    public let canonicalization: Canonicalization
    /// How many octets the canonicalized body has so far; complete after `finish()`.
    public private(set) var canonicalizedOctets = 0

    private let sha256: SHA256
    /// Octets of the canonicalized body that are hashed: `l=` of a signature under verification.
    private let limit: Int

    // RFC 6376 §3.4.3, §3.4.4: empty lines at the end of the body don't count. So line ends wait here, as a
    // number, until a line with content follows.
    private var pendingLineEnds = 0
    /// Relaxed: white space waits until it is known not to end a line.
    private var pendingSpace = false
    /// The last octet of the piece before was a CR, which the next piece makes a line end or content.
    private var pendingCarriageReturn = false
    private var hasContent = false

    // unsafe (5): a buffer that this object alone holds, from `init` to `deinit`, never written past
    // `scratchOctets`. An array in its place costs five times as much on white space.
    private let scratch: UnsafeMutableRawBufferPointer
    private var scratchCount = 0
    /// The canonicalized body itself, where a diagnosis needs it.
    private(set) var keptForm: [UInt8]?

    private static let carriageReturn = UInt8(ascii: "\r")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let space = UInt8(ascii: " ")
    private static let tab = UInt8(ascii: "\t")

    /// Octets that are collected before they are hashed together.
    private static let scratchOctets = 1024
    /// Runs from this length on are hashed where they are.
    private static let directOctets = 256

    /// A hasher for one body.
    ///
    /// - Parameter limit: how many octets of the canonicalized body to hash; all of them if nil. Only for
    ///   signatures that others made with `l=`.
    public convenience init(_ canonicalization: Canonicalization, limit: Int? = nil) throws(CryptographyError) {
        try self.init(canonicalization, limit: limit, keepsForm: false)
    }

    init(_ canonicalization: Canonicalization, limit: Int?, keepsForm: Bool) throws(CryptographyError) {
        self.canonicalization = canonicalization
        self.sha256 = try SHA256()
        self.limit = limit ?? .max
        self.keptForm = keepsForm ? [] : nil
        unsafe self.scratch = .allocate(byteCount: BodyHasher.scratchOctets, alignment: 16)
    }

    deinit {
        unsafe scratch.deallocate()
    }

    /// Passes the next octets of the body.
    public func append(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe append($0) }
    }

    /// Passes the next octets of the body.
    public func append(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe append($0) }
    }

    /// Passes the next octets of the body.
    public func append(_ bytes: UnsafeRawBufferPointer) {
        guard unsafe !bytes.isEmpty else { return }
        var position = 0
        if pendingCarriageReturn {
            pendingCarriageReturn = false
            if unsafe bytes[0] == BodyHasher.lineFeed {
                endLine()
                position = 1
            } else {
                emitCarriageReturn()
            }
        }
        while position < bytes.count {
            position = unsafe skipWhatWaits(bytes, from: position)
            guard position < bytes.count else { break }
            releaseWhatWaits()
            let end =
                switch canonicalization {
                case .simple: unsafe BodyHasher.endOfSimpleRun(bytes, from: position)
                case .relaxed: unsafe BodyHasher.endOfRelaxedRun(bytes, from: position)
                }
            unsafe emit(UnsafeRawBufferPointer(rebasing: bytes[position..<end]))
            position = end
        }
    }

    /// Ends the body.
    ///
    /// - Returns: the 32 octets of the body hash, `bh=` before base64.
    public func finish() throws(CryptographyError) -> [UInt8] {
        if pendingCarriageReturn {
            pendingCarriageReturn = false
            emitCarriageReturn()
        }
        // RFC 6376 §3.4.3: simple ends with one CRLF whatever there was, an empty body is one CRLF.
        // §3.4.4: relaxed ends with one CRLF if there is anything, an empty body is nothing.
        if canonicalization == .simple || hasContent { emitLineEnd() }
        flush()
        return try sha256.finish()
    }
}

extension BodyHasher {
    /// Counts line ends, and in relaxed white space, up to the next content.
    private func skipWhatWaits(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var position = start
        while position < bytes.count {
            let byte = unsafe bytes[position]
            if byte == BodyHasher.carriageReturn {
                guard position + 1 < bytes.count else {
                    pendingCarriageReturn = true
                    return bytes.count
                }
                guard unsafe bytes[position + 1] == BodyHasher.lineFeed else { return position }
                endLine()
                position += 2
            } else if canonicalization == .relaxed, byte == BodyHasher.space || byte == BodyHasher.tab {
                pendingSpace = true
                position += 1
            } else {
                return position
            }
        }
        return position
    }

    private func endLine() {
        // RFC 6376 §3.4.4: "Ignore all whitespace at the end of lines."
        pendingSpace = false
        pendingLineEnds += 1
    }

    private func releaseWhatWaits() {
        hasContent = true
        while pendingLineEnds > 0 {
            emitLineEnd()
            pendingLineEnds -= 1
        }
        if pendingSpace {
            // RFC 6376 §3.4.4: "Reduce all sequences of WSP within a line to a single SP character."
            emit(BodyHasher.space)
            pendingSpace = false
        }
    }

    private func emitCarriageReturn() {
        releaseWhatWaits()
        emit(BodyHasher.carriageReturn)
    }

    /// Where the octets stop being the same before and after canonicalization; `start` is content.
    private static func endOfSimpleRun(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var position = start + 1
        while position < bytes.count {
            position = unsafe firstControl(bytes, from: position, lessThan: carriageReturn + 1)
            guard position < bytes.count else { break }
            guard unsafe bytes[position] == carriageReturn else {
                position += 1
                continue
            }
            guard let next = unsafe afterCarriageReturn(bytes, at: position, contentAbove: 0) else { return position }
            position = next
        }
        return position
    }

    /// As above; one space between two visible octets stays as it is, too.
    private static func endOfRelaxedRun(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var position = start + 1
        while position < bytes.count {
            position = unsafe firstControl(bytes, from: position, lessThan: space + 1)
            guard position < bytes.count else { break }
            let byte = unsafe bytes[position]
            if byte == space {
                guard position + 1 < bytes.count, unsafe bytes[position + 1] > space else { return position }
                position += 2
            } else if byte == tab {
                return position
            } else if byte == carriageReturn {
                guard let next = unsafe afterCarriageReturn(bytes, at: position, contentAbove: space) else {
                    return position
                }
                position = next
            } else {
                position += 1
            }
        }
        return position
    }

    /// The first octet below a bound of at most 128, or the end.
    ///
    /// Looks at eight octets at a time.
    @inline(__always)
    private static func firstControl(_ bytes: UnsafeRawBufferPointer, from start: Int, lessThan bound: UInt8) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let bounds = ones &* UInt64(bound)
        var position = start
        while position + 8 <= bytes.count {
            let word = UInt64(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            // Subtraction borrows out of an octet below the bound; only octets above the first can be marked
            // wrongly by it.
            let marks = (word &- bounds) & ~word & (ones << 7)
            if marks != 0 { return position + marks.trailingZeroBitCount / 8 }
            position += 8
        }
        while position < bytes.count, unsafe bytes[position] >= bound { position += 1 }
        return position
    }

    /// A CR inside a run: the run goes on behind it if the CR is content, or if content follows its CRLF, or
    /// several CRLFs, at once.
    private static func afterCarriageReturn(
        _ bytes: UnsafeRawBufferPointer, at start: Int, contentAbove bound: UInt8
    ) -> Int? {
        var position = start
        while position + 1 < bytes.count {
            guard unsafe bytes[position + 1] == lineFeed else { return position + 1 }
            position += 2
            guard position < bytes.count else { return nil }
            let first = unsafe bytes[position]
            guard first == carriageReturn else { return first > bound ? position + 1 : nil }
        }
        return nil
    }
}

extension BodyHasher {
    private func emit(_ byte: UInt8) {
        canonicalizedOctets += 1
        guard canonicalizedOctets <= limit else { return }
        if scratchCount == BodyHasher.scratchOctets { flush() }
        unsafe scratch[scratchCount] = byte
        scratchCount += 1
    }

    private func emit(_ run: UnsafeRawBufferPointer) {
        let room = max(0, limit - canonicalizedOctets)
        canonicalizedOctets += run.count
        let hashed = unsafe run.count <= room ? run : UnsafeRawBufferPointer(rebasing: run[..<room])
        if hashed.count >= BodyHasher.directOctets {
            flush()
            unsafe hash(hashed)
        } else {
            if scratchCount + hashed.count > BodyHasher.scratchOctets { flush() }
            // A run is mostly a word here: shorter than the call of a copying function.
            for offset in 0..<hashed.count { unsafe scratch[scratchCount + offset] = hashed[offset] }
            scratchCount += hashed.count
        }
    }

    private func emitLineEnd() {
        emit(BodyHasher.carriageReturn)
        emit(BodyHasher.lineFeed)
    }

    private func flush() {
        guard scratchCount > 0 else { return }
        unsafe hash(UnsafeRawBufferPointer(rebasing: scratch[..<scratchCount]))
        scratchCount = 0
    }

    private func hash(_ run: UnsafeRawBufferPointer) {
        unsafe sha256.update(run)
        unsafe keptForm?.append(contentsOf: run)
    }
}
