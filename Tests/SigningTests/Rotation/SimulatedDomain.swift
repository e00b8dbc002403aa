// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Foundation
import Mail
import Synchronization
import TestSupport

@testable import Signing

/// One domain over years: its keys in memory, its zone, its mail, its clock; and what must hold at every moment.
final class SimulatedDomain: Sendable {
    /// An assumption of the invariant that did not hold.
    struct Violation: Error, CustomStringConvertible {
        var description: String
    }

    struct Outcome: Sendable, Equatable {
        var rotations = 0
        var forced = 0
        var compromised = 0
        var crashes = 0
        var samples = 0
        var held = 0
        var runs = 0
        var looks = 0
    }

    /// The youngest mail that was signed with a key.
    private struct Mail {
        var signed: Int64
        var recordName: String
        var record: String
    }

    private struct State {
        var keys: [KeyDescription] = []
        var zone: SimulatedZone
        var now: Int64
        var generator: SeededGenerator
        var lastUse: [KeyUses.Key: Int64] = [:]
        /// By selector.
        var underWay: [String: Mail] = [:]
        /// Keys that are removed for good play no part any more.
        var finished: Set<String> = []
        var counter = 0
        /// The next writes that do not get through: before they are on disk, or after.
        var crashIn: Int?
        var outcome = Outcome()
        var wasReady = false
        var lastDisturbance: Int64 = 0
    }

    private struct Crash {
        static let error = KeyError("the process was killed")
    }

    let domain: Domain
    let settings: RotationSettings
    private let state: Mutex<State>

    init(_ domain: Domain, settings: RotationSettings, start: Int64, seed: UInt64) {
        self.domain = domain
        self.settings = settings
        state = Mutex(
            State(zone: SimulatedZone(seed: seed &+ 1), now: start, generator: SeededGenerator(seed: seed)))
    }

    var outcome: Outcome { state.withLock { $0.outcome } }

    // MARK: Time

    /// Lives until `end`; throws the first violation.
    func run(until end: Int64) async throws {
        try await begin()
        while state.withLock({ $0.now < end }) {
            disturb()
            let result = await rotation(isAsked: false).advance()
            state.withLock { $0.outcome.runs += 1 }
            try settle(result)
            try sendMail()
            try receiveMail()
            let now = state.withLock { $0.now }
            let pause = state.withLock { Int64.random(in: 3600...86_400 * 3, using: &$0.generator) }
            let next = min(result.nextDue ?? .max, now + pause)
            state.withLock { $0.now = max(now + 1, next) }
        }
    }

    private func begin() async throws {
        for algorithm in [KeyAlgorithm.rsa2048, .ed25519] {
            try settle(await rotation(isAsked: true).advance([algorithm]))
        }
    }

    /// A run that was killed is nothing to worry about: the next one goes on.
    private func settle(_ result: DomainRotation.Result) throws {
        guard let problem = result.problem else { return }
        guard problem == Crash.error else { throw Violation(description: problem.text) }
        state.withLock { state in
            state.outcome.crashes += 1
            state.crashIn = nil
        }
    }

    /// What goes wrong, and what people do, at random.
    private func disturb() {
        let isDue = state.withLock { state in
            defer { state.lastDisturbance = state.now }
            return abs(state.now - state.lastDisturbance) > 21_600
        }
        guard isDue else { return }
        state.withLock { state in
            let now = state.now
            func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &state.generator) == 0 }
            if chance(20) { state.crashIn = Int.random(in: 1...6, using: &state.generator) }
            if chance(40) {
                let until = now + Int64.random(in: 600...86_400, using: &state.generator)
                state.zone.cutOff(Int.random(in: 0..<SimulatedZone.servers, using: &state.generator), until: until)
            }
            if chance(60) {
                state.zone.publisherFailsUntil = now + Int64.random(in: 60...43_200, using: &state.generator)
            }
            if chance(150), let key = state.keys.filter({ $0.state != .removed }).randomElement(using: &state.generator)
            {
                let text = chance(2) ? nil : "v=DKIM1; k=rsa; p=AAAA"
                state.zone.damage(key.recordName, text: text, at: now)
            }
            // The clock is set back by a week, once in a while.
            if chance(400) { state.now -= 7 * 86_400 }
        }
        act()
    }

    private func act() {
        let (what, selector) = state.withLock { state in
            (
                Int.random(in: 0..<600, using: &state.generator),
                state.keys.filter { $0.state == .generated || $0.state == .published }
                    .randomElement(using: &state.generator)?.selector
            )
        }
        var result = DomainRotation.Result()
        switch what {
        case 0:
            try? rotation(isAsked: true).compromise(among: state.withLock { $0.keys }, { $0.state == .active }, &result)
            state.withLock { $0.outcome.compromised += 1 }
        case 1:
            guard let selector else { return }
            try? rotation(isAsked: true).force(selector, evidence: "forced", &result)
            state.withLock { $0.outcome.forced += 1 }
        default: return
        }
    }

    // MARK: Mail

    /// What the ring would sign with, and whether it may.
    private func sendMail() throws {
        try state.withLock { state in
            let active = state.keys.filter { $0.state == .active }
            let usable = active.filter { $0.suspension == nil }
            state.outcome.samples += 1
            if usable.isEmpty { state.outcome.held += 1 }
            for key in usable {
                let activation = key.history.last { $0.to == .active && $0.isNote != true }
                let wasForced = activation?.isUnproven == true
                let isProven = key.history.contains { $0.to == .published }
                guard isProven || wasForced else {
                    throw Violation(description: "\(key.recordName) signs and was neither proven nor forced")
                }
                let name = KeyUses.Key(sdid: domain, selector: key.selector)
                state.lastUse[name] = max(state.lastUse[name] ?? 0, state.now)
                guard !wasForced else { continue }
                state.underWay[key.selector] = Mail(signed: state.now, recordName: key.recordName, record: key.record)
            }
            // What a rotation may never do: leave the domain without a key that was good before.
            if state.wasReady, active.isEmpty, state.outcome.compromised == 0 {
                throw Violation(description: "\(domain) was left without an active key")
            }
            if !active.isEmpty { state.wasReady = true }
        }
    }

    /// Mail arrives up to the end of its life after it was signed: its key must be there, unless somebody broke it.
    private func receiveMail() throws {
        try state.withLock { state in
            state.zone.settle(at: state.now)
            let life = settings.queueLifetime + settings.signatureLifetime
            for (selector, mail) in state.underWay {
                guard state.now - mail.signed <= life else {
                    state.underWay[selector] = nil
                    continue
                }
                guard !state.zone.shows(mail.recordName, mail.record, at: state.now),
                    let key = state.keys.first(where: { $0.selector == selector }), !key.wasCompromised
                else { continue }
                throw Violation(
                    description: "at \(state.now) mail fails that was signed at \(mail.signed) with \(selector), "
                        + "which is \(key.state.rawValue)")
            }
        }
    }

    // MARK: What a rotation works with

    private func rotation(isAsked: Bool) -> DomainRotation {
        DomainRotation(domain: domain, environment: environment, user: "simulation", isAsked: isAsked)
    }

    private var environment: RotationEnvironment {
        RotationEnvironment(
            keys: { [self] _ throws(KeyError) in state.withLock { $0.keys } },
            add: { [self] new throws(KeyError) in try add(new) },
            update: { [self] selector, _, change throws(KeyError) in
                try write { keys in
                    guard let index = keys.firstIndex(where: { $0.selector == selector }) else { return }
                    change(&keys[index])
                }
                return try key(selector)
            },
            activate: { [self] selector, _, reason throws(KeyError) in try activate(selector, reason) },
            dispose: { [self] selector, _, _ throws(KeyError) in
                try write { keys in
                    guard let index = keys.firstIndex(where: { $0.selector == selector }) else { return }
                    keys.remove(at: index)
                }
                state.withLock { _ = $0.finished.insert(selector) }
            },
            look: { [self] key in
                state.withLock { state in
                    state.outcome.looks += 1
                    return state.zone.look(at: key, at: state.now)
                }
            },
            publish: { [self] change in state.withLock { $0.zone.publish(change, at: $0.now) } },
            fixedSelectors: { _, _ in nil }, settings: { [self] _ in settings },
            uses: { [self] _ in state.withLock { KeyUses(last: $0.lastUse) } },
            now: { [self] in Timestamp(seconds: state.withLock { $0.now }) }, tell: { _ in })
    }

    private func key(_ selector: String) throws(KeyError) -> KeyDescription {
        guard let key = state.withLock({ $0.keys.first { $0.selector == selector } }) else {
            throw KeyError("no key \(selector)")
        }
        return key
    }

    /// One write, which the end of the process may come before or behind.
    private func write(_ change: (inout [KeyDescription]) -> Void) throws(KeyError) {
        let isKilled = state.withLock { state in
            guard let left = state.crashIn else {
                change(&state.keys)
                return false
            }
            state.crashIn = left - 1
            guard left <= 1 else {
                change(&state.keys)
                return false
            }
            if Bool.random(using: &state.generator) { change(&state.keys) }
            return true
        }
        if isKilled { throw Crash.error }
    }

    private func add(_ new: RotationEnvironment.NewKey) throws(KeyError) -> KeyDescription {
        let made = state.withLock { state in
            state.counter += 1
            return KeyDescription(
                simulated: state.counter, of: domain, new, at: Timestamp(seconds: state.now))
        }
        let isUsedTwice = state.withLock { state in
            state.finished.contains(made.selector) || state.keys.contains { $0.selector == made.selector }
        }
        guard !isUsedTwice else { throw KeyError("the selector \(made.selector) was used twice") }
        try write { $0.append(made) }
        return made
    }

    private func activate(
        _ selector: String, _ reason: RotationEnvironment.ActivationReason
    ) throws(KeyError) -> KeyDescription {
        let now = Timestamp(seconds: state.withLock { $0.now })
        state.withLock { $0.outcome.rotations += 1 }
        // As on disk: the new key first, then the ones that it takes the place of, each a write of its own.
        try write { keys in
            guard let index = keys.firstIndex(where: { $0.selector == selector }) else { return }
            let number = 1 + (keys.compactMap(\.activationNumber).max() ?? 0)
            keys[index].move(
                to: .active, at: now, by: reason.user, evidence: reason.evidence, isUnproven: reason.isForced)
            keys[index].activationNumber = number
        }
        let chosen = try key(selector)
        for other in state.withLock({ $0.keys })
        where other.state == .active && other.selector != selector && other.isEd25519 == chosen.isEd25519 {
            try write { keys in
                guard let index = keys.firstIndex(where: { $0.selector == other.selector }) else { return }
                keys[index].move(to: .retiring, at: now, by: reason.user, evidence: "\(selector) became active")
            }
        }
        return chosen
    }
}

extension KeyDescription {
    /// A key without a private half: its record holds a number.
    init(simulated number: Int, of domain: Domain, _ new: RotationEnvironment.NewKey, at time: Timestamp) {
        let kind = new.algorithm == .ed25519 ? "ed25519" : "rsa"
        let selector = unsafe Selector("s\(number)").unsafelyUnwrapped
        self.init(
            domain: domain, selector: selector, algorithm: new.algorithm.rawValue,
            record: "v=DKIM1; k=\(kind); p=\(number)", at: time, by: new.user, evidence: "simulated")
        purpose = new.purpose
    }
}
