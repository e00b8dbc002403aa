// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// FuzzInput is in charge of what libFuzzer hands to a target: the octets, and choices that are taken from their
/// front so that the fuzzer can change them like any other octet.
package struct FuzzInput: Sendable {
    /// What no choice has taken yet.
    package private(set) var octets: ArraySlice<UInt8>

    /// Copies what libFuzzer lends for the time of one call.
    package init(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        unsafe self.octets = Array(UnsafeBufferPointer(start: start, count: count))[...]
    }

    /// One octet from the front, 0 if there is none.
    package mutating func choice() -> UInt8 {
        octets.popFirst() ?? 0
    }

    /// The rest as an array of its own, which starts at 0.
    package var bytes: [UInt8] { Array(octets) }
}

/// Cuts octets into pieces whose sizes a seed decides.
///
/// 0 cuts after every octet, other seeds at distances of 1 to 64 octets, with some empty pieces between.
package func pieces(of bytes: [UInt8], seed: UInt8) -> [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var state = UInt32(seed)
    var start = 0
    while start < bytes.count {
        // The constants of a linear congruential generator (Numerical Recipes); its upper bits are good enough.
        state = state &* 1_664_525 &+ 1_013_904_223
        let length = seed == 0 ? 1 : Int(state >> 26)
        let end = min(bytes.count, start + length)
        pieces.append(bytes[start..<end])
        start = end
    }
    return pieces
}

/// Ends the process with a sentence if something does not hold that always must: libFuzzer keeps the input then.
package func require(_ holds: Bool, _ sentence: @autoclosure () -> String) {
    if !holds { fatalError("does not hold: \(sentence())") }
}
