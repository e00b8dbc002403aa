// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Synchronization
import TestSupport

@testable import Forwarding

/// Randomness that a seed repeats, for the code under test.
final class SeededNumbers: Sendable {
    private let generator: Mutex<SeededGenerator>

    init(seed: UInt64) {
        generator = Mutex(SeededGenerator(seed: seed))
    }

    var randomness: Randomness {
        Randomness { self.generator.withLock { $0.next() } }
    }
}
