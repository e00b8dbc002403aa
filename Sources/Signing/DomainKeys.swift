// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
internal import Logging
internal import Mail
internal import Synchronization

/// The keys of one domain that sign: at most one of each kind.
struct DomainKeys: Sendable {
    var rsa: ActiveKey?
    var ed25519: ActiveKey?
    /// Without a usable key: what to do.
    ///
    /// Nil if there is no key at all.
    var nextStep: String?

    var isUsable: Bool { rsa != nil || ed25519 != nil }

    /// Only the keys of the kinds that a policy allows.
    func limited(to algorithms: Set<SigningPolicy.Algorithm>) -> DomainKeys {
        var keys = self
        if !algorithms.contains(.rsa) { keys.rsa = nil }
        if !algorithms.contains(.ed25519) { keys.ed25519 = nil }
        return keys
    }

    /// Reads the active keys of a domain.
    ///
    /// Never fails: what is wrong is logged and becomes the next step.
    static func load(_ domain: Domain, from store: KeyStore, logger: Logger) -> DomainKeys {
        var keys = DomainKeys()
        var problems: [KeyError] = []
        var descriptions: [KeyDescription] = []
        do throws(KeyError) {
            for entry in try store.keys(of: domain) {
                switch entry.description {
                case .success(let description): descriptions.append(description)
                case .failure(let error): problems.append(error)
                }
            }
        } catch {
            problems.append(error)
        }
        // Two of a kind are active only when an activation was cut off: the later one was meant.
        let active = descriptions.filter { $0.state == .active }.sorted { $0.activationTime > $1.activationTime }
        for description in active {
            guard (description.isEd25519 ? keys.ed25519 : keys.rsa) == nil else { continue }
            do throws(KeyError) {
                let key = try ActiveKey(description, privateKey: store.privateKey(of: description))
                if description.isEd25519 { keys.ed25519 = key } else { keys.rsa = key }
            } catch {
                problems.append(error)
            }
        }
        for problem in problems { logger.error("keys: \(problem)", metadata: ["domain": "\(domain)"]) }
        if !keys.isUsable {
            keys.nextStep = problems.first?.text ?? nextStep(for: domain, descriptions)
        }
        return keys
    }

    private static func nextStep(for domain: Domain, _ descriptions: [KeyDescription]) -> String? {
        guard !descriptions.isEmpty else { return nil }
        if let waiting = descriptions.last(where: { $0.state == .generated || $0.state == .published }) {
            return "no key of \(domain) is active: publish the record that `waxwing keys show \(domain)` prints, "
                + "then run `waxwing keys activate \(domain) --selector \(waiting.selector)`"
        }
        return "no key of \(domain) may sign any more: run `waxwing keys generate \(domain)`, publish the record "
            + "that it prints, then run `waxwing keys activate \(domain)`"
    }
}

/// A key that signs, with all that does not change from message to message made ready.
final class ActiveKey: Sendable {
    let sdid: String
    let selector: String
    let algorithm: SigningAlgorithm
    private let privateKey: SigningKey
    /// The form of mail that the configuration says nothing special about.
    private let standard: SignatureTemplate
    private let others = Mutex<[SignatureForm: SignatureTemplate]>([:])
    private let uses = Atomic<UInt64>(0)

    /// One in this many Ed25519 signatures is verified, which costs more than twice the signing.
    static let ed25519CheckInterval: UInt64 = 64
    private static let standardForm = SignatureForm()

    init(_ description: KeyDescription, privateKey: SigningKey) throws(KeyError) {
        sdid = description.domain
        selector = description.selector
        algorithm = privateKey.algorithm
        self.privateKey = privateKey
        do throws(SigningError) {
            standard = try Self.standardForm.template(
                sdid: description.domain, selector: description.selector, key: privateKey)
        } catch {
            throw KeyError("\(description.recordName) can't sign: \(error)")
        }
    }

    /// The template of a form, made when it is first asked for.
    func template(_ form: SignatureForm) throws(SigningError) -> SignatureTemplate {
        if form == Self.standardForm { return standard }
        if let known = others.withLock({ $0[form] }) { return known }
        let made = try form.template(sdid: sdid, selector: selector, key: privateKey)
        others.withLock { $0[form] = made }
        return made
    }

    /// Whether the next signature is to be verified: of RSA every one, of Ed25519 the first and then some.
    func nextIsChecked() -> Bool {
        guard algorithm == .ed25519SHA256 else { return true }
        return uses.wrappingAdd(1, ordering: .relaxed).oldValue % Self.ed25519CheckInterval == 0
    }
}
