// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import Metrics
import Synchronization

/// `EventCounters` is in charge of how often each kind of event has happened since the start: for
/// `waxwing status` from memory, for a metrics system through swift-metrics.
package final class EventCounters: Sendable {
    /// What is counted; the raw value is the name in `status` and, with `waxwing_` before and `_total`
    /// behind it, of the metric.
    package enum Name: String, CaseIterable, Sendable {
        case acceptedMessages = "accepted_messages"
        case refusedMessages = "refused_messages"
        case authentications
        case authenticationFailures = "authentication_failures"
        case lockOuts = "lock_outs"
        case deliveredRecipients = "delivered_recipients"
        case deferredRecipients = "deferred_recipients"
        case failedRecipients = "failed_recipients"
        case bounces
        case unreportedFailures = "unreported_failures"
        case signatureMismatches = "signature_mismatches"
        case signingDeferrals = "signing_deferrals"
        case rewrittenAuthors = "rewritten_authors"
        case incompleteOneClicks = "incomplete_one_clicks"
        case keyChanges = "key_changes"
        case keyDrifts = "key_drifts"
        case keyCheckFailures = "key_check_failures"
        case departureHolds = "departure_holds"
        case publicationFailures = "publication_failures"
    }

    /// What goes up and down; with `waxwing_` before it the name of the metric.
    package enum GaugeName: String, CaseIterable, Sendable {
        /// Domains whose mail is accepted and does not leave.
        case heldDomains = "held_domains"
        /// Keys whose record the DNS does not show as it should.
        case driftedKeys = "drifted_keys"
    }

    private let accepted = Atomic<Int>(0)
    private let refused = Atomic<Int>(0)
    private let authenticated = Atomic<Int>(0)
    private let unauthenticated = Atomic<Int>(0)
    private let lockedOut = Atomic<Int>(0)
    private let delivered = Atomic<Int>(0)
    private let deferred = Atomic<Int>(0)
    private let failed = Atomic<Int>(0)
    private let bounced = Atomic<Int>(0)
    private let unreported = Atomic<Int>(0)
    private let mismatched = Atomic<Int>(0)
    private let unsignable = Atomic<Int>(0)
    private let rewritten = Atomic<Int>(0)
    private let incomplete = Atomic<Int>(0)
    private let changed = Atomic<Int>(0)
    private let drifted = Atomic<Int>(0)
    private let unchecked = Atomic<Int>(0)
    private let held = Atomic<Int>(0)
    private let unpublished = Atomic<Int>(0)
    private let heldDomains = Atomic<Int>(0)
    private let driftedKeys = Atomic<Int>(0)
    private let exported: [Name: Counter]
    private let exportedGauges: [GaugeName: Gauge]

    package init() {
        exportedGauges = Dictionary(
            uniqueKeysWithValues: GaugeName.allCases.map { ($0, Gauge(label: "waxwing_\($0.rawValue)")) })
        exported = Dictionary(
            uniqueKeysWithValues: Name.allCases.map { ($0, Counter(label: "waxwing_\($0.rawValue)_total")) })
    }

    package func increment(_ name: Name) {
        _ = withAtomic(name) { $0.wrappingAdd(1, ordering: .relaxed) }
        exported[name]?.increment()
    }

    package func value(_ name: Name) -> Int {
        withAtomic(name) { $0.load(ordering: .relaxed) }
    }

    package func set(_ name: GaugeName, to value: Int) {
        withAtomic(name) { $0.store(value, ordering: .relaxed) }
        exportedGauges[name]?.record(value)
    }

    package func value(_ name: GaugeName) -> Int {
        withAtomic(name) { $0.load(ordering: .relaxed) }
    }

    /// Every counter and gauge by its name.
    package var snapshot: [String: Int] {
        let counters = Name.allCases.map { ($0.rawValue, value($0)) }
        let gauges = GaugeName.allCases.map { ($0.rawValue, value($0)) }
        return Dictionary(uniqueKeysWithValues: counters + gauges)
    }

    private func withAtomic<Result>(_ name: GaugeName, _ body: (borrowing Atomic<Int>) -> Result) -> Result {
        switch name {
        case .heldDomains: body(heldDomains)
        case .driftedKeys: body(driftedKeys)
        }
    }

    private func withAtomic<Result>(_ name: Name, _ body: (borrowing Atomic<Int>) -> Result) -> Result {
        switch name {
        case .acceptedMessages: body(accepted)
        case .refusedMessages: body(refused)
        case .authentications: body(authenticated)
        case .authenticationFailures: body(unauthenticated)
        case .lockOuts: body(lockedOut)
        case .deliveredRecipients: body(delivered)
        case .deferredRecipients: body(deferred)
        case .failedRecipients: body(failed)
        case .bounces: body(bounced)
        case .unreportedFailures: body(unreported)
        case .signatureMismatches: body(mismatched)
        case .signingDeferrals: body(unsignable)
        case .rewrittenAuthors: body(rewritten)
        case .incompleteOneClicks: body(incomplete)
        case .keyChanges: body(changed)
        case .keyDrifts: body(drifted)
        case .keyCheckFailures: body(unchecked)
        case .departureHolds: body(held)
        case .publicationFailures: body(unpublished)
        }
    }
}
