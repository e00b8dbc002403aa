// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// A change to one stretch of a body.
struct BodyEdit: Hashable, Sendable {
    enum Action: Hashable, Sendable {
        /// These octets instead of those of the range; the range may be empty.
        case replace([UInt8])
        /// Text whose line ends stay line ends.
        case quotedPrintable
        /// Octets as they are; with a line end at the end where the body ends with them.
        case base64(endsBody: Bool)
        /// Quoted-printable that breaks the rules.
        case refoldQuotedPrintable
        /// Base64 that breaks the rules.
        case refoldBase64(endsBody: Bool)
        /// A preamble or an epilogue.
        case ignorable(isSevenBit: Bool)
    }

    /// Offsets into the body.
    var range: Range<Int>
    var action: Action
}

/// RenditionEncoder is in charge of writing a body with its changes, as the octets of the original pass.
///
/// The output does not depend on how the input is cut into pieces.
package struct RenditionEncoder: Sendable {
    /// How the octets of the current edit are written.
    private enum Writer {
        case nothing
        case quotedPrintable(QuotedPrintableEncoder)
        case base64(Base64Encoder, endsBody: Bool)
        case refoldQuotedPrintable(QuotedPrintableRefolder)
        case refoldBase64(Base64Lines, endsBody: Bool)
        case ignorable(IgnorableText)
    }

    /// In the order of the body, without overlap.
    private let edits: [BodyEdit]
    /// The edit that is under way or comes next.
    private var next = 0
    private var isInside = false
    private var writer = Writer.nothing
    /// Octets of the original so far.
    private var position = 0

    init(edits: [BodyEdit]) {
        self.edits = edits
    }

    /// Takes the next octets of the original.
    package mutating func append(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        var rest = bytes
        while !rest.isEmpty {
            openEdits(to: &output)
            guard next < edits.count else {
                output += rest
                position += rest.count
                return
            }
            let range = edits[next].range
            let end = isInside ? range.upperBound : range.lowerBound
            let piece = rest.prefix(end - position)
            if isInside { write(piece, to: &output) } else { output += piece }
            position += piece.count
            rest = rest.dropFirst(piece.count)
            if isInside, position == range.upperBound { closeEdit(to: &output) }
        }
    }

    /// Writes what is held; the original has ended.
    package mutating func finish(to output: inout [UInt8]) {
        openEdits(to: &output)
        if isInside { closeEdit(to: &output) }
    }

    /// Starts the edits that begin where the original is now; those of an empty range are over at once.
    private mutating func openEdits(to output: inout [UInt8]) {
        while !isInside, next < edits.count, edits[next].range.lowerBound == position {
            isInside = true
            switch edits[next].action {
            case .replace(let replacement):
                output += replacement
                writer = .nothing
            case .quotedPrintable: writer = .quotedPrintable(QuotedPrintableEncoder())
            case .base64(let endsBody): writer = .base64(Base64Encoder(), endsBody: endsBody)
            case .refoldQuotedPrintable: writer = .refoldQuotedPrintable(QuotedPrintableRefolder())
            case .refoldBase64(let endsBody): writer = .refoldBase64(Base64Lines(), endsBody: endsBody)
            case .ignorable(let isSevenBit): writer = .ignorable(IgnorableText(isSevenBit: isSevenBit))
            }
            if edits[next].range.isEmpty { closeEdit(to: &output) }
        }
    }

    private mutating func write(_ piece: ArraySlice<UInt8>, to output: inout [UInt8]) {
        switch writer {
        case .nothing:
            break
        case .quotedPrintable(var encoder):
            for byte in piece { encoder.append(byte, to: &output) }
            writer = .quotedPrintable(encoder)
        case .base64(var encoder, let endsBody):
            encoder.append(piece, to: &output)
            writer = .base64(encoder, endsBody: endsBody)
        case .refoldQuotedPrintable(var refolder):
            refolder.append(piece, to: &output)
            writer = .refoldQuotedPrintable(refolder)
        case .refoldBase64(var lines, let endsBody):
            for byte in piece where Base64Encoder.isCharacter(byte) { lines.append(byte, to: &output) }
            writer = .refoldBase64(lines, endsBody: endsBody)
        case .ignorable(var text):
            text.append(piece, to: &output)
            writer = .ignorable(text)
        }
    }

    private mutating func closeEdit(to output: inout [UInt8]) {
        switch writer {
        case .nothing, .ignorable:
            break
        case .quotedPrintable(var encoder):
            encoder.finish(to: &output)
        case .base64(var encoder, let endsBody):
            encoder.finish(to: &output)
            if endsBody { output += "\r\n".utf8 }
        case .refoldQuotedPrintable(var refolder):
            refolder.finish(to: &output)
        case .refoldBase64(_, let endsBody):
            if endsBody { output += "\r\n".utf8 }
        }
        writer = .nothing
        isInside = false
        next += 1
    }
}
