// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// As much of a route as decides which signatures a message gets.
package struct NextHop: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case smarthost, mx, capture
    }

    package var kind: Kind
    /// The smarthost's name, or the recipients' domain on an MX route, in lower case.
    package var host: String
    package var signing: RouteSigning

    package init(kind: Kind, host: String, signing: RouteSigning = RouteSigning()) {
        self.kind = kind
        self.host = host
        self.signing = signing
    }

    /// The rules that hold for this next hop: the route's, unless the host has its own whatever the route says.
    package var profile: RouteProfile {
        if RouteProfile.ses.isAt(host) { return .ses }
        if let profile = signing.profile { return profile }
        return kind == .smarthost ? RouteProfile(host: host) ?? .generic : .generic
    }
}

/// What a route says about the signatures of the mail that takes it.
package struct RouteSigning: Hashable, Sendable {
    /// Whose rules hold on this route; nil: those that the smarthost's name tells, if any.
    package var profile: RouteProfile?
    /// Whether an Ed25519 signature goes beside the RSA one; nil lets the kind of route decide.
    package var ed25519: Bool?
    package var isUnsigned: Bool
    /// What the route settles in place of the author domain.
    package var overrides: SignatureOverrides

    package init(
        profile: RouteProfile? = nil, ed25519: Bool? = nil, isUnsigned: Bool = false,
        overrides: SignatureOverrides = SignatureOverrides()
    ) {
        self.profile = profile
        self.ed25519 = ed25519
        self.isUnsigned = isUnsigned
        self.overrides = overrides
    }
}

/// How signatures are made; the initial values are the defaults.
package struct SignatureSettings: Hashable, Sendable {
    package var canonicalization = CanonicalizationPair.relaxed
    /// Which fields `h=` lists where they occur.
    package var signedFields = FieldList.set(SignedFieldSet.standard)
    /// Which fields `h=` lists once more than they occur.
    package var oversignedFields = FieldList.set(OversignedFieldSet.standard)
    /// From `t=` to `x=`, in seconds: a smarthost may queue for five days.
    package var lifetime: Int64 = 7 * 86_400
    package var existingSignatures = ExistingSignatures.keep

    package init() {}

    /// These, with what somebody else settles in their place.
    package func overridden(by overrides: SignatureOverrides) -> SignatureSettings {
        var settings = self
        if let value = overrides.canonicalization { settings.canonicalization = value }
        if let value = overrides.signedFields { settings.signedFields = value }
        if let value = overrides.oversignedFields { settings.oversignedFields = value }
        if let value = overrides.lifetime { settings.lifetime = value }
        if let value = overrides.existingSignatures { settings.existingSignatures = value }
        return settings
    }
}

/// Settings that stand in place of wider ones: those of a route in place of the author domain's, those of a domain in
/// place of what holds for all mail.
///
/// What is nil is left as it is.
package struct SignatureOverrides: Hashable, Sendable {
    package var canonicalization: CanonicalizationPair?
    package var signedFields: FieldList<SignedFieldSet>?
    package var oversignedFields: FieldList<OversignedFieldSet>?
    /// In seconds.
    package var lifetime: Int64?
    package var existingSignatures: ExistingSignatures?

    package init() {}

    /// Nothing is left as it is.
    package init(_ settings: SignatureSettings) {
        canonicalization = settings.canonicalization
        signedFields = settings.signedFields
        oversignedFields = settings.oversignedFields
        lifetime = settings.lifetime
        existingSignatures = settings.existingSignatures
    }
}

/// The value of `c=`: header section, then body (RFC 6376 §3.4, §3.5).
package enum CanonicalizationPair: String, Hashable, Sendable, CaseIterable {
    case relaxed = "relaxed/relaxed"
    case relaxedSimple = "relaxed/simple"
    case simpleRelaxed = "simple/relaxed"
    case simple = "simple/simple"

    package var header: BodyHash.Canonicalization {
        switch self {
        case .relaxed, .relaxedSimple: .relaxed
        case .simpleRelaxed, .simple: .simple
        }
    }

    package var body: BodyHash.Canonicalization {
        switch self {
        case .relaxed, .simpleRelaxed: .relaxed
        case .relaxedSimple, .simple: .simple
        }
    }
}

/// Header fields: a set that has a name, or their names one by one.
package enum FieldList<Set: RawRepresentable<String> & CaseIterable & Hashable & Sendable>: Hashable, Sendable {
    case set(Set)
    case names([String])
}

/// Fields to sign.
package enum SignedFieldSet: String, Hashable, Sendable, CaseIterable {
    /// What a reader sees, what decides how the body is shown, and what lists and receivers act upon.
    case standard
    /// Only what a reader sees, how the body is shown, and the links of one-click unsubscription.
    case minimal
}

/// Fields to oversign.
package enum OversignedFieldSet: String, Hashable, Sendable, CaseIterable {
    case from
    /// What a reader sees and what decides how the body is shown.
    case standard
    /// All signed ones but the `Resent-` block, which whoever resends a message writes.
    case strict
}

/// What becomes of the DKIM-Signature fields that a message came in with.
package enum ExistingSignatures: String, Hashable, Sendable, CaseIterable {
    case keep
    /// Those with the SDID of the new ones go.
    case stripOwn = "strip-own"
    case strip
}
