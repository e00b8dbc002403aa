// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS
internal import FoundationEssentials
internal import Mail

/// What `waxwing keys list`, `show`, `check` and `log` print.
extension KeyCommands {
    func list(_ request: KeyRequest) throws(KeyError) -> KeyResponse {
        let domains = try domains(request)
        var all: [KeyDocument] = []
        for domain in domains { all += try documents(domain, testsPrivateKeys: true) }
        all += readOnlyKeys().filter { request.domain == nil || domains.contains($0.domain) }.map { KeyDocument($0) }
        if let state = request.state { all = all.filter { $0.state == state && $0.algorithm != "unknown" } }
        let warnings = store.warnings() + all.compactMap(\.problem)
        guard !all.isEmpty else {
            return KeyResponse(text: nothing(request, domains), warnings: warnings, document: "[]\n")
        }
        let hasProblem = all.contains { $0.problem != nil || $0.suspension != nil }
        return KeyResponse(
            text: KeyTable.text(all), warnings: warnings, hasProblem: hasProblem, document: KeyDocuments.json(all))
    }

    private func domains(_ request: KeyRequest) throws(KeyError) -> [Domain] {
        request.domain == nil ? try store.domains() : [try domain(request)]
    }

    private func nothing(_ request: KeyRequest, _ domains: [Domain]) -> String {
        if let state = request.state { return "There is no key that is \(state.rawValue).\n" }
        let whose = request.domain.map { " of \($0)" } ?? ""
        if domains.count == 1, request.domain != nil, let signer = signer(above: domains[0]) {
            return "There is no key\(whose). Its mail is signed with the keys of \(signer).\n"
        }
        return "There is no key\(whose) in \(store.directory). Make one with: waxwing keys generate DOMAIN\n"
    }

    func show(_ request: KeyRequest) async throws(KeyError) -> KeyResponse {
        let domain = try domain(request)
        let keys: [KeyDescription]
        if let selector = try selector(request) {
            keys = [try store.description(of: selector, in: domain)]
        } else {
            keys = try store.descriptions(of: domain).filter { $0.wantedRecord != nil }
        }
        guard !keys.isEmpty else {
            if let signer = signer(above: domain) {
                throw KeyError(
                    "there is no key of \(domain): its mail is signed with the keys of \(signer), which "
                        + "`waxwing keys show \(signer)` prints")
            }
            throw KeyError("there is no key of \(domain): run `waxwing keys generate \(domain)`")
        }
        let document = KeyDocuments.json(keys.map { KeyDocument($0) })
        let ttl = rotator.policies.settings(of: domain).recordTTL
        if let format = request.format {
            return KeyResponse(text: format.text(of: keys.compactMap { $0.textRecord(ttl: ttl) }), document: document)
        }
        var sections = keys.map { key in
            "\(key.selector) (\(key.algorithm), \(key.state.rawValue))\n\n"
                + (key.textRecord(ttl: ttl)?.forms ?? "No record is to stand at \(key.recordName).\n")
        }
        if let hint = delegationHint(domain) { sections.append(hint) }
        return KeyResponse(text: sections.joined(separator: "\n"), document: document)
    }

    /// What the operator of a domain whose keys stand in another zone has to do once.
    func delegationHint(_ domain: Domain) -> String? {
        Publisher(rotator.policies.publisher(of: domain), keyDirectory: store.directory)
            .delegationHint(for: domain)
    }

    /// Looks at the records of keys now, and takes nothing down.
    func check(_ request: KeyRequest) async throws(KeyError) -> KeyResponse {
        let named = try selector(request)
        var keys: [KeyDescription] = []
        for domain in try domains(request) {
            if let named { _ = try store.description(of: named, in: domain) }
            keys += try store.descriptions(of: domain).filter {
                $0.state != .removed && (named == nil || $0.selector == named?.text)
            }
        }
        var documents: [KeyDocument] = []
        for (index, evidence) in await rotator.look(at: keys).enumerated() {
            _ = keys[index].record(evidence, at: rotator.clock.now(), by: user(request))
            documents.append(KeyDocument(keys[index]))
        }
        guard !documents.isEmpty else { throw KeyError(nothing(request, try domains(request)).trimmed) }
        var lines: [String] = []
        var hasProblem = false
        for document in documents {
            guard let look = document.look else { continue }
            let isFine = document.isAsWanted
            hasProblem = hasProblem || !isFine
            lines.append(
                "\(document.recordName) (\(document.state.rawValue)): \(isFine ? "ok" : "problem"): \(look.summary)")
            lines += look.findings.map { "  \($0)" } + look.warnings.map { "  warning: \($0)" }
        }
        return KeyResponse(
            text: lines.joined(separator: "\n") + "\n", hasProblem: hasProblem, document: KeyDocuments.json(documents))
    }

    /// The journal of keys: of all, or of a domain, or of one.
    func log(_ request: KeyRequest) throws(KeyError) -> KeyResponse {
        let named = try selector(request)
        var entries: [KeyLogDocument] = []
        for domain in try domains(request) {
            for key in try store.descriptions(of: domain) where named == nil || key.selector == named?.text {
                entries += key.history.map { item in
                    KeyLogDocument(
                        domain: key.domain, selector: key.selector, time: item.time,
                        from: item.isNote == true ? item.to : item.from, to: item.to, by: item.by,
                        evidence: item.evidence, isForced: item.isUnproven == true)
                }
            }
        }
        // A clock that was set back shows as it was: within a key the order is that of the events.
        let sorted = entries.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
        let lines = sorted.map { entry in
            let change =
                entry.from == entry.to ? entry.to.rawValue : "\(entry.from?.rawValue ?? "-") -> \(entry.to.rawValue)"
            let evidence = entry.evidence.map { ": \($0)" } ?? ""
            let user = PrintableText.of(entry.by)
            return "\(Moments.text(entry.time))  \(entry.selector)._domainkey.\(entry.domain)  \(change)  by \(user)"
                + (entry.isForced ? " (forced)" : "") + evidence
        }
        let text = lines.isEmpty ? nothing(request, try domains(request)) : lines.joined(separator: "\n") + "\n"
        return KeyResponse(text: text, document: KeyDocuments.json(sorted))
    }

    /// The domain above whose keys sign for this one, as far as keys are there.
    private func signer(above domain: Domain) -> Domain? {
        policies().sdids(for: domain).dropFirst().first { above in
            (try? store.keys(of: above))?.contains { (try? $0.description.get())?.state == .active } ?? false
        }
    }
}

extension KeyDocument {
    /// Whether the DNS shows what the key's state asks for.
    package var isAsWanted: Bool {
        guard let verdict = look?.verdict else { return false }
        switch state {
        case .generated: return record == nil || verdict == .published || verdict == .absent
        case .published, .active: return verdict == .published
        case .retiring: return verdict == .published || verdict == .revoked
        case .compromised, .revoked: return verdict == .revoked || verdict == .absent
        case .removed: return verdict == .absent
        }
    }
}

extension String {
    fileprivate var trimmed: String { hasSuffix("\n") ? String(dropLast()) : self }
}
