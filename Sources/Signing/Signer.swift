// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
package import Mail

/// What the configuration says about signatures.
package struct SigningPolicy: Hashable, Sendable {
    /// `x=` is `t=` plus this many seconds: a smarthost may queue for five days.
    package var lifetime: Int64 = 7 * 86_400

    package init() {}
}

/// Signer is in charge of the signatures of a message that is about to leave: which keys, which header fields, fresh
/// or kept ones.
///
/// It checks what it made before anybody sees it.
package final class Signer: DepartureSigner {
    private let ring: KeyRing
    private let policy: SigningPolicy
    private let clock: WallClock
    private let events: EventSink

    package init(ring: KeyRing, policy: SigningPolicy, clock: WallClock, events: @escaping EventSink) {
        self.ring = ring
        self.policy = policy
        self.clock = clock
        self.events = events
    }

    package func sign(_ departure: Departure) throws(DepartureSigningError) -> SignedDeparture {
        let domain = departure.authorDomain
        if departure.nextHop.signing.isUnsigned || ring.isUnsigned(domain) { return SignedDeparture(fields: []) }
        guard let domainKeys = ring.keys(for: domain) else {
            throw Self.withoutKeys(ring.signability(of: domain), domain)
        }
        guard let bodyHash = departure.bodyHashes.first(where: { $0.canonicalization == .relaxed })?.digest else {
            throw DepartureSigningError(text: "the spool kept no relaxed body hash of a message from \(domain)")
        }
        let keys = Self.keys(domainKeys, for: departure.nextHop)
        let isAmazon = Self.isAmazon(departure.nextHop)
        let now = clock.now().seconds
        if let kept = departure.keptFields,
            KeptSignatures(kept)?.serve(keys, sdid: domain.name, bodyHash: bodyHash, isAmazon: isAmazon, now: now)
                == true
        {
            return SignedDeparture(fields: kept)
        }
        let fields: HeaderFields
        do throws(MalformedHeaderField) {
            fields = try HeaderFields(departure.headerSection)
        } catch {
            throw DepartureSigningError(text: "the header section from \(domain) can't be signed: \(error)")
        }
        var signatures: [UInt8] = []
        for key in keys {
            signatures += try sign(fields, bodyHash, with: key, isAmazon: isAmazon, at: now, departure)
        }
        return SignedDeparture(fields: signatures)
    }

    private func sign(
        _ fields: HeaderFields, _ bodyHash: [UInt8], with key: ActiveKey, isAmazon: Bool, at now: Int64,
        _ departure: Departure
    ) throws(DepartureSigningError) -> [UInt8] {
        do throws(SigningError) {
            return try key.template(isAmazon: isAmazon).sign(
                fields, bodyHash: bodyHash, signedAt: now, expiresAt: now + policy.lifetime,
                checking: key.nextIsChecked())
        } catch {
            let domain = departure.authorDomain
            if case .selfCheckFailed = error {
                events(.signatureMismatch(departure.queueID, sdid: domain, selector: key.selector))
            }
            throw DepartureSigningError(text: "signing for \(domain) with \(key.selector) failed: \(error)")
        }
    }

    /// The keys to sign with, in the order of their fields.
    ///
    /// RSA always, Ed25519 beside it where the next hop can be expected to bear two signatures. A domain without
    /// an active RSA key signs with Ed25519 alone wherever its mail goes.
    static func keys(_ keys: DomainKeys, for nextHop: NextHop) -> [ActiveKey] {
        guard let rsa = keys.rsa else { return [keys.ed25519].compactMap { $0 } }
        guard let ed25519 = keys.ed25519, !isAmazon(nextHop) else { return [rsa] }
        let isWanted =
            switch nextHop.kind {
            case .mx, .capture: nextHop.signing.ed25519 ?? true
            case .smarthost: nextHop.signing.ed25519 ?? false
            }
        return isWanted ? [rsa, ed25519] : [rsa]
    }

    /// Amazon SES refuses two signatures and rewrites Date and Message-ID.
    static func isAmazon(_ nextHop: NextHop) -> Bool {
        nextHop.profile == .ses
    }

    private static func withoutKeys(_ signability: Signability, _ domain: Domain) -> DepartureSigningError {
        switch signability {
        case .noKeys(let nextStep), .notUsable(let nextStep):
            DepartureSigningError(text: nextStep)
        case .signable, .unsigned:
            // The ring was loaded anew between two looks.
            DepartureSigningError(text: "the keys of \(domain) are just being changed")
        }
    }
}
