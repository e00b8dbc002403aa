// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
internal import FoundationEssentials
package import Mail

/// KeyCommands is in charge of what `waxwing keys` does, whoever runs it: the command itself, or the daemon on behalf
/// of one.
///
/// It returns text; it prints nothing.
package struct KeyCommands: Sendable {
    let store: KeyStore
    let prover: KeyProver
    private let clock: WallClock
    /// Those in force: what is said about a key depends on them.
    let policies: @Sendable () -> SigningPolicies

    package init(
        store: KeyStore, prover: KeyProver, clock: WallClock,
        policies: @escaping @Sendable () -> SigningPolicies = { SigningPolicies() }
    ) {
        self.store = store
        self.prover = prover
        self.clock = clock
        self.policies = policies
    }

    package func perform(_ request: KeyRequest) async -> KeyResponse {
        do throws(KeyError) {
            switch request.verb {
            case .generate: return try generate(request)
            case .import: return try importKey(request)
            case .list: return try list(request)
            case .show: return try show(request)
            case .activate: return try await activate(request)
            }
        } catch {
            return KeyResponse(isError: true, text: error.text + "\n")
        }
    }

    // MARK: Making

    private func generate(_ request: KeyRequest) throws(KeyError) -> KeyResponse {
        let domain = try domain(request)
        let selector = try selector(request)
        let name = request.algorithm ?? KeyAlgorithm.standard.rawValue
        guard let algorithm = KeyAlgorithm(rawValue: name) else {
            let all = KeyAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw KeyError("there is no algorithm \(KeyProver.printable(Array(name.utf8))): use one of \(all)")
        }
        let key: SigningKey
        do throws(SigningKeyError) {
            key = try SigningKey.generate(algorithm.kind)
        } catch {
            throw KeyError("no key could be made: \(error)")
        }
        let description = try store.add(key, to: domain, selector: selector, evidence: "generated", change(request))
        return made(description, warnings: [algorithm.warning].compactMap { $0 })
    }

    private func importKey(_ request: KeyRequest) throws(KeyError) -> KeyResponse {
        let domain = try domain(request)
        guard let selector = try selector(request) else {
            throw KeyError("an imported key keeps its selector: name it with --selector")
        }
        let key: SigningKey
        do throws(SigningKeyError) {
            key = try SigningKey(pem: Array((request.pem ?? "").utf8))
        } catch {
            throw KeyError("the file holds no usable private key (\(error)): it must be PEM, PKCS#8 or PKCS#1")
        }
        let description = try store.add(key, to: domain, selector: selector, evidence: "imported", change(request))
        var warnings: [String] = []
        if case .rsa(let bits) = key.kind, bits < 2048 {
            // RFC 8301 §3.2: signers SHOULD use at least 2048 bits.
            warnings.append("\(bits) bits are too few for many receivers: generate a new key soon")
        }
        return made(description, warnings: warnings)
    }

    private func made(_ description: KeyDescription, warnings: [String]) -> KeyResponse {
        let text = """
            Made the key \(description.selector) (\(description.algorithm)) of \(description.domain). It does not sign yet.

            1. Publish this record:

            \(RecordText.forms(description))
            2. Then run: waxwing keys activate \(description.domain) --selector \(description.selector)

            """
        return KeyResponse(
            text: text, warnings: warnings + policyWarnings(description) + store.warnings(), hasChanged: true)
    }

    // MARK: Activating

    private func activate(_ request: KeyRequest) async throws(KeyError) -> KeyResponse {
        let domain = try domain(request)
        let candidates = try candidates(request, domain)
        let isUnproven = request.isUnproven ?? false
        var warnings: [String] = []
        var proven: [(key: KeyDescription, evidence: String)] = []
        for key in candidates {
            if isUnproven {
                proven.append((key, "forced with --unproven: the DNS was not asked"))
                continue
            }
            switch await prover.prove(key) {
            case .published(let evidence, let found):
                proven.append((key, evidence))
                warnings += found
            case .notPublished(let reason):
                throw KeyError(
                    "\(key.recordName) is not published, so nothing was activated:\n\(reason)\n"
                        + "Publish the record (waxwing keys show \(domain) --selector \(key.selector)) and try again "
                        + "when every server has it. To sign without proof: add --unproven")
            }
        }
        var text = ""
        for (key, evidence) in proven {
            guard let selector = Selector(key.selector) else { continue }
            let active = try store.activate(
                selector, of: domain, evidence: evidence, isUnproven: isUnproven, change(request))
            text += "\(active.selector) (\(active.algorithm)) is active for \(domain): \(evidence)\n"
            if isUnproven {
                warnings.append("\(active.recordName) signs without proof that anybody can see its record")
            }
            warnings += policyWarnings(active)
        }
        return KeyResponse(text: text, warnings: warnings + store.warnings(), hasChanged: true)
    }

    /// The named key; without a name the newest of each kind that waits to be activated, all of them or none.
    private func candidates(_ request: KeyRequest, _ domain: Domain) throws(KeyError) -> [KeyDescription] {
        if let selector = try selector(request) { return [try store.description(of: selector, in: domain)] }
        var waiting: [Bool: KeyDescription] = [:]
        for key in try descriptions(of: domain) where key.state == .generated || key.state == .published {
            let newest = waiting[key.isEd25519]?.history.first?.time ?? .distantPast
            if let made = key.history.first?.time, made >= newest { waiting[key.isEd25519] = key }
        }
        guard waiting.isEmpty else { return [waiting[false], waiting[true]].compactMap { $0 } }
        throw KeyError(
            "\(domain) has no key that waits to be activated: run `waxwing keys list`, "
                + "or `waxwing keys generate \(domain)`")
    }

    // MARK: Parts of a request

    func descriptions(of domain: Domain) throws(KeyError) -> [KeyDescription] {
        var all: [KeyDescription] = []
        for entry in try store.keys(of: domain) { all.append(try entry.description.get()) }
        return all
    }

    func domain(_ request: KeyRequest) throws(KeyError) -> Domain {
        let text = request.domain ?? ""
        guard let domain = Domain(text) else {
            throw KeyError(
                "\(KeyProver.printable(Array(text.utf8))) is no domain name: write it as in example.com, xn--* for others"
            )
        }
        return domain
    }

    func selector(_ request: KeyRequest) throws(KeyError) -> Selector? {
        guard let text = request.selector else { return nil }
        guard let selector = Selector(text) else {
            throw KeyError(
                "\(KeyProver.printable(Array(text.utf8))) is no selector: use letters, digits, hyphens and dots")
        }
        return selector
    }

    private func change(_ request: KeyRequest) -> KeyStore.Change {
        KeyStore.Change(time: clock.now(), user: request.user ?? "unknown")
    }
}
