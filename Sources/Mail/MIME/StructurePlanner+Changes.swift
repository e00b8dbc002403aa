// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// What has to change once a region or a container has passed.
extension StructurePlanner {
    /// Judges the octets of the region, which ends before `end`; without the CRLF of a delimiter at `contentEnd`.
    mutating func closeRegion(end: Int, contentEnd: Int, isOwnDelimiter: Bool) throws(RenditionError) {
        guard let fault = fault(in: measure) else { return }
        switch region {
        case .header:
            break
        case .leaf(let part, let start):
            try encode(part, start..<max(start, contentEnd))
        case .untouchable(let obstacle, let typeName):
            try refuse(obstacle, fault: fault, typeName: typeName)
        case .preamble(let start):
            guard isOwnDelimiter else {
                let typeName = containers.last?.part.typeName ?? "multipart"
                return try refuse(.unsupported("its boundary never appears"), fault: fault, typeName: typeName)
            }
            try change(start..<end, .ignorable(isSevenBit: goal == .sevenBit))
            noteChange()
        case .epilogue(let start):
            try change(start..<max(start, contentEnd), .ignorable(isSevenBit: goal == .sevenBit))
            noteChange()
        }
    }

    /// Ends the innermost container.
    mutating func closeContainer(contentEnd: Int) throws(RenditionError) {
        guard let container = containers.popLast() else { return }
        if container.encodesWhole {
            // RFC 6532 §3.5 lets message/global have a transfer encoding, unlike other messages.
            bodyEdits.removeSubrange(container.firstEdit...)
            let range = container.contentStart..<max(container.contentStart, contentEnd)
            try change(range, .base64(endsBody: contentEnd == position))
            try label(container.part, transferEncoding: "base64", charset: nil)
            noteChange()
        } else if container.hasChanged {
            try label(container.part, transferEncoding: relabelled(container.part), charset: nil)
            noteChange()
        }
    }

    /// What a container's transfer encoding has to be called once its content has changed; nil if it may stay.
    private func relabelled(_ part: PartHeader) -> String? {
        // RFC 2045 §6.4: a container has no transfer encoding but the widest of its parts.
        switch (part.transferEncoding, goal) {
        case (nil, _), ("7bit", _), ("8bit", .shortLines): nil
        case (_, .sevenBit): "7bit"
        case (_, .shortLines): "8bit"
        }
    }

    /// Gives a leaf part the transfer encoding that it needs.
    private mutating func encode(_ part: PartHeader, _ range: Range<Int>) throws(RenditionError) {
        let endsBody = range.upperBound == position
        let action: BodyEdit.Action
        let transferEncoding: String?
        switch part.kind {
        case .quotedPrintable:
            (action, transferEncoding) = (.refoldQuotedPrintable, nil)
        case .base64:
            (action, transferEncoding) = (.refoldBase64(endsBody: endsBody), nil)
        case .text where !measure.favoursBase64:
            (action, transferEncoding) = (.quotedPrintable, "quoted-printable")
        default:
            (action, transferEncoding) = (.base64(endsBody: endsBody), "base64")
        }
        var charset: String?
        if part.role == .message, !part.hasContentType, transferEncoding != nil {
            // RFC 1428 §3: "unknown-8bit" is what text is called whose charset nobody knows.
            charset = !measure.hasHighOctets ? "us-ascii" : measure.isUTF8 ? "utf-8" : "unknown-8bit"
        }
        try label(part, transferEncoding: transferEncoding, charset: charset)
        try change(range, action)
        noteChange()
    }

    /// Makes a header tell of its changed content.
    private mutating func label(
        _ part: PartHeader, transferEncoding: String?, charset: String?
    ) throws(RenditionError) {
        var added: [UInt8] = []
        // RFC 2045 §4: the field that makes a message one of MIME.
        if part.role == .message, !part.hasMIMEVersion { added += "MIME-Version: 1.0\r\n".utf8 }
        if let charset { added += "Content-Type: text/plain; charset=\(charset)\r\n".utf8 }
        if let transferEncoding {
            let field = Array("Content-Transfer-Encoding: \(transferEncoding)\r\n".utf8)
            for (index, range) in part.transferEncodingFields.enumerated() {
                try changeHeader(range, index == 0 ? field : [], isRoot: part.isRoot)
            }
            if part.transferEncodingFields.isEmpty { added += field }
        }
        for range in part.staleFields { try changeHeader(range, [], isRoot: part.isRoot) }
        guard !added.isEmpty else { return }
        if part.lacksEmptyLine { added += "\r\n".utf8 }
        try changeHeader(part.insertion..<part.insertion, added, isRoot: part.isRoot)
    }

    mutating func noteChange() {
        if !containers.isEmpty { containers[containers.count - 1].hasChanged = true }
    }
}

/// Edits, and the refusal of them.
extension StructurePlanner {
    mutating func change(_ range: Range<Int>, _ action: BodyEdit.Action) throws(RenditionError) {
        guard bodyEdits.count < StructurePlanner.maximumEdits else { throw StructurePlanner.tooManyChanges }
        bodyEdits.append(BodyEdit(range: range, action: action))
    }

    mutating func changeHeader(_ range: Range<Int>, _ octets: [UInt8], isRoot: Bool) throws(RenditionError) {
        if isRoot {
            headerEdits.append(BodyEdit(range: range, action: .replace(octets)))
            return
        }
        replacementOctets += octets.count
        guard replacementOctets <= StructurePlanner.maximumReplacementOctets else {
            throw StructurePlanner.tooManyChanges
        }
        try change(range, .replace(octets))
    }

    private static var tooManyChanges: RenditionError {
        RenditionError(
            status: EnhancedStatusCode(5, 6, 3),
            text: "more than \(maximumEdits / 2) of its parts need a transfer encoding; encode them before submission")
    }

    /// What is wrong with octets for the goal; nil if nothing is.
    func fault(in measure: LeafMeasure) -> Fault? {
        if goal == .sevenBit, measure.hasHighOctets { return .highOctets }
        return measure.longestLine > LeafMeasure.maximumLineOctets ? .longLine : nil
    }

    /// Refuses the message, unless the change can be made around the octets in question.
    mutating func refuse(
        _ obstacle: PartHeader.Obstacle, fault: Fault, typeName: String
    ) throws(RenditionError) {
        if let global = containers.lastIndex(where: \.isGlobalMessage) {
            containers[global].encodesWhole = true
            return
        }
        throw RenditionError(
            status: obstacle.status,
            text: "\(location) (\(typeName)) \(fault), and \(obstacle.reason); encode or mend it before submission")
    }

    /// Where the octets are that pass now: `part 2.1`, counted as IMAP does (RFC 9051 §6.4.5).
    var location: String {
        let numbers = containers.filter { $0.boundary != nil && $0.partCount > 0 }.map { String($0.partCount) }
        return numbers.isEmpty ? "its body" : "its part \(numbers.joined(separator: "."))"
    }
}

/// What keeps octets from travelling.
enum Fault: Hashable, Sendable, CustomStringConvertible {
    case longLine, highOctets

    /// Behind what has it.
    var description: String {
        switch self {
        case .longLine: "has a line of more than \(LeafMeasure.maximumLineOctets) octets"
        case .highOctets: "has octets above 127"
        }
    }
}
