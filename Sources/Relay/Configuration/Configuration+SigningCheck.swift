// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import Mail
import Signing

/// What would make signatures that break, or mail that leaves unsigned by accident.
extension ConfigurationChecker {
    mutating func checkSigning() {
        checkFields(configuration.signing.signatures, at: [.key("signing")])
        for (index, domain) in configuration.domains.enumerated() {
            let path: [KeyLocator.Step] = [.key("domain"), .index(index)]
            checkFields(domain.signatures, at: path)
            checkAlgorithms(domain, at: path)
            checkReach(domain, at: path)
        }
        for (index, route) in configuration.routes.enumerated() {
            let path: [KeyLocator.Step] = [.key("route"), .index(index)]
            checkFields(route.signatures, at: path)
            checkProfile(route, at: path)
            checkRules(route, at: path)
        }
    }

    // MARK: - Fields

    /// Names that no signature can hold on to, whatever the next hop.
    private mutating func checkFields(_ signatures: SignatureOverrides, at path: [KeyLocator.Step]) {
        for (key, names) in signatures.namedFields {
            for (place, name) in names.enumerated() {
                let path = path + [.key(key), .index(place)]
                let isName = name.utf8.allSatisfy { (33...126).contains($0) && $0 != 0x3A && $0 != 0x3B }
                if name.isEmpty || !isName {
                    add(path, "\"\(name)\" is not the name of a header field", "Write one, such as \"Subject\"")
                } else if let reason = UnsignableField.reason(name) {
                    add(path, "\(name) can't be signed: \(reason)", "Take it out of the list")
                }
            }
        }
    }

    // MARK: - Domains

    private mutating func checkAlgorithms(_ domain: DomainSettings, at path: [KeyLocator.Step]) {
        let known = SigningPolicy.Algorithm.allCases.map(\.rawValue)
        for (place, name) in domain.algorithms.enumerated() where !known.contains(name) {
            add(
                path + [.key("algorithms"), .index(place)], "\"\(name)\" is no kind of key",
                "Write " + SettingKind.word(known).summary)
        }
    }

    private mutating func checkReach(_ domain: DomainSettings, at path: [KeyLocator.Step]) {
        guard let name = Domain(domain.name) else { return }
        if !domain.auid.isEmpty, !SignatureTemplate.isAUID(domain.auid, of: name.name) {
            add(
                path + [.key("auid")],
                "\"\(domain.auid)\" is not in \(name), and verifiers refuse an i= outside the domain that signs",
                "Write an address such as \"@\(name)\" or \"news@mail.\(name)\", or leave the setting out")
        }
        guard domain.signsBelow else { return }
        if domain.isUnsigned {
            add(
                path + [.key("subdomains")],
                "the keys of \(name) are to sign for the domains below it, and unsigned says that they sign nothing",
                "Remove one of the two; a domain below \(name) that is to go unsigned needs a [[domain]] table of its own"
            )
        }
        if name.parent == nil {
            add(
                path + [.key("subdomains")],
                "\(name) is a top-level domain: its signature aligns with nobody's From",
                "Name the domain that you registered, such as \"example.\(name)\"")
        }
    }

    // MARK: - Routes

    private mutating func checkProfile(_ route: RouteSettings, at path: [KeyLocator.Step]) {
        guard !route.profile.isEmpty else { return }
        let path = path + [.key("profile")]
        if route.mx, route.smarthost.isEmpty {
            add(
                path, "a profile describes a smarthost, and the route goes to the recipients' MX hosts",
                "Remove profile, or write smarthost = \"host:port\" in place of mx")
        }
        guard let smarthost = HostAndPort(route.smarthost, defaultPort: 25), route.profile != RouteProfile.ses.rawValue,
            RouteProfile.ses.isAt(smarthost.host.lowercased())
        else { return }
        add(
            path, "\(smarthost.host) is Amazon SES, whose rules \"\(route.profile)\" does not keep",
            "Write profile = \"ses\", or leave it out")
    }

    /// Settings of a route that its own next hop makes break.
    private mutating func checkRules(_ route: RouteSettings, at path: [KeyLocator.Step]) {
        guard let profile = route.knownProfile else { return }
        let (rules, name) = (profile.rules, "\"\(profile.rawValue)\"")
        if rules.maximumSignatures == 1 {
            if route.ed25519 == true {
                add(
                    path + [.key("ed25519")],
                    "a next hop of the profile \(name) refuses a message with two signatures, so none with Ed25519 can stand beside that with RSA",
                    "Remove ed25519 from the route")
            }
            if let existing = route.signatures.existingSignatures, existing != .strip {
                add(
                    path + [.key("existing-signatures")],
                    "a next hop of the profile \(name) refuses a message with two signatures, so those that it came in with can't stay",
                    "Write existing-signatures = \"strip\", or leave it out")
            }
        }
        for (key, names) in route.signatures.namedFields {
            for (place, field) in names.enumerated()
            where rules.rewrites(field) && UnsignableField.reason(field) == nil {
                add(
                    path + [.key(key), .index(place)],
                    "a next hop of the profile \(name) replaces or removes \(field), and a signature over it would break",
                    "Take it out of the list")
            }
        }
    }
}

extension SignatureOverrides {
    /// The lists of the operator's own, by their settings.
    fileprivate var namedFields: [(key: String, names: [String])] {
        var lists: [(key: String, names: [String])] = []
        if case .names(let names) = signedFields { lists.append(("sign", names)) }
        if case .names(let names) = oversignedFields { lists.append(("oversign", names)) }
        return lists
    }
}

/// Fields that change on the way by their nature.
private enum UnsignableField {
    static func reason(_ name: String) -> String? {
        switch name.lowercased() {
        case "dkim-signature": "signatures are made independently of each other (RFC 6376 §5.4)"
        case "received": "every host on the way adds one"
        case "return-path", "delivered-to", "x-original-to": "the receiving host writes it"
        case "bcc", "resent-bcc", "content-length": "it is removed before a message leaves"
        case "authentication-results", "arc-authentication-results", "arc-message-signature", "arc-seal":
            "hosts on the way add and remove it"
        default: nil
        }
    }
}
