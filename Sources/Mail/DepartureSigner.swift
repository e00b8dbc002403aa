// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// The second seam: what signs a message when it is about to leave.
///
/// Called by Forwarding, implemented by Signing, and by tests that need a message without keys.
///
/// A function of content, envelope and next hop, as DKIM2 will need it too.
package protocol DepartureSigner: Sendable {
    /// The signature fields to prepend, and what else of the header section must not leave with them.
    ///
    /// Blocks for the time of a private key operation (RSA-2048: some 0.3 ms): call it on a thread that may.
    ///
    /// - Throws: `DepartureSigningError` when the message must wait. Never a reason to send it unsigned.
    func sign(_ departure: Departure) throws(DepartureSigningError) -> SignedDeparture

    /// Why no message of an author domain can be signed now; nil when its messages can be.
    ///
    /// Returns at once: asked of every message before anything is done for it, and of domains whose mail waits.
    func hindrance(of authorDomain: Domain) -> DepartureSigningError?
}

/// What signing adds to a message and takes from it.
package struct SignedDeparture: Hashable, Sendable {
    /// The fields to prepend, each with its CRLF; empty only where the configuration says `unsigned`.
    package var fields: [UInt8]
    /// Whole fields of the header section that don't leave: offsets into it, ascending, without overlap.
    ///
    /// They are signatures of others, where the next hop takes no second one.
    package var removed: [Range<Int>]
    /// Hashes that were computed from `Departure.body`, so that the next departure of this body can bring them along.
    package var bodyHashes: [BodyHash]
    /// The keys that `fields` are of, whether made now or kept, with the time of this departure.
    package var keyUses: [KeyUse]

    package init(
        fields: [UInt8], removed: [Range<Int>] = [], bodyHashes: [BodyHash] = [], keyUses: [KeyUse] = []
    ) {
        self.fields = fields
        self.removed = removed
        self.bodyHashes = bodyHashes
        self.keyUses = keyUses
    }
}

/// Reads a body from its first octet to its last, in pieces of any size; may be called more than once.
package typealias BodyReader = @Sendable (_ consume: (ArraySlice<UInt8>) throws -> Void) throws -> Void

/// A message, and where it is about to go.
package struct Departure: Sendable {
    package var queueID: QueueID
    package var envelope: Envelope
    /// The domain of the one mailbox in From, as intake found it: it decides which keys sign.
    package var authorDomain: Domain
    /// The header section with the CRLF of its last field, without the empty line.
    package var headerSection: [UInt8]
    /// Those that are known of the body as it leaves; others are computed from `body`.
    package var bodyHashes: [BodyHash]
    /// The body as it leaves.
    package var body: BodyReader
    package var nextHop: NextHop
    /// Fields that an earlier attempt made and the spool kept; reused while they are good.
    package var keptFields: [UInt8]?

    package init(
        queueID: QueueID, envelope: Envelope, authorDomain: Domain, headerSection: [UInt8], bodyHashes: [BodyHash],
        body: @escaping BodyReader, nextHop: NextHop, keptFields: [UInt8]? = nil
    ) {
        self.queueID = queueID
        self.envelope = envelope
        self.authorDomain = authorDomain
        self.headerSection = headerSection
        self.bodyHashes = bodyHashes
        self.body = body
        self.nextHop = nextHop
        self.keptFields = keptFields
    }
}

/// Why a message can't be signed now.
///
/// It is deferred; the operator must act.
package struct DepartureSigningError: Error, Hashable, Sendable {
    /// One line that names the domain, what is wrong, and the command that mends it.
    package var text: String
    /// There is no key that signs: the message waits for one, and for nothing else.
    ///
    /// False for what a later attempt may find mended by itself, or never.
    package var isWantOfKey: Bool

    package init(text: String, isWantOfKey: Bool = false) {
        self.text = text
        self.isWantOfKey = isWantOfKey
    }
}
