// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

extension Rendition {
    /// Finds in one pass over the body what must change; nil if nothing must.
    ///
    /// - Throws: `RenditionError`, or what the reader throws.
    package static func plan(headerSection: [UInt8], goal: RenditionGoal, body: BodyReader) throws -> Rendition? {
        var measure = LeafMeasure()
        var lastOctet: UInt8 = 0
        try body { piece in
            var start = piece.startIndex
            while start < piece.endIndex {
                var end = start
                while end < piece.endIndex, piece[end] != UInt8(ascii: "\n") { end += 1 }
                let endsLine = end < piece.endIndex && (end > start ? piece[end - 1] : lastOctet) == UInt8(ascii: "\r")
                end = min(end + 1, piece.endIndex)
                lastOctet = piece[end - 1]
                measure.append(piece[start..<end], endsLine: endsLine)
                start = end
            }
        }
        guard
            measure.longestLine > LeafMeasure.maximumLineOctets || goal == .sevenBit && measure.hasHighOctets
        else { return nil }
        let names = ["Content-Type", "Content-Transfer-Encoding", "MIME-Version"].map(FieldName.init)
        guard let header = try? HeaderSection(headerSection), names.allSatisfy({ header.first($0) == nil }) else {
            throw RenditionError(
                status: EnhancedStatusCode(5, 6, 3), text: "its body needs a transfer encoding that can't be added")
        }
        let charset = !measure.hasHighOctets ? "us-ascii" : measure.isUTF8 ? "utf-8" : "unknown-8bit"
        let fields = """
            MIME-Version: 1.0\r
            Content-Type: text/plain; charset=\(charset)\r
            Content-Transfer-Encoding: \(measure.favoursBase64 ? "base64" : "quoted-printable")\r

            """
        let action: BodyEdit.Action = measure.favoursBase64 ? .base64(endsBody: true) : .quotedPrintable
        return Rendition(
            headerSection: headerSection + Array(fields.utf8),
            edits: [BodyEdit(range: 0..<measure.octets, action: action)])
    }
}
