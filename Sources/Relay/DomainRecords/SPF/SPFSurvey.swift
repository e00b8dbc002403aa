// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS

/// SPFSurvey is in charge of what an SPF record comes to as a whole, whoever sends: every record that it leads to is
/// read, and the terms that ask the DNS are counted as for a host that none of them matches.
struct SPFSurvey {
    /// Records read, so that no tree of strangers' records takes for ever.
    private static let maximumRecords = 40
    /// RFC 7208 §11.5.3: networks this wide are nobody's own.
    private static let widestPrefixes = (ipv4: 8, ipv6: 16)

    private let lookup: RecordLookup
    /// Terms that ask the DNS, of all records (RFC 7208 §4.6.4).
    private(set) var lookups = 0
    /// Those of them that find nothing.
    private(set) var voidTerms: [String] = []
    /// Whose records count as one's own: the targets of `include` with a pass, and of `redirect`.
    private(set) var admitted: Set<String> = []
    /// What makes receivers answer permerror, or admit everybody, in lines.
    private(set) var problems: [String] = []
    /// What is unwise, or could not be looked up, in lines.
    private(set) var warnings: [String] = []
    private var path: [String] = []
    private var recordCount = 0

    init(_ lookup: RecordLookup) {
        self.lookup = lookup
    }

    /// Walks through the records, from the domain's own on.
    mutating func take(_ record: SPFRecord, of domain: String) async {
        await walk(record, of: domain.lowercased())
        if lookups > SPFEvaluation.maximumLookups {
            problems.append(
                "\(lookups) terms ask the DNS, and \(SPFEvaluation.maximumLookups) may: receivers answer permerror; "
                    + "leave out what no longer sends mail, or name networks with ip4: and ip6:")
        }
        if voidTerms.count > SPFEvaluation.maximumVoidLookups {
            problems.append(
                "\(voidTerms.count) terms find nothing in the DNS, and \(SPFEvaluation.maximumVoidLookups) may: remove "
                    + voidTerms.joined(separator: ", "))
        } else {
            warnings += voidTerms.map { "\($0) finds nothing in the DNS: remove it" }
        }
    }

    private mutating func walk(_ record: SPFRecord, of domain: String, isAdmitting: Bool = true) async {
        path.append(domain)
        for directive in record.reachable {
            let term = "\(directive.text) of \(domain)"
            if directive.mechanism.takesLookup { lookups += 1 }
            judgeWidth(directive, term, isAdmitting)
            await follow(directive, term, domain, isAdmitting)
        }
        if let redirect = record.effectiveRedirect {
            lookups += 1
            await follow(redirect, "redirect= of \(domain)", domain, isAdmitting)
        } else if path.count == 1, record.reachable.last?.mechanism != .all {
            warnings.append("the record has no all at its end: what no term matches is neutral; end it with ~all")
        }
        path.removeLast()
    }

    /// Terms that admit everybody.
    private mutating func judgeWidth(_ directive: SPFRecord.Directive, _ term: String, _ isAdmitting: Bool) {
        switch (directive.mechanism, directive.qualifier) {
        case (.all, .pass) where isAdmitting:
            problems.append("\(term) lets every host of the world send as \(path[0]): write ~all")
        case (.all, .neutral) where path.count == 1:
            warnings.append("\(term) says nothing about hosts that no term names: write ~all")
        case (.network(let address, let prefix), .pass) where isAdmitting:
            let widest = address.isIPv6 ? Self.widestPrefixes.ipv6 : Self.widestPrefixes.ipv4
            if prefix < widest { problems.append("\(term) lets a large part of the world send as \(path[0])") }
        case (.ptr, _):
            // RFC 7208 §5.5.
            warnings.append("\(term) is slow and unreliable, and should not be used: name hosts or networks instead")
        default: break
        }
    }

    private mutating func follow(
        _ directive: SPFRecord.Directive, _ term: String, _ domain: String, _ isAdmitting: Bool
    ) async {
        switch directive.mechanism {
        case .include(let name):
            await follow(name, term, domain, isAdmitting && directive.qualifier == .pass)
        case .a(let name, _):
            guard let host = name.map(\.constant) ?? domain else { return }
            do throws(DNSError) {
                _ = try await lookup.addresses(host)
            } catch {
                noteFailure(error, term)
            }
        case .mx(let name, _):
            guard let host = name.map(\.constant) ?? domain else { return }
            await followMX(host, term)
        case .all, .ptr, .network, .exists: return
        }
    }

    private mutating func followMX(_ host: String, _ term: String) async {
        do throws(DNSError) {
            switch try await lookup.mx(host) {
            case .records(let records) where records.count > SPFEvaluation.maximumHosts:
                problems.append("\(term) has \(records.count) hosts, and \(SPFEvaluation.maximumHosts) are allowed")
            case .records: return
            case .nullMX, .noData: noteFailure(.noData, term)
            case .nameError: noteFailure(.nameError, term)
            }
        } catch {
            noteFailure(error, term)
        }
    }

    private mutating func noteFailure(_ error: DNSError, _ term: String) {
        if case .temporary(let text) = error {
            warnings.append("\(term) can't be looked up: \(text)")
        } else {
            voidTerms.append(term)
        }
    }

    /// Reads another domain's record.
    ///
    /// Names that depend on the message can't be followed.
    private mutating func follow(
        _ name: SPFMacroString, _ term: String, _ domain: String, _ isAdmitting: Bool
    ) async {
        guard let target = name.constant?.lowercased() else { return }
        if isAdmitting { admitted.insert(target.hasSuffix(".") ? String(target.dropLast()) : target) }
        guard !path.contains(target) else {
            problems.append("\(term) leads back to \(target): receivers answer permerror")
            return
        }
        recordCount += 1
        guard recordCount <= Self.maximumRecords else { return }
        let texts: [[UInt8]]
        do throws(DNSError) {
            guard case .records(let found) = try await lookup.txt(target) else {
                problems.append("\(term) leads to a name without an SPF record: receivers answer permerror; remove it")
                return
            }
            texts = found.filter(SPFRecord.isRecord)
        } catch {
            warnings.append("\(term) can't be looked up: \(error.text)")
            return
        }
        guard let text = texts.first, texts.count == 1 else {
            problems.append("\(term) leads to \(texts.count) SPF records where one must be: receivers answer permerror")
            return
        }
        do throws(SPFSyntaxError) {
            await walk(try SPFRecord(text), of: target, isAdmitting: isAdmitting)
        } catch {
            problems.append("\(term) leads to a malformed record, and receivers answer permerror: \(error.text)")
        }
    }
}
