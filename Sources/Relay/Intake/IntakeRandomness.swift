// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Synchronization

/// IntakeRandomness is in charge of numbers that make Message-IDs differ between relays.
///
/// The system is asked for a seed once, and not for each message: that is a system call. Nothing secret hangs on
/// them. The generator is SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
final class IntakeRandomness: Sendable {
    private let state: Atomic<UInt64>

    init(seed: UInt64 = .random(in: 0 ... .max)) {
        state = Atomic(seed)
    }

    func next() -> UInt64 {
        var value = state.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
