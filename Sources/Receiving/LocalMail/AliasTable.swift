// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// AliasTable is in charge of who gets the mail of users of this machine: what an alias file such as `/etc/aliases`
/// says (aliases(5)).
///
///     # people
///     postmaster: root
///     root: ada@example.com, "grace hopper"@example.com,
///         \operator
///
/// Only addresses: nothing is run and no file is written for anybody's mail.
package struct AliasTable: Hashable, Sendable {
    package static let maximumOctets = 1 << 20
    /// Names that may lead from one to the next.
    package static let maximumDepth = 20

    enum Target: Hashable, Sendable {
        /// A name that may be an alias itself.
        case name(String)
        /// A name that was written with a backslash: it is meant as it stands.
        case final(String)
        case mailbox(Mailbox)
    }

    /// By their names in lower case.
    private let entries: [String: [Target]]

    package init() {
        entries = [:]
    }

    package init(_ octets: [UInt8]) throws(AliasFaults) {
        guard octets.count <= AliasTable.maximumOctets else {
            throw AliasFaults([
                AliasFault(
                    line: 1, problem: "the file is larger than \(AliasTable.maximumOctets >> 20) MiB",
                    remedy: "Remove aliases that nobody needs")
            ])
        }
        var reader = AliasReader()
        reader.read(octets)
        reader.checkWays()
        guard reader.faults.isEmpty else { throw AliasFaults(reader.faults.sorted { $0.line < $1.line }) }
        entries = reader.entries.mapValues(\.targets)
    }

    package var count: Int { entries.count }

    /// What the mail of a name becomes: mailboxes, and names that stay names; nil if there is no such alias.
    func expansion(of name: String) -> (names: [String], mailboxes: [Mailbox])? {
        guard entries[name.lowercased()] != nil else { return nil }
        var result: (names: [String], mailboxes: [Mailbox]) = ([], [])
        var seen: Set<String> = []
        expand(name, &seen, &result)
        return result
    }

    private func expand(
        _ name: String, _ seen: inout Set<String>, _ result: inout (names: [String], mailboxes: [Mailbox])
    ) {
        let key = name.lowercased()
        // Each name once, whatever ways lead to it; no way is a circle.
        guard seen.insert(key).inserted else { return }
        guard let targets = entries[key] else { return result.names.append(name) }
        for target in targets {
            switch target {
            // `root: root, ada@example.com`: the user gets it too.
            case .name(let next) where next.lowercased() == key: result.names.append(next)
            case .name(let next): expand(next, &seen, &result)
            case .final(let next): result.names.append(next)
            case .mailbox(let mailbox): result.mailboxes.append(mailbox)
            }
        }
    }
}

/// What is wrong with a line of an alias file.
package struct AliasFault: Error, Hashable, Sendable {
    /// Counted from 1.
    package var line: Int
    /// A clause.
    package var problem: String
    /// A sentence without its full stop.
    package var remedy: String
}

/// All that is wrong with an alias file, in its order.
package struct AliasFaults: Error, Hashable, Sendable {
    package let faults: [AliasFault]

    init(_ faults: [AliasFault]) {
        self.faults = faults
    }
}
