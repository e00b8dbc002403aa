// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// UpdatePlan decides what is sent to the server, from what stands at the name and what shall stand there.
enum UpdatePlan: Hashable, Sendable {
    /// What stands at a name of its own right, not by a wildcard.
    enum Standing: Hashable, Sendable {
        /// No text record and no alias.
        case nothing
        case alias(String)
        /// Each record as its strings, with their lengths before them.
        case texts([[[UInt8]]])
    }

    /// All is as it shall be: in words.
    case done(String)
    /// What the change does, in words, and its two sections.
    case change(String, prerequisites: [UpdateMessage.Entry], updates: [UpdateMessage.Entry])

    static func make(_ update: TextUpdate, standing: Standing, server: String) throws(UpdateError) -> UpdatePlan {
        let name = update.name
        switch standing {
        case .alias(let target):
            throw UpdateError(
                .alias,
                "\(name) is an alias (CNAME) of \(PrintableText.of(target)) at \(server), and no text record can stand "
                    + "beside it: delete the CNAME record, or publish at the name it leads to")
        case .nothing:
            guard let wanted = update.wanted else { return .done("no text record stands at \(name)") }
            return .change(
                "added the text record of \(name)", prerequisites: [.missing(.txt), .missing(.cname)],
                updates: [.add(text: Array(wanted.utf8), ttl: update.ttl)])
        case .texts(let records):
            return try make(update, records: records, server: server)
        }
    }

    private static func make(
        _ update: TextUpdate, records: [[[UInt8]]], server: String
    ) throws(UpdateError) -> UpdatePlan {
        let name = update.name
        let wanted = update.wanted.map { Array($0.utf8) }
        let texts = records.map { strings in Array(strings.map { $0.dropFirst() }.joined()) }
        if let wanted, texts == [wanted] { return .done("the text record of \(name) is there already") }
        let ours = Set(update.replaceable.map { Array($0.utf8) } + [wanted].compactMap { $0 })
        if let foreign = texts.first(where: { !ours.contains($0) }) {
            throw UpdateError(
                .foreignRecord,
                "\(name) holds a text record at \(server) that is not Waxwing's: \"\(PrintableText.of(foreign))\": "
                    + "delete it, or use another selector")
        }
        // The record set must be just what was seen, so that nothing else is lost.
        let prerequisites = records.map { UpdateMessage.Entry.present(text: $0) }
        guard let wanted else {
            return .change(
                "removed the text record of \(name)", prerequisites: prerequisites, updates: [.deleteTexts])
        }
        return .change(
            "replaced the text record of \(name)", prerequisites: prerequisites,
            updates: [.deleteTexts, .add(text: wanted, ttl: update.ttl)])
    }
}
