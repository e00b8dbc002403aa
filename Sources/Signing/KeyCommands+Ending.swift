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
            let others = try store.descriptions(of: domain).filter {
                $0.state == .active && $0.selector != key.selector
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
            case .active where request.isCompromised != true:
                throw KeyError(
                    "\(key.selector) signs: run `waxwing keys rotate \(domain)` first, "
                        + "or `waxwing keys rotate \(domain) --compromised` if somebody else may have it")
            case .revoked, .removed:
                throw KeyError("\(key.recordName) is \(key.state.rawValue) already")
            case .active:
                try rotation.move(key.selector, to: .compromised, "said to be compromised", &result)
            case .retiring:
                let plan = try rotation.plan(isEd25519: key.isEd25519)
                let due = plan.revocationDue(key)
                guard plan.now >= due || request.isForced == true || request.isCompromised == true else {
                    throw KeyError(
                        "mail signed with \(key.selector) may be under way until \(Moments.text(due)), and would fail "
                            + "its verification: wait, or add --force")
                }
                if request.isCompromised == true {
                    try rotation.move(key.selector, to: .compromised, "said to be compromised", &result)
                } else {
                    result.append(await rotation.handOver(.revoke, key.selector))
                }
            case .generated, .published:
                // Never signed with: nothing depends on its record.
                let state: KeyState = request.isCompromised == true ? .compromised : .retiring
                try rotation.move(key.selector, to: state, "revoked by hand", &result)
                if state == .retiring { result.append(await rotation.handOver(.revoke, key.selector)) }
            case .compromised: break
            }
        }
    }

    func remove(_ request: KeyRequest) async throws(KeyError) -> KeyResponse {
        try await change(request) { key, domain, rotation, result async throws(KeyError) in
            switch key.state {
            case .generated where key.publication == nil && key.proof?.first == nil:
                // Nobody has seen its record.
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
        let lock = try await lock(domain)
        defer { withExtendedLifetime(lock) {} }
        guard let selector = try selector(request) else {
            throw KeyError("name the key with --selector: `waxwing keys list \(domain)` shows them")
        }
        let key = try store.description(of: selector, in: domain)
        let rotation = rotator.rotation(of: domain, by: user(request), isAsked: true)
        var result = DomainRotation.Result()
        try await body(key, domain, rotation, &result)
        result.append(await rotation.advance())
        return try response(to: request, domain, result, isAbout: nil)
    }
}
