// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
package import FoundationEssentials
package import Mail

/// What is read off a key's description.
extension KeyDescription {
    /// `<selector>._domainkey.<domain>`.
    package var recordName: String { "\(selector)._domainkey.\(domain)" }

    var isEd25519: Bool { algorithm == KeyAlgorithm.ed25519.rawValue }

    /// The record that takes the key away from verifiers (RFC 6376 §3.6.1 `p=`).
    package var revokedRecord: String { KeyRecord.revoked(keyType: isEd25519 ? "ed25519" : "rsa").text }

    /// What is to stand in DNS now; nil: nothing.
    package var wantedRecord: String? {
        switch state {
        case .generated, .published, .active, .retiring:
            publication?.purpose == .revoke ? revokedRecord : record
        case .compromised: revokedRecord
        case .revoked: publication?.purpose == .remove ? nil : revokedRecord
        case .removed: nil
        }
    }

    /// When the key came into its state.
    package var stateTime: Date {
        history.last { $0.isNote != true && $0.from != $0.to }?.time ?? Date(timeIntervalSince1970: 0)
    }

    /// Whether the key is active, was forced, and has never been seen in DNS.
    package var isUnproven: Bool {
        guard state == .active, proof?.first == nil else { return false }
        return history.last { $0.to == .active && $0.isNote != true }?.isUnproven == true
    }

    /// When the key last became active; the Unix epoch if never.
    var activationTime: Date {
        history.last { $0.to == .active && $0.from != .active }?.time ?? Date(timeIntervalSince1970: 0)
    }

    /// Which of two active keys of a kind was meant to sign: the one that was activated later.
    func wasActivated(after other: KeyDescription) -> Bool {
        (activationNumber ?? 0, activationTime) > (other.activationNumber ?? 0, other.activationTime)
    }

    /// Two contradictions in a row: one may come from a server that is just being changed.
    var isDrifted: Bool { (proof?.contradictions ?? 0) >= 2 }

    /// Mail depends on the record, and it is not there.
    var isDriftedInUse: Bool {
        suspension != nil
            || isDrifted && publication?.purpose != .revoke
                && (state == .active && proof?.first != nil || state == .retiring)
    }

    /// Of the keys of a domain: whether the one of some kind that signed last was compromised, and nothing has taken its
    /// place.
    static func lacksReplacement(_ keys: [KeyDescription]) -> Bool {
        [false, true].contains { isEd25519 in
            let kind = keys.filter { $0.isEd25519 == isEd25519 && Timestamp($0.activationTime).seconds > 0 }
            guard !kind.contains(where: { $0.state == .active }) else { return false }
            return kind.max { $1.wasActivated(after: $0) }?.wasCompromised ?? false
        }
    }

    /// Whether somebody else may have the key.
    var wasCompromised: Bool { history.contains { $0.to == .compromised } }
}

/// What happens to a key, as its description takes it down.
extension KeyDescription {
    /// Beyond these, the oldest notes of a history go.
    static let maximumNotes = 100

    mutating func move(
        to state: KeyState, at time: Timestamp, by user: String, evidence: String?, isUnproven: Bool = false
    ) {
        history.append(
            Transition(
                time: time.date, from: self.state, to: state, by: user, evidence: evidence,
                isUnproven: isUnproven ? true : nil))
        self.state = state
        if state != .active { suspension = nil }
        switch state {
        case .active:
            purpose = nil
            skipsWait = nil
            // What was begun towards its end is over: its record is to stand there.
            if publication?.purpose != .publish { publication = nil }
        case .retiring, .compromised, .revoked, .removed:
            purpose = nil
            skipsWait = nil
        case .generated, .published: break
        }
    }

    /// Takes down what changes no state.
    mutating func note(_ text: String, at time: Timestamp, by user: String) {
        let notes = history.indices.filter { history[$0].isNote == true }
        if notes.count >= Self.maximumNotes { history.remove(at: notes[0]) }
        history.append(
            Transition(time: time.date, from: state, to: state, by: user, evidence: text, isUnproven: nil, isNote: true)
        )
    }

    /// Takes down an attempt to get a change into DNS.
    mutating func record(
        _ result: PublicationResult, of purpose: RecordChange.Purpose, by publisher: String?, at time: Timestamp,
        for user: String
    ) {
        let isSame = publication?.purpose == purpose && publication?.publisher == publisher
        let before = isSame ? publication : nil
        var next = Publication(
            purpose: purpose, publisher: publisher, since: before?.since ?? time.date, time: time.date,
            result: .submitted, text: "",
            failures: 0)
        switch result {
        case .submitted(let evidence):
            next.text = evidence
            if before?.result != .submitted { note("\(purpose.rawValue): \(evidence)", at: time, by: user) }
        case .byHand:
            next.result = .byHand
            if before?.result != .byHand { note("\(purpose.rawValue): left to the operator", at: time, by: user) }
        case .failed(let reason):
            next.result = .failed
            next.text = reason
            next.failures = 1 + (before?.failures ?? 0)
            if next.failures == 1 { note("\(purpose.rawValue) failed: \(reason)", at: time, by: user) }
        }
        publication = next
    }

    /// Takes down a look at the DNS, and what follows from it for the key.
    mutating func record(_ evidence: KeyEvidence, at now: Timestamp, by user: String) -> LookConsequence {
        let time = now.date
        let before = proof
        var next = Proof(
            first: before?.first, since: before?.since.map { min($0, time) }, checked: time,
            contradictions: before?.contradictions ?? 0, evidence: evidence)
        switch evidence.verdict {
        case .published:
            next.first = before?.first ?? time
            next.since = next.since ?? time
            next.contradictions = 0
        case .unknown: break
        case .revoked, .absent, .wrong:
            next.since = nil
            next.contradictions += 1
        }
        let wasDrifted = isDrifted
        proof = next
        return consequence(of: evidence, wasDrifted: wasDrifted, at: now, by: user)
    }

    private mutating func consequence(
        of evidence: KeyEvidence, wasDrifted: Bool, at now: Timestamp, by user: String
    ) -> LookConsequence {
        let isGone = evidence.verdict == .revoked || evidence.verdict == .absent
        switch state {
        case .generated where evidence.verdict == .published:
            move(to: .published, at: now, by: user, evidence: evidence.summary)
            return .moved
        case .published where proof?.since == nil:
            // The waiting time counts from an unbroken proof: it begins anew.
            move(to: .generated, at: now, by: user, evidence: evidence.summary)
            return .moved
        case .compromised where isGone, .retiring where isGone && publication?.purpose == .revoke:
            move(to: .revoked, at: now, by: user, evidence: evidence.summary)
            return .moved
        case .revoked where evidence.verdict == .absent || publication?.purpose == .remove && evidence.showsRemoval:
            move(to: .removed, at: now, by: user, evidence: evidence.summary)
            return .moved
        case .active, .retiring:
            if publication?.purpose == .revoke { return .none }
            return drift(evidence, wasDrifted: wasDrifted, at: now, by: user)
        case .generated, .published, .revoked, .removed, .compromised:
            return .none
        }
    }

    /// What a look means for a key on whose record mail depends.
    private mutating func drift(
        _ evidence: KeyEvidence, wasDrifted: Bool, at now: Timestamp, by user: String
    ) -> LookConsequence {
        switch evidence.verdict {
        case .published:
            guard wasDrifted || suspension != nil else { return .none }
            suspension = nil
            note("the record is back: \(evidence.summary)", at: now, by: user)
            return .recovered
        case .unknown:
            return .notAsked
        case .revoked, .absent, .wrong:
            // What was forced and never seen is no worse than it was.
            guard isDrifted, proof?.first != nil || state == .retiring else { return .none }
            if state == .active, suspension == nil {
                suspension = Suspension(since: now.date, reason: evidence.summary)
            }
            guard !wasDrifted else { return .none }
            note("the record is not what it was: \(evidence.summary)", at: now, by: user)
            return .drifted
        }
    }
}

/// What a look at the DNS changed.
enum LookConsequence: Hashable, Sendable {
    case none
    /// The state.
    case moved
    /// A key that mail depends on is no longer there.
    case drifted
    case recovered
    /// Nobody contradicts, and not everybody could be asked.
    case notAsked
}

extension Timestamp {
    package var date: Date { Date(timeIntervalSince1970: Double(seconds)) }

    package init(_ date: Date) {
        self.init(seconds: Int64(date.timeIntervalSince1970.rounded(.down)))
    }
}
