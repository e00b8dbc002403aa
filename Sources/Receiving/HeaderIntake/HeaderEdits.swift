// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// HeaderEdits is in charge of what becomes of the fields of a header section: most are copied, some are left out or
/// written anew.
struct HeaderEdits {
    private struct Edit {
        var octets: Range<Int>
        var replacement: [UInt8]
    }

    var repairs: Set<Repair>
    private let header: HeaderSection
    private var edits: [Edit] = []
    private var position = 0
    private var nextEdit = 0

    init(_ header: HeaderSection, survey: HeaderSurvey, author: Author, localDomain: Domain?) throws(IntakeRefusal) {
        self.header = header
        repairs = author.repairs
        guard survey.needsRepair || author.value != nil || localDomain != nil else {
            edits = survey.removed.map { Edit(octets: header.fields[$0].octets, replacement: []) }
            return
        }
        var removed = survey.removed[...]
        for (index, field) in header.fields.enumerated() {
            if removed.first == index {
                removed.removeFirst()
                edits.append(Edit(octets: field.octets, replacement: []))
                continue
            }
            var value = index == survey.from ? author.value : nil
            if let localDomain, index != survey.from,
                let completed = FieldCompletion.value(of: field, in: header, with: localDomain)
            {
                value = completed
                repairs.insert(.rewrittenMailbox)
            }
            guard field.needsRepair || value != nil else { continue }
            let repair = try FieldRepair(of: field, in: header, value: value)
            repairs.formUnion(repair.repairs)
            edits.append(Edit(octets: field.octets, replacement: repair.octets))
        }
    }

    /// Appends what becomes of the octets up to `end`, after those that were copied before.
    mutating func copy(upTo end: Int, to output: inout [UInt8]) {
        while nextEdit < edits.count, edits[nextEdit].octets.lowerBound < end {
            output += header.bytes[position..<edits[nextEdit].octets.lowerBound]
            output += edits[nextEdit].replacement
            position = edits[nextEdit].octets.upperBound
            nextEdit += 1
        }
        guard position < end else { return }
        output += header.bytes[position..<end]
        position = end
    }
}
