// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// What a command that changes keys answers: what was done, what is waited for and until when, and what a human has to
/// do in DNS.
extension KeyCommands {
    /// - Parameter algorithm: of the rotation that was asked for; nil: of whatever kind.
    func response(
        to request: KeyRequest, _ domain: Domain, _ result: DomainRotation.Result, isAbout algorithm: KeyAlgorithm?
    ) throws(KeyError) -> KeyResponse {
        let keys = try store.descriptions(of: domain)
        let plans = try rotator.plans(domain, of: algorithm)
        let isFinished = !plans.contains { $0.successor != nil || $0.needsReplacement }
        var lines = result.done
        for wait in result.waits { lines += Self.lines(of: wait) }
        var warnings = result.warnings + store.warnings()
        let failures = keys.filter { $0.publication?.result == .failed }
        for key in failures where !warnings.contains(where: { $0.contains(key.selector) }) {
            warnings.append("publishing \(key.selector) failed: \(key.publication?.text ?? "")")
        }
        let todo = instructions(keys, domain)
        if !todo.isEmpty { lines += [""] + todo }
        if lines.isEmpty { lines = ["nothing is to be done for the keys of \(domain)"] }
        var response = KeyResponse(
            text: lines.joined(separator: "\n") + "\n", warnings: warnings, hasChanged: true,
            changedDomains: [domain.name], hasProblem: failures.isEmpty ? nil : true, isFinished: isFinished,
            document: KeyDocuments.json(
                RotationDocument(
                    domain: domain.name, done: result.done, waits: result.waits, isFinished: isFinished,
                    keys: try documents(domain))))
        if let problem = result.problem {
            response.isError = true
            response.text += problem.text + "\n"
        }
        return response
    }

    private static func lines(of wait: RotationWait) -> [String] {
        let until = wait.until.map { ", until \(Moments.text($0))" } ?? ""
        return [(wait.isOperator ? "waits for you: " : "waits: ") + wait.text + until]
    }

    /// What the operator must do in DNS for these keys; nothing where a publisher does it.
    private func instructions(_ keys: [KeyDescription], _ domain: Domain) -> [String] {
        let settings = rotator.policies.settings(of: domain)
        var texts: [String] = []
        for key in keys {
            guard let publication = key.publication, isAwaited(key, publication.purpose) else { continue }
            if publication.result == .byHand,
                let change = DomainRotation.change(publication.purpose, key, domain, ttl: settings.recordTTL)
            {
                texts.append(ByHand.text(change))
            } else if key.proof?.first == nil, let hint = delegationHint(domain), !texts.contains(hint) {
                texts.append(hint)
            }
        }
        return texts
    }

    private func isAwaited(_ key: KeyDescription, _ purpose: RecordChange.Purpose) -> Bool {
        switch (purpose, key.state) {
        case (.publish, .generated): true
        case (.publish, .active): key.suspension != nil
        case (.revoke, .retiring), (.revoke, .compromised), (.remove, .revoked): true
        default: false
        }
    }

    /// The keys of a domain with all that is known of them.
    ///
    /// - Parameter testsPrivateKeys: reads each one and signs with it.
    func documents(_ domain: Domain, testsPrivateKeys: Bool = false) throws(KeyError) -> [KeyDocument] {
        let plans = try? rotator.plans(domain)
        var documents: [KeyDocument] = []
        for entry in try store.keys(of: domain) {
            switch entry.description {
            case .success(let key):
                var document = KeyDocument(key)
                document.lastUsed = rotator.lastUse(of: key, domain)?.date
                document.next = next(key, plans ?? [])
                if testsPrivateKeys, key.state != .removed {
                    do throws(KeyError) { _ = try store.privateKey(of: key) } catch { document.problem = error.text }
                }
                documents.append(document)
            case .failure(let error):
                documents.append(KeyDocument(damaged: entry.selector, of: domain, error.text))
            }
        }
        return documents
    }

    private func next(_ key: KeyDescription, _ plans: [RotationPlan]) -> KeyDocument.Step? {
        guard let plan = plans.first(where: { $0.keys.contains { $0.selector == key.selector } }) else { return nil }
        if let wait = plan.waits().first(where: { $0.selector == key.selector }) {
            return KeyDocument.Step(
                text: Self.nextStep(of: key, isOperator: wait.isOperator),
                at: wait.until.map { Timestamp(seconds: $0).date }, isOperator: wait.isOperator)
        }
        switch key.state {
        case .active:
            guard plan.successor == nil, let due = plan.rotationDue(key) else { return nil }
            return KeyDocument.Step(text: "rotate", at: Timestamp(seconds: due).date, isOperator: false)
        case .generated where key.purpose == nil:
            return KeyDocument.Step(
                text: "waxwing keys activate \(key.domain) --selector \(key.selector)", isOperator: true)
        case .published where key.purpose == .standby:
            return KeyDocument.Step(text: "stands by", isOperator: false)
        default: return nil
        }
    }
}

extension KeyCommands {
    /// A word or three, for a table.
    private static func nextStep(of key: KeyDescription, isOperator: Bool) -> String {
        switch (key.state, isOperator) {
        case (.generated, true): "publish its record"
        case (.generated, false): "seen by all servers"
        case (.published, _): "activate"
        case (.active, true): "put its record back"
        case (.active, false): "its record is put back"
        case (.retiring, true), (.compromised, true): "replace its record by p="
        case (.retiring, false), (.compromised, false): "revoke"
        case (.revoked, true): "delete its record"
        case (.revoked, false): "remove"
        case (.removed, _): ""
        }
    }
}

extension KeyDocument {
    fileprivate init(damaged selector: Selector, of domain: Domain, _ problem: String) {
        self.domain = domain.name
        self.selector = selector.text
        self.algorithm = "unknown"
        self.state = .generated
        self.since = Timestamp(seconds: 0).date
        self.recordName = selector.recordName(in: domain)
        self.isUnproven = false
        self.problem = problem
    }
}
