// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// A message as it stands in a file or comes through a pipe: with line feeds, or as on the wire.
struct MessageText {
    /// With CRLF at the end of each line.
    let wire: [UInt8]
    /// The input had no CRLF: the output gets none either.
    let hasBareLineEnds: Bool

    private static let carriageReturn = UInt8(ascii: "\r")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let lineEnd: [UInt8] = [13, 10]

    /// A message to be judged.
    ///
    /// Only where all line ends are LF alone, as in files, are they taken for CRLF; where there is one CRLF, a lone LF
    /// is content. A line `From …` that a mailbox file puts before a message is not part of it.
    init(verifying bytes: [UInt8]) {
        var bytes = bytes[...]
        if bytes.starts(with: Array("From ".utf8)), let end = bytes.firstIndex(of: MessageText.lineFeed) {
            bytes = bytes[(end + 1)...]
        }
        let hasCRLF = zip(bytes, bytes.dropFirst()).contains { $0 == 0x0D && $1 == 0x0A }
        hasBareLineEnds = !hasCRLF && bytes.contains(MessageText.lineFeed)
        wire = hasBareLineEnds ? MessageText.normalise(bytes) : Array(bytes)
    }

    /// A message to be signed: with CRLF for each lone LF, and an end to its last line and to its header section.
    ///
    /// - Throws: `FilterError` for a CR without LF or a NUL, which verifiers read differently.
    init(signing bytes: [UInt8]) throws(FilterError) {
        let hasCRLF = zip(bytes, bytes.dropFirst()).contains { $0 == 0x0D && $1 == 0x0A }
        hasBareLineEnds = !hasCRLF && bytes.contains(MessageText.lineFeed)
        var wire = MessageText.normalise(bytes[...])
        var line = 1
        for (index, byte) in wire.enumerated() {
            let next = wire[min(index + 1, wire.count - 1)]
            let isLone = byte == MessageText.carriageReturn && next != MessageText.lineFeed
            if byte == MessageText.lineFeed { line += 1 }
            guard isLone || byte == 0 else { continue }
            throw FilterError(
                text: "line \(line) has \(byte == 0 ? "a NUL" : "a CR without LF"): a message with it can't be signed, "
                    + "as verifiers don't agree on what it means; remove it")
        }
        // RFC 6376 §3.4.4 and RFC 5322 §2.1: a last line without an end gets one, and a header section its empty line.
        if wire.suffix(2) != MessageText.lineEnd[...] { wire += MessageText.lineEnd }
        if MessageText.separator(in: wire) == nil { wire += MessageText.lineEnd }
        self.wire = wire
    }

    private static func normalise(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var wire: [UInt8] = []
        wire.reserveCapacity(bytes.count + bytes.count / 32)
        for byte in bytes {
            if byte == lineFeed, wire.last != carriageReturn { wire.append(carriageReturn) }
            wire.append(byte)
        }
        return wire
    }

    /// Where the empty line between header section and body stands.
    private static func separator(in wire: [UInt8]) -> (headerEnd: Int, bodyStart: Int)? {
        if wire.starts(with: lineEnd) { return (0, 2) }
        var index = 0
        while index + 3 < wire.count {
            if wire[index] == 0x0D, wire[index + 1] == 0x0A, wire[index + 2] == 0x0D, wire[index + 3] == 0x0A {
                return (index + 2, index + 4)
            }
            index += 1
        }
        return nil
    }

    /// Where the header section ends (after the CRLF of its last field) and where the body starts.
    var parts: (headerEnd: Int, bodyStart: Int) {
        MessageText.separator(in: wire) ?? (wire.count, wire.count)
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
