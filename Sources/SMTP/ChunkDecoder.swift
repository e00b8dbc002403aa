// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import NIOCore

/// ChunkDecoder is in charge of the content that comes in chunks of an announced length (BDAT, RFC 3030): it counts
/// them exactly, and hands on what is in them.
///
/// Nothing in a chunk ends it, and no dot is taken out. Line ends are as they are after DATA: a bare CR, a NUL, and by
/// the listener's choice a bare LF are a *fault*, after which nothing more is handed on and what was announced is
/// passed over all the same, so that no part of it can be taken for a command.
package struct ChunkDecoder: Hashable, Sendable {
    package enum Part: Hashable, Sendable {
        /// Octets of the content, with CRLF line ends.
        case content(ByteBuffer)
        /// The content is refused; told once, when it is seen.
        case fault(DataDecoder.Fault)
        /// The chunk is complete.
        case end
        /// More was swallowed after a fault than is decent.
        case endless
    }

    private let maximumOctets: Int
    private let bareLineFeed: BareLineFeed
    /// Octets of the present chunk that are still to come.
    private var remaining = 0
    private var isAfterReturn = false
    private var swallowed = 0
    private var untoldFault: DataDecoder.Fault?
    /// The first fault that was seen.
    package private(set) var fault: DataDecoder.Fault?
    /// Octets of all chunks so far, announced ones included, with the CRs that were added.
    package private(set) var octets = 0
    /// Bare LFs became line ends.
    package private(set) var hasRepairedLineEnds = false

    /// - Parameter maximumOctets: of all chunks. After a fault, four times as many and 1 MiB are swallowed.
    package init(maximumOctets: Int, bareLineFeed: BareLineFeed = .reject) {
        self.maximumOctets = maximumOctets
        self.bareLineFeed = bareLineFeed
    }

    /// A chunk of this length follows; the one before is complete.
    package mutating func begin(octets count: Int) {
        remaining = count
        // Not as a sum, which could be more than there are numbers for.
        guard count <= maximumOctets - octets else { return refuse(.contentTooLong) }
        octets += count
    }

    /// Takes the next part out of `buffer`; nil if more must come.
    ///
    /// After `end` what is left in the buffer is none of the chunk.
    package mutating func next(from buffer: inout ByteBuffer) -> Part? {
        while true {
            if let told = untoldFault {
                untoldFault = nil
                return .fault(told)
            }
            guard remaining > 0 else { return .end }
            guard buffer.readableBytes > 0, let slice = buffer.readSlice(length: min(remaining, buffer.readableBytes))
            else { return nil }
            remaining -= slice.readableBytes
            if fault != nil {
                swallowed += slice.readableBytes
                if swallowed > DataDecoder.maximumSwallowedOctets(for: maximumOctets) { return .endless }
                continue
            }
            let wasAfterReturn = isAfterReturn
            let bareLineFeeds = unsafe slice.withUnsafeReadableBytes { bytes in unsafe scan(bytes) }
            if fault != nil { continue }
            guard bareLineFeeds > 0 else { return .content(slice) }
            hasRepairedLineEnds = true
            return .content(slice.addingReturns(bareLineFeeds, isAfterReturn: wasAfterReturn))
        }
    }

    /// No chunk follows; the fault that only shows now, if any.
    package mutating func end() -> DataDecoder.Fault? {
        if isAfterReturn, fault == nil { fault = .bareReturn }
        return fault
    }

    /// Passes octets up to the first that is a fault; returns how many LFs need a CR.
    private mutating func scan(_ bytes: UnsafeRawBufferPointer) -> Int {
        var index = 0
        var bareLineFeeds = 0
        while index < bytes.count, fault == nil {
            if isAfterReturn {
                isAfterReturn = false
                if unsafe bytes[index] == UInt8(ascii: "\n") { index += 1 } else { refuse(.bareReturn) }
                continue
            }
            index = unsafe DataDecoder.skipText(bytes, from: index)
            guard index < bytes.count else { break }
            switch unsafe bytes[index] {
            case UInt8(ascii: "\r"):
                isAfterReturn = true
            case UInt8(ascii: "\n") where bareLineFeed == .normalise:
                bareLineFeeds += 1
                octets += 1
                if octets > maximumOctets { refuse(.contentTooLong) }
            case UInt8(ascii: "\n"):
                refuse(.bareLineFeed)
            case 0:
                refuse(.null)
            default:
                break
            }
            index += 1
        }
        return bareLineFeeds
    }

    private mutating func refuse(_ new: DataDecoder.Fault) {
        guard fault == nil else { return }
        fault = new
        untoldFault = new
    }
}
