// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail

/// The end of a key by hand, before its time or without a successor.
extension KeyCommands {
    func retire(_ request: KeyRequest) async throws(KeyError) -> KeyResponse {
        try await change(request) { key, domain, rotation, result async throws(KeyError) in
            guard key.state == .active else {
                throw KeyError("\(key.recordName) is \(key.state.rawValue): only an active key can retire")
            }
            let policy = policies().policy(of: domain, sdid: domain)
            let others = try store.descriptions(of: domain).filter { other in
                other.state == .active && other.selector != key.selector && other.suspension == nil
                    && policy.algorithms.contains(other.isEd25519 ? .ed25519 : .rsa)
            }
            guard !others.isEmpty || request.isForced == true else {
                throw KeyError(
                    "\(key.selector) is the only key that signs for \(domain), whose mail would be refused without it: "
                        + "run `waxwing keys rotate \(domain)` instead, or add --force")
            }
            try rotation.move(key.selector, to: .retiring, "asked to retire", &result)
        }
    }

    func revoke(_ request: KeyRequest) async throws(KeyError) -> KeyResponse {
        try await change(request) { key, domain, rotation, result async throws(KeyError) in
            switch key.state {
            case .active:
                throw KeyError(
                    "\(key.selector) signs: run `waxwing keys rotate \(domain)` first, "
                        + "or `waxwing keys rotate \(domain) --compromised` if somebody else may have it")
            case .revoked, .removed:
                throw KeyError("\(key.recordName) is \(key.state.rawValue) already")
            case .retiring:
                let plan = try rotation.plan(isEd25519: key.isEd25519)
                let due = plan.revocationDue(key)
                guard plan.now >= due || request.isForced == true else {
                    throw KeyError(
                        "mail signed with \(key.selector) may be under way until \(Moments.text(due)), and would fail "
                            + "its verification: wait, or add --force")
                }
                result.append(await rotation.handOver(.revoke, key.selector))
            case .generated, .published:
                // Never signed with: nothing depends on its record.
                try rotation.move(key.selector, to: .retiring, "revoked by hand", &result)
                result.append(await rotation.handOver(.revoke, key.selector))
            case .compromised: break
            }
        }
    }

    func remove(_ request: KeyRequest) async throws(KeyError) -> KeyResponse {
        try await change(request) { key, domain, rotation, result async throws(KeyError) in
            switch key.state {
            case .generated where key.publication == nil && key.proof?.first == nil:
                let evidence = await rotator.look(at: [key])[0]
                guard evidence.verdict == .absent || request.isForced == true else {
                    throw KeyError(
                        "whether the record of \(key.selector) is in DNS has to be known first (\(evidence.summary)): "
                            + "revoke the key if it is there, or add --force")
                }
                try rotation.move(key.selector, to: .removed, "removed before it was published", &result)
            case .revoked:
                let plan = try rotation.plan(isEd25519: key.isEd25519)
                let due = plan.removalDue(key)
                guard plan.now >= due || request.isForced == true else {
                    throw KeyError(
                        "verifiers should see until \(Moments.text(due)) that \(key.selector) was revoked: "
                            + "wait, or add --force")
                }
                result.append(await rotation.handOver(.remove, key.selector))
            case .removed:
                throw KeyError("\(key.recordName) is removed already")
            case .generated, .published, .active, .retiring, .compromised:
                throw KeyError(
                    "\(key.recordName) is \(key.state.rawValue): revoke it first, with "
                        + "`waxwing keys revoke \(domain) --selector \(key.selector)`")
            }
        }
    }

    /// Does something to the named key, then takes the domain's keys as far as they can go.
    private func change(
        _ request: KeyRequest,
        _ body: (KeyDescription, Domain, DomainRotation, inout DomainRotation.Result) async throws(KeyError) -> Void
    ) async throws(KeyError) -> KeyResponse {
        let domain = try domain(request)
        guard let selector = try selector(request) else {
            throw KeyError("name the key with --selector: `waxwing keys list \(domain)` shows them")
        }
        let rotation = rotator.rotation(of: domain, by: user(request), isAsked: true)
        var result = DomainRotation.Result()
        // Before anything that may take its time: from here on the key signs no more.
        if request.isCompromised == true { try compromise(request, nil, rotation, &result) }
        let lock = try await lock(domain)
        defer { withExtendedLifetime(lock) {} }
        let key = try store.description(of: selector, in: domain)
        try await body(key, domain, rotation, &result)
        result.append(await rotation.advance())
        return try response(to: request, domain, result, isAbout: nil)
    }
}
