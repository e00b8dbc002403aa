// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
internal import DNS
internal import FoundationEssentials
internal import Mail

/// KeyCommands is in charge of what `waxwing keys` does, whoever runs it: the command itself, or the daemon on behalf
/// of one.
///
/// It returns text; it prints nothing.
package struct KeyCommands: Sendable {
    let rotator: Rotator
    /// Those in force: what is said about a key depends on them.
    let policies: @Sendable () -> SigningPolicies
    /// Keys among the credentials of the service, which nobody can change from here.
    let readOnlyKeys: @Sendable () -> [ReadOnlyKey]

    var store: KeyStore { rotator.store }

    package init(
        rotator: Rotator, policies: @escaping @Sendable () -> SigningPolicies = { SigningPolicies() },
        readOnlyKeys: @escaping @Sendable () -> [ReadOnlyKey] = { [] }
    ) {
        self.rotator = rotator
        self.policies = policies
        self.readOnlyKeys = readOnlyKeys
    }

    package func perform(_ request: KeyRequest) async -> KeyResponse {
        do throws(KeyError) {
            switch request.verb {
            case .generate: return try generate(request)
            case .import: return try importKey(request)
            case .export: return try export(request)
            case .list: return try list(request)
            case .show: return try await show(request)
            case .check: return try await check(request)
            case .log: return try log(request)
            case .publish: return try await publish(request)
            case .rotate: return try await rotate(request)
            case .activate: return try await activate(request)
            case .retire: return try await retire(request)
            case .revoke: return try await revoke(request)
            case .remove: return try await remove(request)
            }
        } catch {
            return KeyResponse(isError: true, text: error.text + "\n")
        }
    }

    // MARK: Making

    private func generate(_ request: KeyRequest) throws(KeyError) -> KeyResponse {
        let domain = try domain(request)
        let algorithm = try algorithm(request) ?? .standard
        let (selector, isDelegated) = try newSelector(request, domain, isEd25519: algorithm == .ed25519)
        let key: SigningKey
        do throws(SigningKeyError) {
            key = try SigningKey.generate(algorithm.kind)
        } catch {
            throw KeyError("no key could be made: \(error)")
        }
        let settings = rotator.policies.settings(of: domain)
        let description = try store.add(
            key, to: domain, selector: selector, template: settings.selectors, isDelegated: isDelegated,
            purpose: request.wantsStandby == true ? .standby : nil, evidence: "generated", change(request))
        return made(description, domain, warnings: [algorithm.warning].compactMap { $0 })
    }

    /// The selector of a new key, nil for a fresh one; and whether it is one of those that are delegated for good.
    private func newSelector(
        _ request: KeyRequest, _ domain: Domain, isEd25519: Bool
    ) throws(KeyError) -> (Selector?, isDelegated: Bool) {
        let wanted = try selector(request)
        let delegation = rotator.policies.publisher(of: domain)?.delegation
        guard let fixed = isEd25519 ? delegation?.ed25519Selectors : delegation?.rsaSelectors else {
            return (wanted, false)
        }
        let names = fixed.map(\.text).joined(separator: " and ")
        if let wanted {
            guard fixed.contains(wanted) else {
                throw KeyError(
                    "only the selectors \(names) of \(domain) are delegated to \(delegation?.zone ?? ""): "
                        + "leave --selector out, or give the domain another publisher")
            }
            return (wanted, true)
        }
        let plan = try rotator.rotation(of: domain, by: user(request)).plan(isEd25519: isEd25519)
        guard let free = plan.freeSelectors(fixed).first else {
            throw KeyError(
                "both delegated selectors \(names) of \(domain) are in use: "
                    + "`waxwing keys list \(domain)` shows when one is free")
        }
        return (free, true)
    }

    private func importKey(_ request: KeyRequest) throws(KeyError) -> KeyResponse {
        let domain = try domain(request)
        guard let selector = try selector(request) else {
            throw KeyError("an imported key keeps its selector: name it with --selector")
        }
        let key: SigningKey
        do throws(SigningKeyError) {
            key = try SigningKey(
                pem: Array((request.pem ?? "").utf8), passphrase: request.passphrase.map { Array($0.utf8) })
        } catch {
            throw KeyError("the file holds no usable private key: \(error)")
        }
        _ = try newSelector(request, domain, isEd25519: key.kind == .ed25519)
        let description = try store.add(key, to: domain, selector: selector, evidence: "imported", change(request))
        var warnings: [String] = []
        if case .rsa(let bits) = key.kind, bits < 2048 {
            // RFC 8301 §3.2: signers SHOULD use at least 2048 bits.
            warnings.append("\(bits) bits are too few for many receivers: run `waxwing keys rotate \(domain)` soon")
        }
        return made(description, domain, warnings: warnings)
    }

    private func made(_ description: KeyDescription, _ domain: Domain, warnings: [String]) -> KeyResponse {
        var text = """
            Made the key \(description.selector) (\(description.algorithm)) of \(domain). It does not sign yet.


            """
        let command = "waxwing keys activate \(domain) --selector \(description.selector)"
        let settings = rotator.policies.settings(of: domain)
        if let publisher = settings.publisher {
            text += "Next: \(command)\nwhich publishes its record (by \(publisher)), proves it and lets it sign.\n"
        } else {
            let forms = description.textRecord(ttl: settings.recordTTL)?.forms ?? ""
            text += "1. Publish this record:\n\n\(forms)\n2. Then run: \(command)\n"
        }
        return KeyResponse(
            text: text, warnings: warnings + policyWarnings(description) + store.warnings(), hasChanged: true,
            changedDomains: [domain.name], document: KeyDocuments.json([KeyDocument(description)]))
    }

    private func export(_ request: KeyRequest) throws(KeyError) -> KeyResponse {
        let domain = try domain(request)
        guard let selector = try selector(request) else {
            throw KeyError("name the key to export with --selector: `waxwing keys list \(domain)` shows them")
        }
        let key = try store.privateKey(of: store.description(of: selector, in: domain))
        do {
            let pem = try request.passphrase.map { try key.pem(passphrase: Array($0.utf8)) } ?? key.pem()
            return KeyResponse(text: String(decoding: pem, as: UTF8.self))
        } catch {
            throw KeyError("the private key of \(selector.recordName(in: domain)) can't be written: \(error)")
        }
    }

    // MARK: Parts of a request

    func domain(_ request: KeyRequest) throws(KeyError) -> Domain {
        let text = request.domain ?? ""
        guard let domain = Domain(text) else {
            throw KeyError(
                "\(PrintableText.of(text)) is no domain name: write it as in example.com, xn--* for others"
            )
        }
        return domain
    }

    func selector(_ request: KeyRequest) throws(KeyError) -> Selector? {
        guard let text = request.selector else { return nil }
        guard let selector = Selector(text) else {
            throw KeyError(
                "\(PrintableText.of(text)) is no selector: use letters, digits, hyphens and dots")
        }
        return selector
    }

    func algorithm(_ request: KeyRequest) throws(KeyError) -> KeyAlgorithm? {
        guard let name = request.algorithm else { return nil }
        if name == "rsa" { return .standard }
        guard let algorithm = KeyAlgorithm(rawValue: name) else {
            let all = KeyAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw KeyError("there is no algorithm \(PrintableText.of(name)): use one of \(all)")
        }
        return algorithm
    }

    func change(_ request: KeyRequest) -> KeyStore.Change {
        KeyStore.Change(time: rotator.clock.now(), user: user(request))
    }

    func user(_ request: KeyRequest) -> String { request.user ?? "unknown" }

    // MARK: What the policies say

    /// What keeps a key from signing, or shows that it is not needed, although nothing is wrong with it.
    func policyWarnings(_ key: KeyDescription) -> [String] {
        guard let domain = Domain(key.domain) else { return [] }
        let policy = policies().policy(of: domain, sdid: domain)
        if policy.isUnsigned {
            return ["mail of \(domain) leaves unsigned, whatever its keys: remove `unsigned` from its [[domain]] table"]
        }
        let algorithm = key.isEd25519 ? SigningPolicy.Algorithm.ed25519 : .rsa
        guard !policy.algorithms.contains(algorithm) else { return [] }
        return [
            "\(key.selector) will not sign: algorithms in the [[domain]] table of \(domain) leaves \(algorithm.rawValue) out"
        ]
    }
}
