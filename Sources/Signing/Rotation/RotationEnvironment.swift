// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

/// What a rotation works with: the keys on disk, the DNS, a publisher, the clock.
///
/// The real ones in the program; in the simulation of years, ones in memory.
struct RotationEnvironment: Sendable {
    /// The keys of a domain that can be understood.
    var keys: @Sendable (Domain) throws(KeyError) -> [KeyDescription]
    var add: @Sendable (NewKey) throws(KeyError) -> KeyDescription
    /// Changes what is on disk as it stands there now, whole or not at all.
    var update: @Sendable (String, Domain, (inout KeyDescription) -> Void) throws(KeyError) -> KeyDescription
    var activate: @Sendable (String, Domain, ActivationReason) throws(KeyError) -> KeyDescription
    var dispose: @Sendable (String, Domain, KeyDescription.PrivateKeyFate) throws(KeyError) -> Void
    var look: @Sendable (KeyDescription) async -> KeyEvidence
    var publish: @Sendable (RecordChange) async -> PublicationResult
    /// The selectors of a kind that are delegated for good; nil where they are made afresh.
    var fixedSelectors: @Sendable (Domain, _ isEd25519: Bool) -> [Selector]?
    var settings: @Sendable (Domain) -> RotationSettings
    /// Of the domain's keys at least.
    var uses: @Sendable (Domain) -> KeyUses
    var now: @Sendable () -> Timestamp
    var tell: @Sendable (RotationNews) -> Void

    struct NewKey: Sendable {
        var domain: Domain
        var algorithm: KeyAlgorithm
        var purpose: KeyDescription.Purpose
        var selector: Selector?
        var user: String
    }

    struct ActivationReason: Sendable {
        var evidence: String
        var user: String
        /// Without proof, because the operator wants it.
        var isForced = false
    }
}

extension RotationEnvironment {
    /// What is seen of some keys, in their order.
    func look(at keys: [KeyDescription]) async -> [KeyEvidence] {
        await KeyLooks.look(at: keys, by: look)
    }
}

/// What happens to keys, for those who must know at once or later.
package enum RotationNews: Hashable, Sendable {
    /// What the ring reads has changed.
    case changed(Domain)
    case moved(Domain, selector: String, from: KeyState?, to: KeyState, reason: String)
    case drifted(Domain, selector: String, reason: String)
    case recovered(Domain, selector: String)
    case notAsked(Domain, selector: String, reason: String)
    case publicationFailed(Domain, selector: String, reason: String)
    case operatorNeeded(Domain, selector: String, text: String)
}
