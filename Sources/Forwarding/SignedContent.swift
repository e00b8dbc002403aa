// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import Synchronization

/// A message as it leaves for one next hop: in one rendition, and signed in that.
///
/// Deliveries of a message to the same next hop share it.
final class SignedContent: Sendable {
    /// What follows `front`.
    enum Rest: Sendable {
        /// The stored content from this offset on.
        case stored(from: Int)
        /// A body that was made for this rendition.
        case memory([UInt8])
        /// The stored content from this offset on, encoded while it is read.
        case encoded(Rendition, from: Int)
    }

    let nextHop: NextHop
    /// The signature fields; before a header section that is not the stored one, that with its empty line or without.
    let front: [UInt8]
    let rest: Rest
    /// Octets of all of it; nil when nobody has counted what the encoding makes of a file.
    let length: Int?
    let isEightBit: Bool
    /// Signature fields for a later attempt; nil when they hold for no other rendition than this.
    let keptFields: [UInt8]?
    /// Fields at the start of `front` that no signature is for.
    let preface: [UInt8]
    private let sevenBit = Mutex<SignedContent?>(nil)

    init(
        nextHop: NextHop, front: [UInt8], rest: Rest, length: Int?, isEightBit: Bool, keptFields: [UInt8]? = nil,
        preface: [UInt8] = []
    ) {
        self.nextHop = nextHop
        self.front = front
        self.rest = rest
        self.length = length
        self.isEightBit = isEightBit
        self.keptFields = keptFields
        self.preface = preface
    }

    /// The same message after some fields that are not part of what was signed.
    func preceded(by preface: [UInt8]) -> SignedContent {
        guard !preface.isEmpty else { return self }
        return SignedContent(
            nextHop: nextHop, front: preface + front, rest: rest, length: length.map { $0 + preface.count },
            isEightBit: isEightBit, keptFields: keptFields, preface: preface + self.preface)
    }

    /// The same message for a next hop without 8BITMIME; made at the first call.
    func sevenBit(_ make: () throws(DepartureFault) -> SignedContent) throws(DepartureFault) -> SignedContent {
        guard isEightBit else { return self }
        return try sevenBit.withLock { slot throws(DepartureFault) in
            if let made = slot { return made }
            let made = try make()
            slot = made
            return made
        }
    }

    /// The same octets, when it turned out that none of them is above 127.
    var declaredSevenBit: SignedContent {
        SignedContent(
            nextHop: nextHop, front: front, rest: rest, length: length, isEightBit: false, keptFields: keptFields,
            preface: preface)
    }

    /// What follows `front`, if it is in memory.
    func restInMemory(of stored: StoredContent) -> ArraySlice<UInt8>? {
        switch (rest, stored) {
        case (.memory(let octets), _): octets[...]
        case (.stored(let offset), .inline(let octets)): octets.dropFirst(offset)
        case (.stored, .file), (.encoded, _): nil
        }
    }
}

/// Why a message can't leave as it should, as the outcome for its recipients.
struct DepartureFault: Error, Hashable, Sendable {
    var outcome: Outcome
    /// There is no key to sign with: nothing else is waited for.
    var isWantOfKey = false

    /// The stored content can't be read now.
    static func unreadable(_ error: any Error) -> DepartureFault {
        DepartureFault(outcome: .deferred(ContentFile.diagnostic(error)))
    }
}
