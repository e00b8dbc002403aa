// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Header fields that have to change themselves.
extension StructurePlanner {
    /// Mends the fields of a header that has been read, as far as the goal asks for it.
    mutating func repair(_ header: RawHeader, of part: PartHeader, offset: Int) throws(RenditionError) {
        if let first = header.fields.first?.octets.lowerBound ?? (header.bytes.isEmpty ? nil : header.bytes.count),
            first > 0, fault(in: header.bytes[..<first]) != nil
        {
            // The line of an mbox file, before the fields: it was never part of the message.
            try changeHeader(offset..<offset + first, [], isRoot: part.isRoot)
            noteChange()
        }
        for field in header.fields {
            let octets = header.bytes[field.octets]
            guard let fault = fault(in: octets) else { continue }
            if let global = containers.lastIndex(where: \.isGlobalMessage) {
                // RFC 6532 §3.6: such fields are what message/global is for.
                containers[global].encodesWhole = true
                return
            }
            var repaired: [UInt8]? = Array(octets)
            if fault == .highOctets { repaired = repaired.flatMap { encoded($0, isRoot: part.isRoot) } }
            repaired = repaired.flatMap(MIMEFieldRepair.shortLines)
            guard let repaired, !PartHeader.isReplaced(field) else {
                throw refusal(of: header.displayName(of: field), in: part, fault)
            }
            let range = offset + field.octets.lowerBound..<offset + field.octets.upperBound
            try changeHeader(range, repaired, isRoot: part.isRoot)
            noteChange()
        }
    }

    /// The field without octets above 127; nil where that would be a guess.
    private func encoded(_ field: [UInt8], isRoot: Bool) -> [UInt8]? {
        if let simple = MIMEFieldRepair.sevenBit(field) { return simple }
        // Those of a message inside that people read: its addresses before all. Of parameters the above knows more.
        guard !isRoot, let header = try? HeaderSection(field), header.fields.count == 1,
            let known = KnownField.index(of: header.fields[0], in: header),
            KnownField.all[known].syntax != .parameters
        else { return nil }
        return try? FieldEncoder.encode(field)
    }

    private func refusal(of name: String, in part: PartHeader, _ fault: Fault) -> RenditionError {
        let place = part.isRoot ? "its header section" : location
        switch fault {
        // RFC 6531 §4.3: X.6.9, "UTF-8 header message cannot be transferred".
        case .highOctets:
            return RenditionError(
                status: EnhancedStatusCode(5, 6, 9),
                text: "field \(name) of \(place) \(fault), and they have no clear encoding; send it in ASCII")
        case .longLine:
            return RenditionError(
                status: EnhancedStatusCode(5, 6, 0),
                text: "field \(name) of \(place) \(fault), and no white space to fold it at; shorten it")
        }
    }

    private func fault(in lines: ArraySlice<UInt8>) -> Fault? {
        var measure = LeafMeasure()
        measure.append(lines: lines)
        return fault(in: measure)
    }
}
