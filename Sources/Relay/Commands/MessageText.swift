// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// A message as it stands in a file or comes through a pipe: with line feeds, or as on the wire.
struct MessageText {
    /// With CRLF at the end of each line.
    let wire: [UInt8]
    /// The input had no CRLF: the output gets none either.
    let hasBareLineEnds: Bool

    init(_ bytes: [UInt8]) {
        let hasCRLF = zip(bytes, bytes.dropFirst()).contains { $0 == 0x0D && $1 == 0x0A }
        hasBareLineEnds = !hasCRLF && bytes.contains(0x0A)
        guard hasBareLineEnds else {
            wire = bytes
            return
        }
        var wire: [UInt8] = []
        wire.reserveCapacity(bytes.count + bytes.count / 32)
        for byte in bytes {
            if byte == 0x0A { wire.append(0x0D) }
            wire.append(byte)
        }
        self.wire = wire
    }

    /// Where the header section ends (after the CRLF of its last field) and where the body starts.
    var parts: (headerEnd: Int, bodyStart: Int) {
        if wire.starts(with: [0x0D, 0x0A]) { return (0, 2) }
        var index = 0
        while index + 3 < wire.count {
            if wire[index] == 0x0D, wire[index + 1] == 0x0A, wire[index + 2] == 0x0D, wire[index + 3] == 0x0A {
                return (index + 2, index + 4)
            }
            index += 1
        }
        return (wire.count, wire.count)
    }

    /// `bytes` with the line ends of the input.
    func restoringLineEnds(_ bytes: [UInt8]) -> [UInt8] {
        guard hasBareLineEnds else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for (index, byte) in bytes.enumerated() {
            if byte == 0x0D, index + 1 < bytes.count, bytes[index + 1] == 0x0A { continue }
            result.append(byte)
        }
        return result
    }
}
