// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import FuzzSupport
import NIOCore

@testable import SMTP

/// The data ends at the first CRLF.CRLF and nowhere else, wherever the network cuts it; what is accepted reads the
/// same at every next hop, also at one that takes a bare CR or LF for a line end.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe FuzzInput(start, count)
    let options = input.choice()
    let seed = input.choice()
    let policy: BareLineFeed = options & 1 == 0 ? .reject : .normalise
    let maximum = options & 2 == 0 ? 1 << 20 : Int(options >> 2)
    let wire = input.bytes

    let whole = decode([wire[...]], maximum: maximum, policy)
    let cut = decode(pieces(of: wire, seed: seed), maximum: maximum, policy)
    require(whole.end == cut.end, "cuts don't move the end")
    require(whole.fault == cut.fault, "cuts don't change the fault")
    require(whole.end == endOfData(in: wire), "the end is the first CRLF.CRLF")
    guard whole.fault == nil else { return 0 }
    require(whole.content == cut.content, "cuts don't change the content")
    require(whole.content.count <= maximum, "the content keeps to the limit")
    guard whole.end != nil else { return 0 }
    checkContent(whole.content)
    if policy == .reject { require(whole.content == plainContent(of: wire), "only the dots of transparency are gone") }
    return 0
}

private struct Decoded {
    var content: [UInt8] = []
    var fault: DataDecoder.Fault?
    /// How many octets of the input belong to the content and its end.
    var end: Int?
}

private func decode(_ pieces: [ArraySlice<UInt8>], maximum: Int, _ policy: BareLineFeed) -> Decoded {
    var decoder = DataDecoder(maximumOctets: maximum, bareLineFeed: policy)
    var decoded = Decoded()
    var given = 0
    for piece in pieces {
        var buffer = ByteBuffer(bytes: piece)
        given += piece.count
        while let part = decoder.next(from: &buffer) {
            switch part {
            case .content(let content):
                require(decoded.fault == nil, "nothing is handed on after a fault")
                decoded.content += content.readableBytesView
            case .fault(let fault):
                require(decoded.fault == nil, "a fault is told once")
                decoded.fault = fault
            case .end:
                decoded.end = given - buffer.readableBytes
                require(decoder.fault == decoded.fault, "the fault was told before the end")
                require(decoded.fault != nil || decoder.octets == decoded.content.count, "the octets are counted")
                return decoded
            case .endless:
                require(false, "an input of libFuzzer is shorter than what is swallowed")
            }
        }
        require(buffer.readableBytes == 0, "what is not the next command's is taken")
    }
    return decoded
}

/// The index after the first CRLF.CRLF; the data begins after a line end.
private func endOfData(in wire: [UInt8]) -> Int? {
    let line: [UInt8] = [13, 10] + wire
    let end: [UInt8] = [13, 10, 46, 13, 10]
    return line.indices.first { line[$0...].starts(with: end) }.map { $0 + end.count - 2 }
}

/// A content without fault, by splitting at CRLF.
private func plainContent(of wire: [UInt8]) -> [UInt8] {
    var content: [UInt8] = []
    var isLineStart = true
    for (index, byte) in wire.prefix((endOfData(in: wire) ?? 0) - 3).enumerated() {
        if !(isLineStart && byte == 46) { content.append(byte) }
        isLineStart = byte == 10 && index > 0 && wire[index - 1] == 13
    }
    return content
}

private func checkContent(_ content: [UInt8]) {
    require(!content.contains(0), "no NUL")
    for (index, byte) in content.enumerated() {
        if byte == 10 { require(index > 0 && content[index - 1] == 13, "no bare LF") }
        if byte == 13 { require(index + 1 < content.count && content[index + 1] == 10, "no bare CR") }
    }
    // As the next hop gets it: read back in full, with one end.
    var stuffer = DotStuffer()
    var sent = ByteBuffer()
    unsafe content.withUnsafeBytes { bytes in
        require(unsafe (try? stuffer.write(bytes, into: &sent)) != nil, "what was taken in can be sent")
    }
    require((try? stuffer.finish(into: &sent)) != nil, "what was taken in can be ended")
    let wire = Array(sent.readableBytesView)
    let decoded = decode([wire[...]], maximum: .max, .reject)
    require(decoded.fault == nil && decoded.end == wire.count, "the next hop sees one end, at the end")
    let hasLineEnd = content.isEmpty || content.suffix(2) == [13, 10]
    require(decoded.content == (hasLineEnd ? content : content + [13, 10]), "the next hop reads the same content")
    // RFC 5321 §4.1.1.4 forbids a bare CR or LF as a line end; a next hop that takes one sees no end either.
    let lines = wire.dropLast(3).split(omittingEmptySubsequences: false) { $0 == 10 || $0 == 13 }
    require(!lines.contains { $0 == [46] }, "no line is a dot for anybody")
}
