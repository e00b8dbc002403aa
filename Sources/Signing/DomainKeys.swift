// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS
internal import Mail

/// The keys of one domain that sign: at most one of each kind.
struct DomainKeys: Sendable {
    var rsa: ActiveKey?
    var ed25519: ActiveKey?
    /// Why the RSA key stands back while there is another.
    var rsaSuspension: KeyDescription.Suspension?
    /// Why the Ed25519 key stands back while there is another.
    var ed25519Suspension: KeyDescription.Suspension?
    /// Without a usable key: what to do.
    ///
    /// Nil if there is no key at all.
    var nextStep: String?
    /// A key of the domain was compromised: without another that signs, mail is accepted and waits.
    var wasCompromised = false

    /// Whether there is an active key, suspended or not.
    var isUsable: Bool { rsa != nil || ed25519 != nil }

    /// The selectors, RSA before Ed25519.
    var selectors: [String] { [rsa, ed25519].compactMap { $0?.selector } }

    /// Only the keys of the kinds that a policy allows.
    func limited(to algorithms: Set<SigningPolicy.Algorithm>) -> DomainKeys {
        var keys = self
        if !algorithms.contains(.rsa) { keys.rsa = nil }
        if !algorithms.contains(.ed25519) { keys.ed25519 = nil }
        return keys
    }

    /// The keys that sign, of those that are left: not suspended ones while there is another.
    ///
    /// - Parameter drift: what happens when all are suspended.
    /// - Returns: nil if none signs.
    func signing(drift: @autoclosure () -> RotationSettings.DriftPolicy) -> DomainKeys? {
        guard isUsable else { return nil }
        guard rsaSuspension != nil || ed25519Suspension != nil else { return self }
        var keys = self
        if rsaSuspension != nil { keys.rsa = nil }
        if ed25519Suspension != nil { keys.ed25519 = nil }
        if keys.isUsable { return keys }
        return drift() == .continue ? self : nil
    }

    /// Why none of the keys signs when all are suspended: one line with what to do.
    func suspensionText(_ domain: Domain) -> String {
        let all = [(rsa, rsaSuspension), (ed25519, ed25519Suspension)].compactMap { key, suspension in
            key.flatMap { key in suspension.map { "\(key.selector): \(PrintableText.of($0.reason, limit: 160))" } }
        }
        return "mail of \(domain) waits, as the DNS shows no key that it could be signed with "
            + "(\(all.joined(separator: "; "))): publish the record that `waxwing keys show \(domain)` prints, "
            + "or run `waxwing keys rotate \(domain)`"
    }
}
