// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// DomainRotation is in charge of carrying out what `RotationPlan` says for the keys of one domain, step by step,
/// until there is nothing to do but to wait.
///
/// Each step reads what is on disk, does something that may be done twice, and writes what came of it: so it can be cut
/// off anywhere. One process at a time does this for a domain (`Rotator.lock`).
struct DomainRotation: Sendable {
    /// No plan has more steps; a fault of ours must not spin.
    static let maximumSteps = 64

    let domain: Domain
    let environment: RotationEnvironment
    let user: String
    /// Somebody waits for the answer: look and try again now.
    var isAsked = false
    /// Kinds whose successors don't sit out the wait after their proof.
    var waivesWait: Set<SigningPolicy.Algorithm> = []

    /// What came of it.
    struct Result: Sendable {
        var done: [String] = []
        var warnings: [String] = []
        var waits: [RotationWait] = []
        var nextDue: Int64?
        /// Algorithms whose keys were to be replaced, and no rotation of them could begin.
        var notBegun: Set<KeyAlgorithm> = []
        /// The first step that failed on our side.
        var problem: KeyError?
    }

    /// - Parameter wanted: the algorithms whose keys are to be replaced, unless their rotation runs.
    func advance(_ wanted: Set<KeyAlgorithm> = []) async -> Result {
        var result = Result()
        // The two kinds have nothing to do with each other: what stops one must not stop the other.
        for isEd25519 in [false, true] {
            let algorithm = wanted.first { ($0 == .ed25519) == isEd25519 }
            do throws(KeyError) {
                try await run(isEd25519: isEd25519, wanted: algorithm, &result)
            } catch {
                result.problem = result.problem ?? error
            }
        }
        do throws(KeyError) {
            try conclude(&result)
        } catch {
            result.problem = result.problem ?? error
        }
        return result
    }

    private func run(
        isEd25519: Bool, wanted: KeyAlgorithm?, _ result: inout Result
    ) async throws(KeyError) {
        var isWanted = wanted != nil
        var run = RotationPlan.Run(isAsked: isAsked)
        var steps: [RotationStep] = []
        for _ in 0..<Self.maximumSteps {
            let plan = try plan(isEd25519: isEd25519, wantsRotation: isWanted, run: run)
            // A rotation that runs is taken further, and then no other one is begun.
            if let successor = plan.successor {
                isWanted = false
                if successor.skipsWait != true, waivesWait.contains(isEd25519 ? .ed25519 : .rsa) {
                    try nominate(successor.selector, skipsWait: true)
                    continue
                }
            }
            let step = plan.next()
            if step == .rest {
                if isWanted, let wanted { result.notBegun.insert(wanted) }
                return
            }
            steps.append(step)
            let algorithm = wanted ?? Self.algorithm(of: plan, isEd25519: isEd25519)
            let looks = plan.looksDue()
            do throws(KeyError) {
                try await perform(step, plan, algorithm, looks, &result)
            } catch {
                // The other keys are looked after all the same.
                guard let selector = step.selector, !run.failed.contains(selector) else { throw error }
                result.problem = result.problem ?? error
                run.failed.insert(selector)
            }
            switch step {
            // From here on the rotation goes on by what is on disk.
            case .generate(.successor, _), .promote: isWanted = false
            case .look: run.looked.formUnion(looks)
            case .publish(_, let selector):
                run.published.insert(selector)
                // What was seen before says nothing about the change.
                run.looked.remove(selector)
            default: break
            }
        }
        throw KeyError(
            "the keys of \(domain) do not come to rest; report this as a fault of Waxwing: \(steps.suffix(3))")
    }

    func plan(isEd25519: Bool, wantsRotation: Bool = false, run: RotationPlan.Run = RotationPlan.Run()) throws(KeyError)
        -> RotationPlan
    {
        plan(of: try environment.keys(domain), isEd25519: isEd25519, wantsRotation: wantsRotation, run: run)
    }

    /// Those of RSA and of Ed25519 keys, from one look at the disk.
    ///
    /// - Parameter wanted: the algorithms whose keys are to be replaced.
    func plans(_ wanted: Set<KeyAlgorithm> = []) throws(KeyError) -> [RotationPlan] {
        let all = try environment.keys(domain)
        return [false, true].map { isEd25519 in
            plan(
                of: all, isEd25519: isEd25519, wantsRotation: wanted.contains { ($0 == .ed25519) == isEd25519 },
                run: RotationPlan.Run())
        }
    }

    private func plan(
        of all: [KeyDescription], isEd25519: Bool, wantsRotation: Bool, run: RotationPlan.Run
    ) -> RotationPlan {
        RotationPlan(
            domain: domain,
            // What is removed for good plays no part any more.
            keys: all.filter { $0.isEd25519 == isEd25519 && ($0.state != .removed || $0.privateKey == nil) },
            settings: environment.settings(domain), now: environment.now().seconds, run: run,
            wantsRotation: wantsRotation, uses: environment.uses(domain),
            fixedSelectors: environment.fixedSelectors(domain, isEd25519))
    }

    /// A new key is of the kind and length of the one that it replaces, if that is a length we make.
    private static func algorithm(of plan: RotationPlan, isEd25519: Bool) -> KeyAlgorithm {
        if isEd25519 { return .ed25519 }
        let last = plan.active ?? plan.keys.max { $1.wasActivated(after: $0) }
        return last.flatMap { KeyAlgorithm(rawValue: $0.algorithm) } ?? .standard
    }

    /// What is left to wait for.
    private func conclude(_ result: inout Result) throws(KeyError) {
        for plan in try plans(result.notBegun) {
            result.waits += plan.waits()
            result.nextDue = [result.nextDue, plan.nextDue()].compactMap { $0 }.min()
        }
    }

    // MARK: Steps

    private func perform(
        _ step: RotationStep, _ plan: RotationPlan, _ algorithm: KeyAlgorithm, _ looks: Set<String>,
        _ result: inout Result
    ) async throws(KeyError) {
        switch step {
        case .generate(let purpose, let selector):
            try generate(purpose, algorithm, selector, &result)
        case .promote(let selector):
            try nominate(selector, skipsWait: false)
            result.done.append("\(selector) takes the place of the active key")
        case .publish(let purpose, let selector):
            try await publish(purpose, selector, &result)
        case .look:
            try await look(plan.keys.filter { looks.contains($0.selector) }, &result)
        case .activate(let selector):
            try activate(selector, plan, &result)
        case .retire(let selector):
            try move(selector, to: .retiring, "another key became active", &result)
        case .dispose(let selector, let fate):
            try environment.dispose(selector, domain, fate)
            result.done.append("the private key of \(selector) was \(fate.rawValue)")
        case .rest: break
        }
    }

    private func generate(
        _ purpose: KeyDescription.Purpose, _ algorithm: KeyAlgorithm, _ selector: Selector?, _ result: inout Result
    ) throws(KeyError) {
        let made = try environment.add(
            RotationEnvironment.NewKey(
                domain: domain, algorithm: algorithm, purpose: purpose, selector: selector, user: user))
        let what = purpose == .standby ? "as a standby" : "to take the place of the active key"
        result.done.append("made the key \(made.selector) (\(made.algorithm)) \(what)")
        environment.tell(
            .moved(domain, selector: made.selector, from: nil, to: .generated, reason: "made \(what)"))
    }

    func publish(
        _ purpose: RecordChange.Purpose, _ selector: String, _ result: inout Result
    ) async throws(KeyError) {
        guard let key = try environment.keys(domain).first(where: { $0.selector == selector }),
            let change = Self.change(purpose, key, domain, ttl: environment.settings(domain).recordTTL)
        else { return }
        let publisher = environment.settings(domain).publisher
        let outcome = await environment.publish(change)
        let (user, now) = (user, environment.now())
        _ = try environment.update(selector, domain) { key in
            key.record(outcome, of: purpose, by: publisher, at: now, for: user)
        }
        switch outcome {
        case .submitted(let evidence): result.done.append("\(purpose.rawValue) \(selector): \(evidence)")
        case .byHand(let text):
            environment.tell(.operatorNeeded(domain, selector: selector, text: text))
        case .failed(let reason):
            result.warnings.append("\(purpose.rawValue) \(selector) failed: \(reason)")
            environment.tell(.publicationFailed(domain, selector: selector, reason: reason))
        }
    }

    /// What is to change in DNS for a key; nil if its selector is no longer one.
    static func change(
        _ purpose: RecordChange.Purpose, _ key: KeyDescription, _ domain: Domain, ttl: Int64
    ) -> RecordChange? {
        guard let selector = Selector(key.selector) else { return nil }
        let wanted: String? =
            switch purpose {
            case .publish: key.record
            case .revoke: key.revokedRecord
            case .remove: nil
            }
        let isFirst = purpose == .publish && key.proof?.first == nil
        let ours: [String] = isFirst ? [] : [key.record, key.revokedRecord].filter { $0 != wanted }
        return RecordChange(
            purpose, domain: domain, selector: selector, wanted: wanted, replaceable: ours, ttl: ttl,
            zone: key.proof?.evidence.zone)
    }

    /// Looks at some keys at once: a server that does not answer is waited for only once.
    private func look(_ keys: [KeyDescription], _ result: inout Result) async throws(KeyError) {
        for (key, evidence) in zip(keys, await environment.look(at: keys)) { try take(evidence, of: key, &result) }
    }

    /// Takes down what was seen of a key.
    private func take(_ evidence: KeyEvidence, of key: KeyDescription, _ result: inout Result) throws(KeyError) {
        let (user, now, selector) = (user, environment.now(), key.selector)
        var consequence = LookConsequence.none
        let after = try environment.update(selector, domain) { key in
            consequence = key.record(evidence, at: now, by: user)
        }
        result.warnings += evidence.warnings.map { "\(selector): \($0)" }
        switch consequence {
        case .none: return
        case .moved:
            result.done.append("\(selector) is \(after.state.rawValue): \(evidence.summary)")
            environment.tell(
                .moved(domain, selector: selector, from: key.state, to: after.state, reason: evidence.summary))
        case .drifted:
            result.warnings.append("the record of \(selector) is not what it was: \(evidence.summary)")
            environment.tell(.drifted(domain, selector: selector, reason: evidence.summary))
        case .recovered:
            result.done.append("the record of \(selector) is back")
            environment.tell(.recovered(domain, selector: selector))
        case .notAsked:
            result.warnings.append("\(selector): \(evidence.summary)")
            return environment.tell(.notAsked(domain, selector: selector, reason: evidence.summary))
        }
        environment.tell(.changed(domain))
    }

    private func activate(_ selector: String, _ plan: RotationPlan, _ result: inout Result) throws(KeyError) {
        guard let key = plan.keys.first(where: { $0.selector == selector }), let proof = key.proof else { return }
        var evidence = "\(proof.evidence.summary), unbroken for \(plan.elapsed(since: plan.activationStart(key))) s"
        if key.skipsWait == true { evidence += "; without waiting, as asked" }
        let before = plan.active
        _ = try environment.activate(selector, domain, .init(evidence: evidence, user: user))
        environment.tell(.changed(domain))
        result.done.append("\(selector) is active: \(evidence)")
        environment.tell(.moved(domain, selector: selector, from: key.state, to: .active, reason: evidence))
        guard let before, before.selector != selector else { return }
        result.done.append("\(before.selector) is retiring")
        environment.tell(
            .moved(
                domain, selector: before.selector, from: .active, to: .retiring, reason: "\(selector) became active"))
    }

    /// Puts a key into a state by itself.
    func move(_ selector: String, to state: KeyState, _ reason: String, _ result: inout Result) throws(KeyError) {
        let (user, now) = (user, environment.now())
        var before: KeyState?
        _ = try environment.update(selector, domain) { key in
            before = key.state
            key.move(to: state, at: now, by: user, evidence: reason)
        }
        environment.tell(.changed(domain))
        result.done.append("\(selector) is \(state.rawValue)")
        environment.tell(.moved(domain, selector: selector, from: before, to: state, reason: reason))
    }
}

extension RotationPlan {
    /// When the unbroken proof of a key began.
    func activationStart(_ key: KeyDescription) -> Int64 {
        key.proof?.since.map { Timestamp($0).seconds } ?? now
    }
}
