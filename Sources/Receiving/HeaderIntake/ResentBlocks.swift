// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// ResentBlocks is in charge of telling the resendings of a message apart (RFC 5322 §3.6.6): each prepends a block of
/// Resent fields, in which no name stands twice.
///
/// Blocks may follow each other with nothing between them: then a name that comes again starts the next block. Each
/// block has a Resent-From; one without was cut out of a block that has a name twice, which nobody can read.
struct ResentBlocks {
    private struct Block {
        var names: Set<String> = []
        var isComplete: Bool { names.contains("resent-from") }
    }

    /// Where the newest block starts.
    private(set) var start: Int?
    /// The names in the newest block, in lower case; nil if the message was not resent.
    private(set) var newestNames: Set<String>?

    /// The block that is being read.
    private var block: Block?
    /// The name that ended the block before this one by coming again.
    private var repeated: String?

    /// Takes the fields in their order, without those that are removed.
    mutating func note(_ field: HeaderSection.Field, in header: HeaderSection) throws(IntakeRefusal) {
        let isResent =
            field.name.count > 7
            && header.bytes[field.name].prefix(7).elementsEqual("Resent-".utf8) { $0 | 0x20 == $1 | 0x20 }
        guard isResent else { return try end() }
        let name = header.name(of: field)
        let key = name.lowercased()
        if let block, block.names.contains(key) {
            guard block.isComplete else { throw .repeatedInResending(name) }
            try end()
            repeated = name
        }
        if start == nil { start = field.octets.lowerBound }
        block = block ?? Block()
        block?.names.insert(key)
    }

    /// The fields end, or one that is not part of a resending follows.
    mutating func end() throws(IntakeRefusal) {
        guard let block else { return }
        if let repeated, !block.isComplete { throw .repeatedInResending(repeated) }
        newestNames = newestNames ?? block.names
        self.block = nil
        repeated = nil
    }
}
