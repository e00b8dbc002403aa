// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import FoundationEssentials
internal import Mail

/// What `waxwing keys list` and `waxwing keys show` print.
extension KeyCommands {
    func list(_ request: KeyRequest) throws(KeyError) -> KeyResponse {
        let domains = request.domain == nil ? try store.domains() : [try domain(request)]
        var text = ""
        var warnings = store.warnings()
        for domain in domains {
            let entries = try store.keys(of: domain)
            guard !entries.isEmpty else { continue }
            text += "\(domain)\n"
            for entry in entries {
                switch entry.description {
                case .success(let key):
                    text += "  \(line(key))\n"
                    do { _ = try store.privateKey(of: key) } catch { warnings.append(error.text) }
                case .failure(let error):
                    text += "  \(entry.selector)  damaged\n"
                    warnings.append(error.text)
                }
            }
        }
        if text.isEmpty {
            let whose = request.domain.map { " of \($0)" } ?? ""
            text = "There is no key\(whose) in \(store.directory). Make one with: waxwing keys generate DOMAIN\n"
            if domains.count == 1, request.domain != nil, let signer = signer(above: domains[0]) {
                text = "There is no key\(whose). Its mail is signed with the keys of \(signer).\n"
            }
        }
        return KeyResponse(text: text, warnings: warnings)
    }

    private func line(_ key: KeyDescription) -> String {
        func column(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        let since = key.history.last.map { "since \($0.time.formatted(.iso8601.year().month().day()))" } ?? ""
        var line =
            "\(column(key.selector, 20))  \(column(key.algorithm, 8))  \(column(key.state.rawValue, 11))  \(since)"
        if key.isUnproven {
            let user = key.history.last { $0.isUnproven == true }?.by ?? "unknown"
            line += "  unproven (forced by \(KeyProver.printable(Array(user.utf8))))"
        }
        return line
    }

    func show(_ request: KeyRequest) throws(KeyError) -> KeyResponse {
        let domain = try domain(request)
        let keys: [KeyDescription]
        if let selector = try selector(request) {
            keys = [try store.description(of: selector, in: domain)]
        } else {
            keys = try descriptions(of: domain).filter { $0.state != .removed }
        }
        guard !keys.isEmpty else {
            if let signer = signer(above: domain) {
                throw KeyError(
                    "there is no key of \(domain): its mail is signed with the keys of \(signer), which "
                        + "`waxwing keys show \(signer)` prints")
            }
            throw KeyError("there is no key of \(domain): run `waxwing keys generate \(domain)`")
        }
        switch request.format {
        case .plain: return KeyResponse(text: keys.map(RecordText.plain).joined())
        case .bind: return KeyResponse(text: keys.map(RecordText.bind).joined())
        case nil:
            let sections = keys.map { "\(line($0))\n\n\(RecordText.forms($0))" }
            return KeyResponse(text: sections.joined(separator: "\n"))
        }
    }

    // MARK: What the policies say

    /// The domain above whose keys sign for this one, as far as keys are there.
    private func signer(above domain: Domain) -> Domain? {
        policies().sdids(for: domain).dropFirst().first { above in
            (try? store.keys(of: above))?.contains { (try? $0.description.get())?.state == .active } ?? false
        }
    }

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
