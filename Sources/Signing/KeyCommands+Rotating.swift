// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import FoundationEssentials
internal import Mail

/// What `waxwing keys rotate`, `activate`, `publish`, `retire`, `revoke` and `remove` do.
///
/// Each asks for something and then takes the domain's keys as far as they can go.
extension KeyCommands {
    func rotate(_ request: KeyRequest) async throws(KeyError) -> KeyResponse {
        let domain = try domain(request)
        let algorithm = try algorithm(request)
        var rotation = rotator.rotation(of: domain, by: user(request), isAsked: true)
        if request.skipsWait == true {
            rotation.waivesWait = algorithm.map { $0 == .ed25519 ? [.ed25519] : [.rsa] } ?? [.rsa, .ed25519]
        }
        var result = DomainRotation.Result()
        if request.isCompromised == true {
            // Before anything that may take its time: from here on the key signs no more.
            try compromise(request, algorithm, rotation, &result)
        }
        let lock = try await lock(domain)
        defer { withExtendedLifetime(lock) {} }
        let wanted = try wanted(request, algorithm, try store.descriptions(of: domain), domain)
        result.append(await rotation.advance(wanted))
        var response = try response(to: request, domain, result, isAbout: algorithm)
        if !result.notBegun.isEmpty {
            response.isError = true
            response.text +=
                "no rotation has begun: run the command again when a name is free, or free one now with "
                + "`waxwing keys revoke` and `waxwing keys remove --force`\n"
        }
        return response
    }

    /// The algorithms whose keys are to be replaced: the named one, else those of the keys that sign.
    private func wanted(
        _ request: KeyRequest, _ algorithm: KeyAlgorithm?, _ keys: [KeyDescription], _ domain: Domain
    ) throws(KeyError) -> Set<KeyAlgorithm> {
        guard !keys.isEmpty else {
            throw KeyError("there is no key of \(domain) to rotate: run `waxwing keys generate \(domain)`")
        }
        // A compromised key is replaced by the plan itself.
        if request.onlyContinues == true || request.isCompromised == true { return [] }
        if let algorithm { return [algorithm] }
        let signing = keys.filter { $0.state == .active }
        let concerned = signing.isEmpty ? keys.filter { $0.state != .removed } : signing
        let kinds = Set(concerned.map(\.isEd25519))
        return Set(
            kinds.map { isEd25519 in
                isEd25519
                    ? .ed25519
                    : concerned.last { !$0.isEd25519 }.flatMap { KeyAlgorithm(rawValue: $0.algorithm) } ?? .standard
            })
    }

    /// Gives up the named key, or all that sign.
    func compromise(
        _ request: KeyRequest, _ algorithm: KeyAlgorithm?, _ rotation: DomainRotation,
        _ result: inout DomainRotation.Result
    ) throws(KeyError) {
        // Another key that can't be read is no reason to go on signing with a stolen one.
        let keys = try store.keys(of: rotation.domain).compactMap { try? $0.description.get() }
        let named = try selector(request)
        if let named, !keys.contains(where: { $0.selector == named.text }) {
            throw KeyError("\(rotation.domain) has no key \(named): run `waxwing keys list \(rotation.domain)`")
        }
        var count = 0
        try rotation.compromise(
            among: keys,
            { key in
                let isNamed = named.map { key.selector == $0.text } ?? (key.state == .active)
                let isKind = algorithm.map { ($0 == .ed25519) == key.isEd25519 } ?? true
                let isAlive = [.generated, .published, .active, .retiring].contains(key.state)
                if isNamed, isKind, isAlive { count += 1 }
                return isNamed && isKind && isAlive
            }, &result)
        if count == 0, request.onlyContinues != true {
            result.warnings.append("no key that is in use was named, so none was given up")
        }
    }

    func activate(_ request: KeyRequest) async throws(KeyError) -> KeyResponse {
        let domain = try domain(request)
        let lock = try await lock(domain)
        defer { withExtendedLifetime(lock) {} }
        let rotation = rotator.rotation(of: domain, by: user(request), isAsked: true)
        let candidates = try candidates(request, domain)
        var result = DomainRotation.Result()
        for key in candidates {
            guard key.state.canActivate else {
                throw KeyError(
                    "\(key.recordName) is \(key.state.rawValue) and stays so: run `waxwing keys generate \(domain)`")
            }
            // A key that can't sign must not take the place of one that can.
            _ = try store.privateKey(of: key)
            if request.isForced == true {
                try rotation.force(
                    key.selector, evidence: "forced with --force: the DNS was not asked", &result)
                result.warnings.append("\(key.recordName) signs without proof that anybody can see its record")
            } else if key.state != .active {
                try rotation.nominate(key.selector, skipsWait: request.skipsWait == true)
            }
        }
        result.append(await rotation.advance())
        var response = try response(to: request, domain, result, isAbout: nil)
        for key in candidates {
            let now = try store.descriptions(of: domain).first { $0.selector == key.selector }
            if let now, now.state == .active {
                response.warnings += policyWarnings(now)
                if now.proof?.first != nil, key.state == .active { response.text += "\(key.selector) is active\n" }
            } else if let now, now.proof?.since == nil, request.isForced != true {
                response = refusal(of: now, domain, response)
            }
        }
        return response
    }

    /// The response when a key's record is not there.
    private func refusal(of key: KeyDescription, _ domain: Domain, _ response: KeyResponse) -> KeyResponse {
        var response = response
        response.isError = true
        let findings = key.proof?.evidence.findings ?? []
        var lines = ["\(key.recordName) is not published, so it does not sign:"]
        lines += findings.isEmpty ? [key.proof?.evidence.summary ?? "nobody was asked"] : findings
        lines += ["Expected at every server, as the only record:", "  \(key.record)", ""]
        response.text =
            lines.joined(separator: "\n") + "\n" + response.text
            + "It becomes active by itself when every server has the record, if the daemon runs; else try again then. "
            + "To sign without proof: add --force\n"
        return response
    }

    /// The named key; without a name the newest of each kind that waits to be activated.
    private func candidates(_ request: KeyRequest, _ domain: Domain) throws(KeyError) -> [KeyDescription] {
        if let selector = try selector(request) { return [try store.description(of: selector, in: domain)] }
        var waiting: [Bool: KeyDescription] = [:]
        for key in try store.descriptions(of: domain) where key.state == .generated || key.state == .published {
            guard key.purpose != .standby else { continue }
            let newest = waiting[key.isEd25519]?.history.first?.time ?? .distantPast
            if let made = key.history.first?.time, made >= newest { waiting[key.isEd25519] = key }
        }
        guard waiting.isEmpty else { return [waiting[false], waiting[true]].compactMap { $0 } }
        throw KeyError(
            "\(domain) has no key that waits to be activated: run `waxwing keys list`, "
                + "or `waxwing keys generate \(domain)`")
    }

    func publish(_ request: KeyRequest) async throws(KeyError) -> KeyResponse {
        let domain = try domain(request)
        let lock = try await lock(domain)
        defer { withExtendedLifetime(lock) {} }
        let rotation = rotator.rotation(of: domain, by: user(request), isAsked: true)
        let named = try selector(request)
        if let named { _ = try store.description(of: named, in: domain) }
        var result = DomainRotation.Result()
        for key in try store.descriptions(of: domain) where key.state != .removed {
            guard named == nil || key.selector == named?.text else { continue }
            let purpose: RecordChange.Purpose =
                key.wantedRecord == nil ? .remove : key.wantedRecord == key.record ? .publish : .revoke
            result.append(await rotation.handOver(purpose, key.selector))
        }
        result.append(await rotation.advance())
        return try response(to: request, domain, result, isAbout: nil)
    }
}

extension DomainRotation.Result {
    mutating func append(_ other: Self) {
        done += other.done
        for warning in other.warnings where !warnings.contains(warning) { warnings.append(warning) }
        waits = other.waits
        nextDue = other.nextDue
        notBegun = other.notBegun
        problem = problem ?? other.problem
    }
}

extension KeyCommands {
    /// The lock of a domain that has a directory: a mistyped name must not make one.
    func lock(_ domain: Domain) async throws(KeyError) -> KeyLock {
        guard try store.domains().contains(domain) else {
            if let key = readOnlyKeys().first(where: { $0.domain == domain }) {
                throw KeyError(
                    "the keys of \(domain) (\(key.selector)) are credentials of the service: they are read-only and "
                        + "can't rotate by themselves. Run `waxwing keys generate \(domain)`: "
                        + "a key of the store takes their place")
            }
            throw KeyError("there is no key of \(domain): run `waxwing keys generate \(domain)`")
        }
        return try await rotator.lock(domain)
    }
}
