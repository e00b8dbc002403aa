// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// BodyHasher is in charge of the body hash: it canonicalizes the octets of a body as they pass and hashes the result
/// with SHA-256 (RFC 6376 §3.4.3, §3.4.4, §3.7).
///
/// It never buffers the body: whatever both forms have in common is hashed where it lies, and what stands between
/// two changes is collected in a few KiB if it is short.
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
    public var canonicalizedOctets: Int { canonicalCount }

    // Apart from the public property, whose every change would be checked for exclusive access.
    private var canonicalCount = 0
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
    private static let scratchOctets = 4096
    /// Runs from this length on are hashed where they are: shorter ones are copied in less time than a call of
    /// OpenSSL takes.
    private static let directOctets = 1024

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
        switch canonicalization {
        case .simple: unsafe appendRun(bytes, position..<bytes.count)
        case .relaxed: unsafe appendRelaxed(bytes, from: position)
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
    private func appendRelaxed(_ bytes: UnsafeRawBufferPointer, from start: Int) {
        var position = start
        while position < bytes.count {
            if unsafe BodyHasher.isWhiteSpace(bytes[position]) {
                pendingSpace = true
                repeat { position += 1 } while unsafe position < bytes.count && BodyHasher.isWhiteSpace(bytes[position])
                guard position < bytes.count else { return }
            }
            if pendingSpace, unsafe bytes[position] == BodyHasher.carriageReturn {
                guard position + 1 < bytes.count else {
                    pendingCarriageReturn = true
                    return
                }
                // RFC 6376 §3.4.4: "Ignore all whitespace at the end of lines."
                if unsafe bytes[position + 1] == BodyHasher.lineFeed { pendingSpace = false }
            }
            let end = unsafe BodyHasher.endOfRelaxedRun(bytes, from: position)
            unsafe appendRun(bytes, position..<end)
            position = end
        }
    }

    /// Passes octets that are the same before and after canonicalization, but for line ends behind the last content.
    private func appendRun(_ bytes: UnsafeRawBufferPointer, _ run: Range<Int>) {
        guard !run.isEmpty else { return }
        var end = run.upperBound
        if end == bytes.count, unsafe bytes[end - 1] == BodyHasher.carriageReturn {
            pendingCarriageReturn = true
            end -= 1
        }
        var lineEnds = 0
        while end - run.lowerBound >= 2, unsafe bytes[end - 1] == BodyHasher.lineFeed,
            unsafe bytes[end - 2] == BodyHasher.carriageReturn
        {
            end -= 2
            lineEnds += 1
        }
        if end > run.lowerBound {
            releaseWhatWaits()
            unsafe emit(UnsafeRawBufferPointer(rebasing: bytes[run.lowerBound..<end]))
        }
        pendingLineEnds += lineEnds
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

    /// Where the octets may stop being the same before and after relaxed canonicalization: at a tab, and at a space
    /// unless a visible octet follows.
    ///
    /// A line end is no such place; `start` is no white space.
    private static func endOfRelaxedRun(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        let tabs = SIMD16<UInt8>(repeating: tab)
        let spaces = SIMD16<UInt8>(repeating: space)
        var position = start
        // Sixteen octets at a time, beside the sixteen that follow each of them.
        while position + 17 <= bytes.count {
            let octets = unsafe bytes.loadUnaligned(fromByteOffset: position, as: SIMD16<UInt8>.self)
            let followers = unsafe bytes.loadUnaligned(fromByteOffset: position + 1, as: SIMD16<UInt8>.self)
            let places = (octets .== tabs) .| ((octets .== spaces) .& (followers .<= spaces))
            // unsafe (5): a mask is 16 octets, each all ones or all zeros; asking it lane by lane costs ten times
            // as much.
            let words = unsafe unsafeBitCast(places, to: SIMD2<UInt64>.self)
            if words[0] | words[1] != 0 {
                let first = words[0] != 0 ? words[0].littleEndian : words[1].littleEndian
                return position + (words[0] != 0 ? 0 : 8) + first.trailingZeroBitCount / 8
            }
            position += 16
        }
        while position < bytes.count {
            let byte = unsafe bytes[position]
            if byte == tab { return position }
            if byte == space, unsafe position + 1 == bytes.count || bytes[position + 1] <= space { return position }
            position += 1
        }
        return position
    }

    @inline(__always)
    private static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == space || byte == tab
    }
}

extension BodyHasher {
    private func emit(_ byte: UInt8) {
        canonicalCount += 1
        guard canonicalCount <= limit else { return }
        if scratchCount == BodyHasher.scratchOctets { flush() }
        unsafe scratch[scratchCount] = byte
        scratchCount += 1
    }

    private func emit(_ run: UnsafeRawBufferPointer) {
        let room = max(0, limit - canonicalCount)
        canonicalCount += run.count
        let hashed = unsafe run.count <= room ? run : UnsafeRawBufferPointer(rebasing: run[..<room])
        if hashed.count >= BodyHasher.directOctets {
            flush()
            unsafe hash(hashed)
        } else {
            if scratchCount + hashed.count > BodyHasher.scratchOctets { flush() }
            unsafe copyToScratch(hashed)
        }
    }

    /// Copies a run for which there is room.
    ///
    /// A run is often a few words: those of 16 to 128 octets are copied in sixteens, of which the last overlaps the
    /// one before, and shorter ones octet by octet; both take less time than the call of a copying function.
    @inline(__always)
    private func copyToScratch(_ run: UnsafeRawBufferPointer) {
        let count = run.count
        if count > 128 {
            unsafe UnsafeMutableRawBufferPointer(rebasing: scratch[scratchCount...]).copyMemory(from: run)
        } else if count >= 16 {
            var offset = 0
            while offset < count {
                let place = min(offset, count - 16)
                let octets = unsafe run.loadUnaligned(fromByteOffset: place, as: SIMD16<UInt8>.self)
                unsafe scratch.storeBytes(of: octets, toByteOffset: scratchCount + place, as: SIMD16<UInt8>.self)
                offset += 16
            }
        } else {
            for offset in 0..<count { unsafe scratch[scratchCount + offset] = run[offset] }
        }
        scratchCount += count
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
