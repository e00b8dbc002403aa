// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import FuzzSupport

/// The streaming body hash equals that of a canonicalization which is written down as plainly as RFC 6376 §3.4 is,
/// wherever the body is cut, and with every limit.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe FuzzInput(start, count)
    let options = input.choice()
    let seed = input.choice()
    let canonicalization: Canonicalization = options & 1 == 0 ? .simple : .relaxed
    let limit = options & 2 == 0 ? nil : Int(options >> 2)
    let body = input.bytes
    let plain = plainForm(of: body, canonicalization)

    let whole = hash([body[...]], canonicalization, limit: limit)
    require(whole.octets == plain.count, "the canonical form has \(plain.count) octets, not \(whole.octets)")
    let cut = hash(pieces(of: body, seed: seed), canonicalization, limit: limit)
    require(cut == whole, "cuts change nothing")
    // RFC 6376 §3.4.3, §3.4.4: both canonicalizations leave their own output as it is. So the hash of the plain
    // form in one piece is a check of its octets.
    let plainHash = hash([plain[...]], .simple, limit: limit)
    if !plain.isEmpty {
        require(plainHash.value == whole.value, "the octets are those of the plain form")
        require(plainHash.octets == plain.count, "the plain form is canonical")
    }
    return 0
}

private struct BodyHash: Equatable {
    var value: [UInt8]?
    var octets: Int
}

private func hash(_ body: [ArraySlice<UInt8>], _ canonicalization: Canonicalization, limit: Int?) -> BodyHash {
    guard let hasher = try? BodyHasher(canonicalization, limit: limit) else { return BodyHash(value: nil, octets: -1) }
    for piece in body { hasher.append(Array(piece)) }
    let value = try? hasher.finish()
    return BodyHash(value: value, octets: hasher.canonicalizedOctets)
}

/// The canonical form, line by line.
private func plainForm(of body: [UInt8], _ canonicalization: Canonicalization) -> [UInt8] {
    var lines: [[UInt8]] = [[]]
    var position = 0
    while position < body.count {
        if body[position] == 13, position + 1 < body.count, body[position + 1] == 10 {
            lines.append([])
            position += 2
        } else {
            lines[lines.count - 1].append(body[position])
            position += 1
        }
    }
    if canonicalization == .relaxed { lines = lines.map(relaxed) }
    while lines.last?.isEmpty == true { lines.removeLast() }
    if lines.isEmpty { return canonicalization == .simple ? [13, 10] : [] }
    return lines.reduce(into: []) { $0 += $1 + [13, 10] }
}

private func relaxed(_ line: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    for byte in line {
        let isSpace = byte == 32 || byte == 9
        if isSpace, output.last == 32 { continue }
        output.append(isSpace ? 32 : byte)
    }
    if output.last == 32 { output.removeLast() }
    return output
}
