// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail

/// ReceivingCheck is in charge of what the domain needs to get answers, bounces and reports: MX hosts, and the records
/// about TLS that are there for its choosing.
struct ReceivingCheck {
    private let records: DomainRecords
    private let lookup: RecordLookup

    init(_ records: DomainRecords, _ lookup: RecordLookup) {
        self.records = records
        self.lookup = lookup
    }

    func findings() async -> [RecordFinding] {
        async let mx = mailExchangers()
        async let policy = policy()
        async let reports = reports()
        return await [mx] + policy + [reports]
    }

    // MARK: MX

    /// Receivers refuse a reverse-path that no bounce could go to.
    private func mailExchangers() async -> RecordFinding {
        let name = records.domain.name
        do throws(DNSError) {
            switch try await lookup.mx(name) {
            case .records(let hosts):
                return RecordFinding(
                    .mx, .ok, name, "answers and bounces have a place to go",
                    found: hosts.map { "\($0.preference) \($0.host)" })
            case .nullMX:
                // RFC 7505 §4.2.
                return RecordFinding(
                    .mx, .problem, name,
                    "the domain says that it takes no mail (RFC 7505), and many receivers refuse mail of such a domain",
                    remedy: "Publish MX records of hosts that take its mail.")
            case .noData, .nameError:
                let addresses = try await lookup.addresses(name)
                return RecordFinding(
                    .mx, .warning, name, "there is no MX record, and the domain's address stands in (RFC 5321 §5.1)",
                    found: addresses.map(\.description), remedy: "Publish MX records of hosts that take its mail.")
            }
        } catch {
            if case .temporary(let reason) = error { return .unanswered(.mx, name, reason) }
            return RecordFinding(
                .mx, .problem, name,
                "the domain has neither MX record nor address: receivers refuse mail that can't be answered",
                remedy: "Publish MX records of hosts that take its mail.")
        }
    }

    // MARK: MTA-STS and TLSRPT

    private func texts(at name: String, beginning start: String) async throws(DNSError) -> [[UInt8]] {
        guard Domain(name) != nil, case .records(let texts) = try await lookup.txt(name) else { return [] }
        return texts.filter { $0.starts(with: Array(start.utf8)) }
    }

    /// RFC 8461 §3.1.
    private func policy() async -> [RecordFinding] {
        let name = "_mta-sts.\(records.domain)"
        do throws(DNSError) {
            let texts = try await texts(at: name, beginning: "v=STSv1")
            if texts.isEmpty { return [RecordFinding(.mtaSTS, .ok, name, "not there; it is optional")] }
            let found = RecordFinding.printable(texts)
            if let reason = Self.fault(policy: texts) {
                return [
                    RecordFinding(
                        .mtaSTS, .warning, name, "\(reason): others take it as if there were none", found: found,
                        remedy: "Write one record such as v=STSv1; id=20260101.")
                ]
            }
            do throws(DNSError) {
                _ = try await lookup.addresses("mta-sts.\(records.domain)")
            } catch {
                if case .temporary = error { throw error }
                return [
                    RecordFinding(
                        .mtaSTS, .warning, name,
                        "the record is there, but mta-sts.\(records.domain), which holds the policy, has no address",
                        found: found, remedy: "Publish the policy at that host, or remove the record.")
                ]
            }
            return [RecordFinding(.mtaSTS, .ok, name, "well-formed; the policy itself was not fetched", found: found)]
        } catch {
            return [.unanswered(.mtaSTS, name, error.text, isRequired: false)]
        }
    }

    /// RFC 8460 §3.
    private func reports() async -> RecordFinding {
        let name = "_smtp._tls.\(records.domain)"
        do throws(DNSError) {
            let texts = try await texts(at: name, beginning: "v=TLSRPTv1")
            if texts.isEmpty { return RecordFinding(.tlsrpt, .ok, name, "not there; it is optional") }
            let found = RecordFinding.printable(texts)
            guard let reason = Self.fault(reports: texts) else {
                return RecordFinding(.tlsrpt, .ok, name, "well-formed", found: found)
            }
            return RecordFinding(
                .tlsrpt, .warning, name, "\(reason): others take it as if there were none", found: found,
                remedy: "Write one record such as v=TLSRPTv1; rua=mailto:tls-reports@\(records.domain).")
        } catch {
            return .unanswered(.tlsrpt, name, error.text, isRequired: false)
        }
    }

    /// RFC 8461 §3.1: one record, and an id of 1 to 32 letters and digits.
    static func fault(policy texts: [[UInt8]]) -> String? {
        guard let text = texts.first, texts.count == 1 else { return "\(texts.count) records where one must be" }
        let fields = fields(of: text)
        guard fields.first?.value == "STSv1" else { return "it does not begin with v=STSv1 and a semicolon" }
        guard let identifier = fields.first(where: { $0.name == "id" })?.value else { return "it has no id=" }
        let isPlain = identifier.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) }
        return isPlain && (1...32).contains(identifier.utf8.count)
            ? nil : "its id= is not made of 1 to 32 letters and digits"
    }

    /// RFC 8460 §3: one record, and `mailto:` or `https:` addresses.
    static func fault(reports texts: [[UInt8]]) -> String? {
        guard let text = texts.first, texts.count == 1 else { return "\(texts.count) records where one must be" }
        let fields = fields(of: text)
        guard fields.first?.value == "TLSRPTv1" else { return "it does not begin with v=TLSRPTv1 and a semicolon" }
        guard let places = fields.first(where: { $0.name == "rua" })?.value else { return "it has no rua=" }
        let isSound = places.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { place in
            let place = place.drop { $0 == " " }.lowercased()
            return place.hasPrefix("https://") || place.hasPrefix("mailto:") && place.contains("@")
        }
        return isSound ? nil : "its rua= has something else than mailto: and https: addresses"
    }

    private static func fields(of text: [UInt8]) -> [(name: String, value: String)] {
        String(decoding: text, as: UTF8.self).split(separator: ";").compactMap { field in
            guard let sign = field.firstIndex(of: "=") else { return nil }
            return (DMARCTags.trim(field[..<sign]), DMARCTags.trim(field[field.index(after: sign)...]))
        }
    }
}
