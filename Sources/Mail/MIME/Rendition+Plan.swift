// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

extension Rendition {
    /// Finds in one pass over the body what must change; nil if nothing must.
    ///
    /// - Throws: `RenditionError`, or what the reader throws.
    package static func plan(headerSection: [UInt8], goal: RenditionGoal, body: BodyReader) throws -> Rendition? {
        var planner = try StructurePlanner(headerSection: headerSection, goal: goal)
        try body { piece in try planner.append(piece) }
        try planner.finish()
        guard !planner.bodyEdits.isEmpty || !planner.headerEdits.isEmpty else { return nil }
        return Rendition(
            headerSection: inOrder(planner.headerEdits, applied: headerSection), edits: inOrder(planner.bodyEdits))
    }

    /// Edits are noted when their cause is known: a container's header after the parts inside.
    private static func inOrder(_ edits: [BodyEdit]) -> [BodyEdit] {
        edits.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
    }

    private static func inOrder(_ edits: [BodyEdit], applied original: [UInt8]) -> [UInt8] {
        var encoder = RenditionEncoder(edits: inOrder(edits))
        var output: [UInt8] = []
        encoder.append(original[...], to: &output)
        encoder.finish(to: &output)
        return output
    }
}
