// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS

/// What a receiver makes of a host that names a domain in MAIL (RFC 7208 §2.6).
struct SPFOutcome: Hashable, Sendable {
    enum Result: String, Hashable, Sendable {
        case none, neutral, pass, fail, softfail, temperror, permerror
    }

    var result: Result
    /// Which term of which record decided, or what is wrong, in one line.
    var reason: String
}

/// SPFEvaluation is in charge of one run of check_host() (RFC 7208 §4): whether a host may send mail of a domain.
///
/// All limits hold: ten terms that ask the DNS, two of them in vain, ten hosts of an `mx` or `ptr`.
struct SPFEvaluation {
    /// RFC 7208 §4.6.4.
    static let maximumLookups = 10
    static let maximumVoidLookups = 2
    static let maximumHosts = 10

    /// What ends the evaluation of all records at once.
    enum Stop: Error, Hashable, Sendable {
        case temporary(String)
        case permanent(String)
    }

    let lookup: RecordLookup
    let address: IPAddress
    let localPart: String
    let senderDomain: String
    let helo: String
    private var lookups = 0
    private var voidLookups = 0

    /// - Parameter sender: of MAIL; without a local-part it is `postmaster` (RFC 7208 §4.3).
    init(_ lookup: RecordLookup, address: IPAddress, sender: String, helo: String) {
        self.lookup = lookup
        self.address = address.unmapped
        self.helo = helo
        let at = sender.lastIndex(of: "@")
        let local = at.map { sender[..<$0] } ?? ""
        localPart = local.isEmpty ? "postmaster" : String(local)
        senderDomain = at.map { String(sender[sender.index(after: $0)...]) } ?? sender
    }

    /// For one sender after another use new values: the limits are those of one message.
    mutating func check() async -> SPFOutcome {
        do throws(Stop) {
            return try await evaluate(senderDomain)
        } catch {
            switch error {
            case .temporary(let text): return SPFOutcome(result: .temperror, reason: text)
            case .permanent(let text): return SPFOutcome(result: .permerror, reason: text)
            }
        }
    }

    private mutating func evaluate(_ domain: String) async throws(Stop) -> SPFOutcome {
        guard SPFName.isUsable(domain), let record = try await record(of: domain) else {
            return SPFOutcome(result: .none, reason: "\(domain) has no SPF record")
        }
        for directive in record.reachable {
            let term = "\(directive.text) of \(domain)"
            if directive.mechanism.takesLookup { try countLookup(term) }
            guard try await matches(directive.mechanism, term, domain) else { continue }
            return SPFOutcome(result: directive.qualifier.result, reason: "\(term) matches")
        }
        guard let redirect = record.effectiveRedirect else {
            // RFC 7208 §4.7.
            return SPFOutcome(result: .neutral, reason: "nothing in the record of \(domain) matches")
        }
        try countLookup("redirect= of \(domain)")
        let target = await expand(redirect, domain)
        let outcome = try await evaluate(target)
        // RFC 7208 §6.1.
        if outcome.result == .none { throw .permanent("redirect= of \(domain) leads to \(target), without a record") }
        return outcome
    }

    /// Nil if there is none (RFC 7208 §4.5).
    private func record(of domain: String) async throws(Stop) -> SPFRecord? {
        let answer: TXTAnswer
        do throws(DNSError) {
            answer = try await lookup.txt(domain)
        } catch {
            throw .temporary("the SPF record of \(domain) can't be looked up: \(error.text)")
        }
        guard case .records(let texts) = answer else { return nil }
        let records = texts.filter(SPFRecord.isRecord)
        guard let text = records.first else { return nil }
        guard records.count == 1 else {
            throw .permanent("\(domain) has \(records.count) SPF records where one must be")
        }
        do throws(SPFSyntaxError) {
            return try SPFRecord(text)
        } catch {
            throw .permanent("the SPF record of \(domain) is malformed: \(error.text)")
        }
    }

    private mutating func matches(
        _ mechanism: SPFRecord.Mechanism, _ term: String, _ domain: String
    ) async throws(Stop) -> Bool {
        switch mechanism {
        case .all: return true
        case .network(let network, let prefix): return address.matches(network, prefix: prefix)
        case .include(let name):
            let target = await expand(name, domain)
            // RFC 7208 §5.2: only a pass matches, and what can't be evaluated is our error.
            let outcome = try await evaluate(target)
            if outcome.result == .none { throw .permanent("\(term) leads to \(target), which has no SPF record") }
            return outcome.result == .pass
        case .a(let name, let prefixes):
            let hosts = try await addresses(of: await target(name, domain), term)
            return hosts.contains { prefixes.matches(address, $0) }
        case .mx(let name, let prefixes):
            for host in try await mailExchangers(of: await target(name, domain), term) {
                let hosts = try await addresses(of: host, term, countsVoid: false)
                if hosts.contains(where: { prefixes.matches(address, $0) }) { return true }
            }
            return false
        case .ptr(let name):
            let target = await target(name, domain)
            return await validatedNames().contains { SPFName.isEqualOrBelow($0, target) }
        case .exists(let name):
            // RFC 7208 §5.7: an IPv4 address, whatever the client's family.
            return try await addresses(of: await expand(name, domain), term, isIPv6: false).isEmpty == false
        }
    }

    // MARK: Questions

    private mutating func countLookup(_ term: String) throws(Stop) {
        lookups += 1
        guard lookups <= Self.maximumLookups else {
            throw .permanent("more than \(Self.maximumLookups) terms ask the DNS, \(term) is one too many")
        }
    }

    /// RFC 7208 §4.6.4: questions without any answer.
    private mutating func countVoid(_ term: String) throws(Stop) {
        voidLookups += 1
        guard voidLookups <= Self.maximumVoidLookups else {
            throw .permanent("more than \(Self.maximumVoidLookups) terms find nothing, \(term) is one too many")
        }
    }

    /// The addresses of a host, of the client's family unless another is given.
    private mutating func addresses(
        of host: String, _ term: String, countsVoid: Bool = true, isIPv6: Bool? = nil
    ) async throws(Stop) -> [IPAddress] {
        let isIPv6 = isIPv6 ?? address.isIPv6
        var found: [IPAddress] = []
        if SPFName.isQueryable(host) {
            do throws(DNSError) {
                found = try await lookup.addresses(host).filter { $0.isIPv6 == isIPv6 }
            } catch {
                if case .temporary(let text) = error { throw .temporary("\(term) can't be looked up: \(text)") }
            }
        }
        if found.isEmpty, countsVoid { try countVoid(term) }
        return found
    }

    private mutating func mailExchangers(of name: String, _ term: String) async throws(Stop) -> [String] {
        var answer = MXAnswer.nameError
        if SPFName.isQueryable(name) {
            do throws(DNSError) {
                answer = try await lookup.mx(name)
            } catch {
                throw .temporary("\(term) can't be looked up: \(error.text)")
            }
        }
        switch answer {
        case .records(let records):
            // RFC 7208 §4.6.4.
            guard records.count <= Self.maximumHosts else {
                throw .permanent("\(term) has \(records.count) hosts, and \(Self.maximumHosts) are allowed")
            }
            return records.map(\.host)
        case .nullMX: return []
        // RFC 7208 §5.4: the address of the domain itself does not stand in.
        case .noData, .nameError:
            try countVoid(term)
            return []
        }
    }

    /// The names of the client whose addresses lead back to it (RFC 7208 §5.5); errors are as no name.
    func validatedNames() async -> [String] {
        var validated: [String] = []
        do throws(DNSError) {
            for name in try await lookup.names(of: address).prefix(Self.maximumHosts) {
                guard let addresses = try? await lookup.addresses(name), addresses.contains(address) else { continue }
                validated.append(name)
            }
        } catch {
            return []
        }
        return validated
    }

    private func target(_ name: SPFMacroString?, _ domain: String) async -> String {
        guard let name else { return domain }
        return await expand(name, domain)
    }
}

extension SPFRecord.Qualifier {
    var result: SPFOutcome.Result {
        switch self {
        case .pass: .pass
        case .fail: .fail
        case .softfail: .softfail
        case .neutral: .neutral
        }
    }
}
