// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// KeyLooks is in charge of looking at many keys together, and not at all of them at once.
package enum KeyLooks {
    /// Each look takes up to four sockets to every address of every server: all keys of a large store at once would run
    /// out of file descriptors, and name servers would take it for an attack.
    private static let atOnce = 16

    /// What is seen of some keys, in their order.
    package static func look(
        at keys: [KeyDescription], by look: @escaping @Sendable (KeyDescription) async -> KeyEvidence
    ) async -> [KeyEvidence] {
        await withTaskGroup(of: Sight.self) { group in
            var sights: [Sight] = []
            for (index, key) in keys.enumerated() {
                if index >= atOnce, let sight = await group.next() { sights.append(sight) }
                group.addTask { Sight(index: index, evidence: await look(key)) }
            }
            for await sight in group { sights.append(sight) }
            return sights.sorted { $0.index < $1.index }.map(\.evidence)
        }
    }

    private struct Sight: Sendable {
        var index: Int
        var evidence: KeyEvidence
    }
}
