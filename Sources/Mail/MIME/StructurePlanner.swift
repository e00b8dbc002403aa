// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// StructurePlanner is in charge of finding the parts of a body as it passes (RFC 2045, RFC 2046), and of noting what
/// must change in each; it keeps no content, only the header it is reading and the changes.
///
/// Where readers of MIME disagree, it takes the reading of most of them, and where that would be a guess, the part may
/// stay as it is or is refused, but is never changed.
struct StructurePlanner: Sendable {
    /// Parts inside parts; deeper ones are not looked into.
    static let maximumDepth = 100
    /// Octets of a part's header; what has a longer one is not looked into.
    static let maximumHeaderOctets = 64 * 1024
    /// Octets of a boundary (RFC 2046 §5.1.1 permits 70).
    static let maximumBoundaryOctets = 250
    /// A longer line is no delimiter.
    static let maximumDelimiterOctets = 998
    /// Changes to a body.
    static let maximumEdits = 20_000
    /// Octets that the changes put into headers.
    static let maximumReplacementOctets = 256 * 1024

    /// What the octets are that pass now.
    enum Region: Sendable {
        case header(start: Int, role: PartHeader.Role)
        case leaf(PartHeader, start: Int)
        case untouchable(PartHeader.Obstacle, typeName: String)
        /// Between the header of a multipart and its first delimiter.
        case preamble(start: Int)
        /// Behind the last delimiter of a multipart.
        case epilogue(start: Int)
    }

    /// A multipart or a message whose content passes now.
    struct Container: Sendable {
        let part: PartHeader
        /// Nil for a message.
        let boundary: [UInt8]?
        let isDigest: Bool
        let isGlobalMessage: Bool
        let contentStart: Int
        /// Where the edits of what it contains begin.
        let firstEdit: Int
        var partCount = 0
        var isClosed = false
        /// Something that it contains changes.
        var hasChanged = false
        /// It can only change as a whole.
        var encodesWhole = false
    }

    let goal: RenditionGoal
    /// The outermost first.
    var containers: [Container] = []
    var region: Region
    /// Of the region, unless it is a header.
    var measure = LeafMeasure()
    var bodyEdits: [BodyEdit] = []
    /// Offsets into the header section of the message.
    var headerEdits: [BodyEdit] = []
    var replacementOctets = 0
    /// The header of the message itself has been read.
    var isInBody = false

    /// Lines of the header that is being read.
    private var header: [UInt8] = []
    /// The line so far, while it may be more than content.
    private var line: [UInt8] = []
    private var isHoldingLine = true
    private var lineStart = 0
    private var lastOctet: UInt8 = 0
    /// Octets of the body so far.
    private(set) var position = 0

    init(headerSection: [UInt8], goal: RenditionGoal) throws(RenditionError) {
        self.goal = goal
        region = .header(start: 0, role: .message)
        header = headerSection
        try endHeader(contentStart: 0, lacksEmptyLine: false)
        isInBody = true
    }

    /// Takes the next octets of the body.
    mutating func append(_ piece: ArraySlice<UInt8>) throws(RenditionError) {
        var start = piece.startIndex
        while start < piece.endIndex {
            var end = start
            while end < piece.endIndex, piece[end] != UInt8(ascii: "\n") { end += 1 }
            var endsLine = false
            if end < piece.endIndex {
                // Only CRLF ends a line (RFC 2045 §2.1).
                endsLine = (end > start ? piece[end - 1] : lastOctet) == UInt8(ascii: "\r")
                end += 1
            }
            lastOctet = piece[end - 1]
            try append(piece[start..<end], endsLine: endsLine)
            start = end
        }
    }

    /// Takes the end of the body.
    mutating func finish() throws(RenditionError) {
        if isHoldingLine, !line.isEmpty { try takeLine(endsLine: false) }
        while case .header = region { try endHeader(contentStart: position, lacksEmptyLine: true) }
        try closeRegion(end: position, contentEnd: position, isOwnDelimiter: false)
        while !containers.isEmpty { try closeContainer(contentEnd: position) }
    }

    /// Takes a piece that lies on one line.
    private mutating func append(_ piece: ArraySlice<UInt8>, endsLine: Bool) throws(RenditionError) {
        position += piece.count
        if isHoldingLine, line.isEmpty, !isHeader, piece.count > 1, !piece.starts(with: StructurePlanner.hyphens) {
            isHoldingLine = false
        }
        if isHoldingLine {
            line += piece
            if endsLine {
                try takeLine(endsLine: true)
            } else if isHeader ? isLineTooLongForHeader : !mayBecomeDelimiter {
                if isHeader { abandonHeader(StructurePlanner.longHeader) }
                measure.append(line[...], endsLine: false)
                line.removeAll(keepingCapacity: true)
                isHoldingLine = false
            }
        } else {
            measure.append(piece, endsLine: endsLine)
        }
        if endsLine {
            line.removeAll(keepingCapacity: true)
            isHoldingLine = true
            lineStart = position
        }
    }

    private static let hyphens = Array("--".utf8)

    private var isHeader: Bool {
        if case .header = region { true } else { false }
    }

    /// The line that is held, whose end has not come, can still turn out to be a delimiter.
    private var mayBecomeDelimiter: Bool {
        // One octet more than a delimiter: it may be the CR of the line's end.
        line.count <= StructurePlanner.maximumDelimiterOctets + 1 && zip(line, StructurePlanner.hyphens).allSatisfy(==)
    }

    /// The line that is held is no delimiter for its length, and the header has no room for it.
    ///
    /// Once true it stays true for the rest of the line, so it does not matter how the input is cut.
    private var isLineTooLongForHeader: Bool {
        line.count > StructurePlanner.maximumDelimiterOctets + 2
            && header.count + line.count > StructurePlanner.maximumHeaderOctets
    }

    /// Takes the line that was held, which ends at `position`.
    private mutating func takeLine(endsLine: Bool) throws(RenditionError) {
        let text = endsLine ? line.dropLast(2) : line[...]
        if let delimiter = delimiter(text) { return try pass(delimiter) }
        guard case .header(_, let role) = region else { return measure.append(line[...], endsLine: endsLine) }
        if text.isEmpty { return try endHeader(contentStart: position, lacksEmptyLine: false) }
        if isLineTooLongForHeader {
            abandonHeader(StructurePlanner.longHeader)
            return measure.append(line[...], endsLine: endsLine)
        }
        switch RawHeader.line(text) {
        case .field:
            header += line
        case .continuation where !header.isEmpty:
            header += line
        // The line of an mbox file that a message was taken from.
        case .neither where header.isEmpty && role == .message && text.starts(with: Array("From ".utf8)):
            header += line
        case .neither where header.isEmpty && !RawHeader.isOldField(text):
            // Text that begins without a header and without the empty line: readers show it.
            try endHeader(contentStart: lineStart, lacksEmptyLine: true)
            return try takeLine(endsLine: endsLine)
        case .continuation, .neither:
            // Some readers end the header here, some pass the line over.
            abandonHeader(.unsupported("its header holds a line that is no header field"))
            return measure.append(line[...], endsLine: endsLine)
        }
        if header.count > StructurePlanner.maximumHeaderOctets { abandonHeader(StructurePlanner.longHeader) }
    }

    /// Goes on without knowing what the part with this header is; its header is judged as its content is.
    private mutating func abandonHeader(_ obstacle: PartHeader.Obstacle) {
        startUntouchable(obstacle)
        measure.append(lines: header[...])
        header = []
    }

    private static let longHeader = PartHeader.Obstacle.unsupported(
        "its header is larger than \(maximumHeaderOctets / 1024) KiB")

    private mutating func startUntouchable(_ obstacle: PartHeader.Obstacle) {
        region = .untouchable(obstacle, typeName: "unknown type")
        measure = LeafMeasure()
    }

    /// Reads the header that has ended, and starts with what it describes.
    private mutating func endHeader(contentStart: Int, lacksEmptyLine: Bool) throws(RenditionError) {
        guard case .header(let start, let role) = region else { return }
        let raw = RawHeader(header)
        header = []
        let part = PartHeader(
            raw, offset: start, role: role, isRoot: !isInBody,
            isInDigest: role == .bodyPart && containers.last?.isDigest == true, lacksEmptyLine: lacksEmptyLine)
        try repair(raw, of: part, offset: start)
        measure = LeafMeasure()
        switch part.kind {
        case .multipart(let boundary, let isDigest):
            guard containers.count < StructurePlanner.maximumDepth else { return refuseDepth() }
            open(part, boundary: boundary, isDigest: isDigest, isGlobalMessage: false, at: contentStart)
            region = .preamble(start: contentStart)
        case .message(let isGlobal):
            guard containers.count < StructurePlanner.maximumDepth else { return refuseDepth() }
            open(part, boundary: nil, isDigest: false, isGlobalMessage: isGlobal, at: contentStart)
            region = .header(start: contentStart, role: .message)
        case .untouchable(let obstacle):
            region = .untouchable(obstacle, typeName: part.typeName)
        case .text, .octets, .quotedPrintable, .base64:
            region = .leaf(part, start: contentStart)
        }
    }

    private mutating func open(
        _ part: PartHeader, boundary: [UInt8]?, isDigest: Bool, isGlobalMessage: Bool, at contentStart: Int
    ) {
        containers.append(
            Container(
                part: part, boundary: boundary, isDigest: isDigest, isGlobalMessage: isGlobalMessage,
                contentStart: contentStart, firstEdit: bodyEdits.count))
    }

    private mutating func refuseDepth() {
        startUntouchable(.unsupported("it is nested deeper than \(StructurePlanner.maximumDepth) levels"))
    }

    // MARK: - Delimiters

    /// A line that ends a part of a container.
    private struct Delimiter {
        var container: Int
        /// It is the last one, with hyphens at its end.
        var isLast: Bool
    }

    /// The delimiter that a line is (RFC 2046 §5.1.1), white space at its end included.
    ///
    /// The outermost container is asked first: when two have the same boundary, the inner one has no parts.
    private func delimiter(_ text: ArraySlice<UInt8>) -> Delimiter? {
        guard !containers.isEmpty, text.starts(with: StructurePlanner.hyphens),
            text.count <= StructurePlanner.maximumDelimiterOctets
        else { return nil }
        var text = text.dropFirst(2)
        while let last = text.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") { text.removeLast() }
        for (index, container) in containers.enumerated() where !container.isClosed {
            guard let boundary = container.boundary, text.starts(with: boundary) else { continue }
            if text.count == boundary.count { return Delimiter(container: index, isLast: false) }
            if text.dropFirst(boundary.count).elementsEqual(StructurePlanner.hyphens) {
                return Delimiter(container: index, isLast: true)
            }
        }
        return nil
    }

    /// Ends everything inside the delimiter's container, and starts with what follows.
    private mutating func pass(_ delimiter: Delimiter) throws(RenditionError) {
        while case .header = region { try endHeader(contentStart: lineStart, lacksEmptyLine: true) }
        // RFC 2046 §5.1.1: the CRLF before a delimiter belongs to it.
        let contentEnd = max(0, lineStart - 2)
        let isOwn = delimiter.container == containers.count - 1
        try closeRegion(end: lineStart, contentEnd: contentEnd, isOwnDelimiter: isOwn)
        while containers.count > delimiter.container + 1 { try closeContainer(contentEnd: contentEnd) }
        containers[delimiter.container].isClosed = delimiter.isLast
        measure = LeafMeasure()
        if delimiter.isLast {
            region = .epilogue(start: position)
        } else {
            containers[delimiter.container].partCount += 1
            region = .header(start: position, role: .bodyPart)
        }
    }
}
