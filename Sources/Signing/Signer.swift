// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
package import Mail

/// Signer is in charge of the signatures of a message that is about to leave: which keys, which header fields, fresh
/// or kept ones, and what becomes of those that are there already.
///
/// It checks what it made before anybody sees it.
package final class Signer: DepartureSigner {
    private let ring: KeyRing
    private let clock: WallClock
    private let events: EventSink

    package init(ring: KeyRing, clock: WallClock, events: @escaping EventSink) {
        self.ring = ring
        self.clock = clock
        self.events = events
    }

    package func sign(_ departure: Departure) throws(DepartureSigningError) -> SignedDeparture {
        let (author, nextHop) = (departure.authorDomain, departure.nextHop)
        switch ring.decision(for: author) {
        case .unsigned(let general, let policy):
            let settings = general.overridden(by: policy.overrides).overridden(by: nextHop.signing.overrides)
            return try unsigned(departure, settings)
        case .signed(let signatory) where nextHop.signing.isUnsigned:
            return try unsigned(departure, signatory.settings(for: nextHop))
        case .undecided(let general, _) where nextHop.signing.isUnsigned:
            return try unsigned(departure, general.overridden(by: nextHop.signing.overrides))
        case .signed(let signatory):
            return try signed(departure, by: signatory)
        case .undecided(_, let nextStep):
            throw DepartureSigningError(text: nextStep, isWantOfKey: true)
        }
    }

    package func hindrance(of authorDomain: Domain) -> DepartureSigningError? {
        guard case .undecided(_, let nextStep) = ring.decision(for: authorDomain) else { return nil }
        return DepartureSigningError(text: nextStep, isWantOfKey: true)
    }

    // MARK: Unsigned

    private func unsigned(
        _ departure: Departure, _ settings: SignatureSettings
    ) throws(DepartureSigningError) -> SignedDeparture {
        // Nothing can have to go: the header section need not be read.
        if settings.existingSignatures == .keep, departure.nextHop.profile.rules.maximumSignatures == nil {
            return SignedDeparture(fields: [])
        }
        let header = try header(of: departure)
        return SignedDeparture(
            fields: [],
            removed: Self.removed(
                from: header, settings.existingSignatures, own: departure.authorDomain, adding: 0,
                maximum: departure.nextHop.profile.rules.maximumSignatures))
    }

    // MARK: Signed

    private func signed(
        _ departure: Departure, by signatory: Signatory
    ) throws(DepartureSigningError) -> SignedDeparture {
        let nextHop = departure.nextHop
        let (profile, settings) = (nextHop.profile, signatory.settings(for: nextHop))
        let form = SignatureForm(settings, profile: profile, auid: signatory.policy.auid)
        let header = try header(of: departure)
        let bodyHash = try bodyHash(of: departure, settings.canonicalization.body)
        let computed = departure.bodyHashes.contains(bodyHash) ? [] : [bodyHash]
        let keys = signatory.keys(for: nextHop)
        var templates: [SignatureTemplate] = []
        for key in keys { templates.append(try template(of: key, form)) }

        let added = Self.addedFields(profile.rules, header)
        let removed = Self.removed(
            from: header, settings.existingSignatures, own: signatory.sdid, adding: keys.count,
            maximum: profile.rules.maximumSignatures)
        let time = clock.now()
        let now = time.seconds
        var signed = SignedDeparture(fields: [], removed: removed, bodyHashes: computed)
        signed.keyUses = keys.map { KeyUse(sdid: signatory.sdid, selector: $0.selector, time: time) }
        if let kept = departure.keptFields,
            KeptSignatures(kept, added: added)?.serve(
                templates, header: header, bodyHash: bodyHash.digest, lifetime: settings.lifetime, now: now) == true
        {
            signed.fields = kept
            return signed
        }
        for (key, template) in zip(keys, templates) {
            do throws(SigningError) {
                signed.fields += try template.sign(
                    header, bodyHash: bodyHash.digest, signedAt: now, expiresAt: now + settings.lifetime,
                    checking: key.nextIsChecked())
            } catch {
                if case .selfCheckFailed = error {
                    events(.signatureMismatch(departure.queueID, sdid: signatory.sdid, selector: key.selector))
                }
                throw Self.failure(of: key, signatory.sdid.name, error)
            }
        }
        signed.fields += added
        return signed
    }

    private func header(of departure: Departure) throws(DepartureSigningError) -> HeaderFields {
        do throws(MalformedHeaderField) {
            return try HeaderFields(departure.headerSection)
        } catch {
            throw DepartureSigningError(
                text: "the header section from \(departure.authorDomain) can't be signed: \(error)")
        }
    }

    /// What intake or the rendition computed as the octets passed; else the body is read once more.
    private func bodyHash(
        of departure: Departure, _ canonicalization: BodyHash.Canonicalization
    ) throws(DepartureSigningError) -> BodyHash {
        if let known = departure.bodyHashes.first(where: { $0.canonicalization == canonicalization }) { return known }
        do {
            let hasher = try BodyHasher(Canonicalization(canonicalization))
            try departure.body { piece in unsafe piece.withUnsafeBytes { unsafe hasher.append($0) } }
            return BodyHash(canonicalization: canonicalization, digest: try hasher.finish())
        } catch {
            throw DepartureSigningError(
                text: "the body of a message from \(departure.authorDomain) can't be read to be signed: \(error)")
        }
    }

    private func template(
        of key: ActiveKey, _ form: SignatureForm
    ) throws(DepartureSigningError) -> SignatureTemplate {
        do throws(SigningError) {
            return try key.template(form)
        } catch {
            throw Self.failure(of: key, key.sdid, error)
        }
    }

    private static func failure(of key: ActiveKey, _ sdid: String, _ error: SigningError) -> DepartureSigningError {
        DepartureSigningError(text: "signing for \(sdid) with \(key.selector) failed: \(error)")
    }

    // MARK: What else changes

    /// The fields with which the next hop's profile asks for the content to be left as it is.
    private static func addedFields(_ rules: ProfileRules, _ header: HeaderFields) -> [UInt8] {
        rules.addedFields.filter { !header.contains($0.name) }
            .flatMap { Array("\($0.name): \($0.value)\r\n".utf8) }
    }

    /// The signatures that must not leave with the message.
    ///
    /// - Parameters:
    ///   - own: the SDID whose signatures are Waxwing's own.
    ///   - maximum: how many signatures the next hop takes.
    private static func removed(
        from header: HeaderFields, _ existing: ExistingSignatures, own: Domain, adding count: Int, maximum: Int?
    ) -> [Range<Int>] {
        guard existing != .keep || maximum != nil else { return [] }
        let present = header.presentSignatures
        let unwanted =
            switch existing {
            case .keep: [PresentSignature]()
            case .stripOwn: present.filter { $0.sdid.flatMap { Domain($0) } == own }
            case .strip: present
            }
        let isTooMany = present.count - unwanted.count + count > maximum ?? .max
        return (isTooMany ? present : unwanted).map(\.octets)
    }
}
