// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// Comparison is in charge of measuring two pieces of work beside each other on a machine that does other things, too.
///
/// The rounds of both are short and alternate, and each has the time of its fastest: whatever else runs only ever
/// makes a round slower, and of many short ones some are left alone.
struct Comparison {
    struct Result {
        /// Time of one run of the first.
        var micros: Double
        /// Time of one run of the second.
        var otherMicros: Double
        /// How many times as long the first takes.
        var ratio: Double { micros / otherMicros }
    }

    /// How many of each.
    var rounds: Int

    func run(_ work: () throws -> Void, and other: () throws -> Void) rethrows -> Result {
        var result = Result(micros: .infinity, otherMicros: .infinity)
        for _ in 0..<rounds {
            result.micros = min(result.micros, try micros(of: work))
            result.otherMicros = min(result.otherMicros, try micros(of: other))
        }
        return result
    }

    private func micros(of work: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        try work()
        let duration = (clock.now - start).components
        return Double(duration.seconds) * 1_000_000 + Double(duration.attoseconds) / 1_000_000_000_000
    }
}
