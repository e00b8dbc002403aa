// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

package import Mail

extension PublisherSettings.Delegation {
    /// The name that holds the record: `<selector>.<domain>.<zone>`.
    package func target(of selector: Selector, in domain: Domain) -> String {
        "\(selector).\(domain).\(zone)"
    }
}

extension Publisher {
    /// An alias of a record name for good (RFC 1034 §3.6.2): the operator makes it once, and keys rotate behind it.
    package struct Alias: Hashable, Sendable {
        package var name: String
        package var target: String
    }

    /// The only selectors that the domain's keys may have; nil: any.
    package func fixedSelectors(isEd25519: Bool) -> [Selector]? {
        guard let delegation = settings?.delegation else { return nil }
        return isEd25519 ? delegation.ed25519Selectors : delegation.rsaSelectors
    }

    /// The CNAME records that a domain needs; none without delegation.
    package func delegationRecords(for domain: Domain) -> [Alias] {
        guard let delegation = settings?.delegation else { return [] }
        return (delegation.rsaSelectors + delegation.ed25519Selectors).map { selector in
            Alias(name: selector.recordName(in: domain), target: delegation.target(of: selector, in: domain))
        }
    }

    /// What the operator has to do once, for people; nil without delegation.
    package func delegationHint(for domain: Domain) -> String? {
        let aliases = delegationRecords(for: domain)
        guard let delegation = settings?.delegation, !aliases.isEmpty else { return nil }
        let fields = aliases.map { alias in
            """
            \(WebForm.name(TextRecord(name: alias.name, text: "")))
            Type:   CNAME
            Target: \(alias.target)

            """
        }
        return """
            Create these CNAME records once; the keys behind them rotate in \(delegation.zone) without you:

            \(fields.joined(separator: "\n"))
            In a zone file:
            \(delegationEntries(for: domain))
            """
    }

    /// The CNAME records as entries of a zone file (RFC 1035 §5.1).
    package func delegationEntries(for domain: Domain) -> String {
        delegationRecords(for: domain).map { alias in
            "\(alias.name). \(TextRecord.standardTTL) IN CNAME \(alias.target).\n"
        }.joined()
    }
}
