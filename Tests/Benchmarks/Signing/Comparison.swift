// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Glibc

/// Comparison is in charge of measuring two pieces of work in turns.
struct Comparison {
    struct Result {
        /// Median time of one run of the first.
        var micros: Double
        /// Median time of one run of the second.
        var otherMicros: Double
        /// How many times as long the first takes, in the median of the turns.
        var ratio: Double
    }

    var turns: Int
    /// Runs of each in one turn.
    var repetitions: Int

    func run(_ work: () throws -> Void, and other: () throws -> Void) rethrows -> Result {
        // Caches, and the tables that OpenSSL makes at the first use of a key.
        _ = try micros(of: work)
        _ = try micros(of: other)
        var pairs: [(Double, Double)] = []
        for _ in 0..<turns { pairs.append((try micros(of: work), try micros(of: other))) }
        return Result(
            micros: median(pairs.map(\.0)), otherMicros: median(pairs.map(\.1)),
            ratio: median(pairs.map { $0.0 / $0.1 }))
    }

    private func micros(of work: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        var fastest = Double.infinity
        // The fastest half of a turn: others on the same cores only ever make it slower.
        for _ in 0..<2 {
            let start = clock.now
            for _ in 0..<repetitions { try work() }
            let duration = (clock.now - start).components
            let micros = Double(duration.seconds) * 1_000_000 + Double(duration.attoseconds) / 1_000_000_000_000
            fastest = min(fastest, micros / Double(repetitions))
        }
        return fastest
    }

    private func median(_ values: [Double]) -> Double {
        (values.sorted()[values.count / 2] * 100).rounded() / 100
    }
}
