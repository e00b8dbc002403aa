// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Mail
import Synchronization

@testable import Signing

/// A real key store on disk, with name servers that show what was published and a clock that a test moves.
final class RotationWorld: Sendable {
    struct State {
        var now = noon.seconds
        /// What all servers show.
        var records: [String: String] = [:]
        /// Answers in place of what they show.
        var verdicts: [String: KeyEvidence.Verdict] = [:]
        /// `*._domainkey TXT "v=DKIM1; p="`.
        var hasRevokingWildcard = false
        var publisherWorks = true
        var uses: [KeyUses.Key: Int64] = [:]
        var news: [RotationNews] = []
        var looks: [String] = []
    }

    let scratch: Scratch
    let state = Mutex(State())
    let policies: RotationPolicies

    /// - Parameter delegation: where the domain's record names are aliases to.
    init(
        delegation: PublisherSettings.Delegation? = nil, _ change: (inout RotationSettings) -> Void = { _ in }
    ) throws {
        scratch = try Scratch()
        var policies = RotationPolicies()
        policies.general.publisher = "primary"
        policies.publishers["primary"] = PublisherSettings(
            name: "primary", method: .command(HookSettings(command: ["/bin/true"])), delegation: delegation)
        change(&policies.general)
        self.policies = policies
    }

    var now: Int64 { state.withLock { $0.now } }

    func pass(_ seconds: Int64) {
        state.withLock { $0.now += seconds }
    }

    func set(_ change: (inout State) -> Void) {
        state.withLock { change(&$0) }
    }

    /// - Parameter beforeStep: may fail the steps of writing.
    func rotator(
        beforeStep: @escaping @Sendable (DurableFiles.Step, String) throws(KeyError) -> Void = {
            (_, _) throws(KeyError) in
        }
    ) -> Rotator {
        let store = KeyStore(directory: scratch.keys, files: DurableFiles(beforeStep: beforeStep))
        return Rotator(
            store: store, clock: WallClock { [self] in Timestamp(seconds: now) }, policies: policies,
            look: { [self] in look($0) }, publish: { [self] change, _ in publish(change) },
            uses: { [self] _ in state.withLock { KeyUses(last: $0.uses) } },
            news: { [self] news in state.withLock { $0.news.append(news) } })
    }

    var store: KeyStore { KeyStore(directory: scratch.keys) }

    func keys() throws -> [KeyDescription] { try store.descriptions(of: domain) }

    func key(_ selector: String) throws -> KeyDescription {
        try store.description(of: Selector(selector).unwrapped, in: domain)
    }

    /// The states of all keys, in the order in which they were made.
    func states() throws -> [KeyState] {
        try keys().sorted { ($0.history[0].time, $0.selector) < ($1.history[0].time, $1.selector) }.map(\.state)
    }

    private func look(_ key: KeyDescription) -> KeyEvidence {
        state.withLock { state in
            state.looks.append(key.selector)
            let shown = state.records[key.recordName]
            let verdict =
                state.verdicts[key.selector]
                ?? (shown == key.record
                    ? .published : shown == key.revokedRecord ? .revoked : shown == nil ? .absent : .wrong)
            var evidence = KeyEvidence(
                verdict, summary: "the servers say \(verdict.rawValue)", recordTTL: 3600, negativeTTL: 7200)
            if verdict == .absent, state.hasRevokingWildcard {
                evidence.verdict = .revoked
                evidence.isWildcard = true
            }
            return evidence
        }
    }

    private func publish(_ change: RecordChange) -> PublicationResult {
        state.withLock { state in
            guard state.publisherWorks else { return .failed("the primary said no") }
            state.records[change.name] = change.wanted
            return .submitted("taken")
        }
    }
}
