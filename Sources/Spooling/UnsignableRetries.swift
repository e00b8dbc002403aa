// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// UnsignableRetries is in charge of how far the messages that wait for a key have been read ahead of their time: by
/// author domain, a page each by turns, so that a domain with many does not keep the others waiting.
///
/// Messages are read in the order of their queue IDs, each once: what still can't be signed stays behind, however often
/// it is recorded meanwhile.
struct UnsignableRetries {
    private struct Progress {
        /// The last one that was read.
        var id = Int64.min
        /// Asked for again since it began.
        var isRepeated = false
    }

    private var progress: [Domain: Progress] = [:]
    private var turns = Fifo<Domain>()

    var isEmpty: Bool { turns.isEmpty }

    mutating func add(_ domain: Domain) {
        if progress[domain] == nil {
            progress[domain] = Progress()
            turns.append(domain)
        } else if progress[domain]?.id != .min {
            progress[domain]?.isRepeated = true
        }
    }

    /// Whose page is next, and after which message it begins.
    ///
    /// `endPage` must follow.
    mutating func next() -> (domain: Domain, after: Int64)? {
        guard let domain = turns.popFirst(), let progress = progress[domain] else { return nil }
        return (domain, progress.id)
    }

    /// A page was read up to a message; nil: there are no more.
    mutating func endPage(of domain: Domain, at id: Int64?) {
        guard let old = progress[domain] else { return }
        if let id {
            progress[domain]?.id = id
        } else if old.isRepeated {
            progress[domain] = Progress()
        } else {
            progress[domain] = nil
            return
        }
        turns.append(domain)
    }
}
