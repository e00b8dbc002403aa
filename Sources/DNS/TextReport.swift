// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// TextReport is what all the servers in charge of a name say about its text records, zone by zone behind aliases.
package struct TextReport: Hashable, Sendable {
    /// The servers of one zone, and what they were asked for.
    package struct Step: Hashable, Sendable {
        /// The name asked of them: the first, or what an alias led to.
        package var name: String
        /// As the servers say themselves, else as those say that led there.
        package var zone: String?
        package var answers: [ServerAnswer]

        package init(name: String, zone: String?, answers: [ServerAnswer]) {
            self.name = name
            self.zone = zone
            self.answers = answers
        }
    }

    package enum End: Hashable, Sendable {
        /// The last step holds the answers, or servers that differ.
        case answered
        /// The aliases lead back to this name.
        case circle(String)
        /// There are more aliases and zones than anybody follows.
        case tooManySteps
        /// The servers in charge of this name can't be found: why.
        case serversNotFound(String, reason: String)
    }

    /// In the order they were asked; empty only without servers.
    package var steps: [Step]
    package var end: End

    /// The texts at `<name>.<zone>`, asked for only if there is no record at the name: forms that add the zone by
    /// themselves make such records of whole names.
    package var doubled: [[UInt8]] = []

    package init(steps: [Step], end: End) {
        self.steps = steps
        self.end = end
    }

    /// The zone that holds the record.
    package var zone: String? { steps.last?.zone }

    /// The names behind the first, in order.
    package var aliases: [String] {
        var names: [String] = []
        for step in steps where step.name != (names.last ?? steps[0].name) { names.append(step.name) }
        return names
    }

    /// The longest time that a resolver may keep what it was told of the name, alias or record, in seconds.
    package var recordTTL: UInt32? {
        statements.compactMap { statement in
            switch statement {
            case .records(_, let ttl), .alias(_, let ttl): ttl
            default: nil
            }
        }.max()
    }

    /// The longest time that a resolver may keep that the name or record is not there, in seconds.
    package var negativeTTL: UInt32? {
        steps.flatMap(\.answers).compactMap { $0.authority?.negativeTTL }.max()
    }

    private var statements: [ServerAnswer.Kind] { steps.flatMap(\.answers).flatMap(\.statements) }
}
