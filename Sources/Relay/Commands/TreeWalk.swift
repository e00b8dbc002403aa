// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DNS
import Mail

/// TreeWalk is in charge of finding the organizational domain of a domain (RFC 9989 §4.10): it walks up the names and
/// looks for DMARC records; each name is asked once.
struct TreeWalk {
    /// As much of a DMARC record as decides alignment.
    struct Record: Hashable, Sendable {
        /// `psd=`: the name is a public suffix, or is the top of an organization; nil if it doesn't say.
        var isPublicSuffix: Bool?
        /// `adkim=s`: only the author domain itself is aligned.
        var isStrict: Bool
        /// As the DNS has it.
        var text: [UInt8]

        /// Nil if the text is no DMARC record (RFC 9989 §4.10 step 2: `v=DMARC1` stands first).
        init?(_ text: [UInt8]) {
            guard let tags = DMARCTags(String(decoding: text, as: UTF8.self)) else { return nil }
            self.text = text
            switch tags["psd"]?.lowercased() {
            case "y": isPublicSuffix = true
            case "n": isPublicSuffix = false
            default: isPublicSuffix = nil
            }
            isStrict = tags["adkim"]?.lowercased() == "s"
        }
    }

    /// Where a walk ended.
    struct Organization: Hashable, Sendable {
        var domain: Domain
        /// The record that decides for the domain where the walk began; nil if none was found on the way.
        var record: Record?
        /// The domain at whose `_dmarc` name that record stands.
        var place: Domain?
    }

    /// RFC 9989 §4.10: longer names are cut to this many labels after the first question.
    private static let maximumLabels = 7

    private let resolver: any Resolver
    private var asked: [Domain: [[UInt8]]] = [:]
    private(set) var questions: [String] = []

    init(_ resolver: any Resolver) {
        self.resolver = resolver
    }

    /// - Throws: `.temporary` if one of the questions has no answer now.
    mutating func organization(of start: Domain) async throws(DNSError) -> Organization {
        var found: [(domain: Domain, record: Record)] = []
        var name = start
        while true {
            if let record = try await record(at: name) {
                found.append((name, record))
                // RFC 9989 §4.10 step 3: a record that says what it is ends the walk.
                if record.isPublicSuffix != nil { break }
            }
            guard let next = TreeWalk.next(after: name) else { break }
            name = next
        }
        let domain = TreeWalk.choose(found, start)
        // RFC 9989 §4.10.1: the author domain's own record, else that of its organization, else the public suffix's.
        let deciding = found.first { $0.domain == start } ?? found.first { $0.domain == domain } ?? found.last
        return Organization(domain: domain, record: deciding?.record, place: deciding?.domain)
    }

    /// RFC 9989 §4.10.2.
    private static func choose(_ found: [(domain: Domain, record: Record)], _ start: Domain) -> Domain {
        guard let last = found.last else { return start }
        // A public suffix: the organization is the name below it. What is itself one is its own organization.
        if last.record.isPublicSuffix == true, last.domain != start {
            var name = start
            while let parent = name.parent, parent != last.domain { name = parent }
            return name
        }
        return last.domain
    }

    private static func next(after name: Domain) -> Domain? {
        guard var parent = name.parent else { return nil }
        while parent.name.utf8.count(where: { $0 == UInt8(ascii: ".") }) >= maximumLabels, let above = parent.parent {
            parent = above
        }
        return parent
    }

    private mutating func record(at domain: Domain) async throws(DNSError) -> Record? {
        let records = try await texts(at: domain).compactMap { Record($0) }
        // RFC 9989 §4.10 step 2: of several records none counts.
        return records.count == 1 ? records[0] : nil
    }

    /// All that stands at the name of a domain's DMARC record.
    mutating func texts(at domain: Domain) async throws(DNSError) -> [[UInt8]] {
        if let known = asked[domain] { return known }
        let name = "_dmarc.\(domain.name)"
        questions.append(name)
        var found: [[UInt8]] = []
        if Domain(name) != nil, case .records(let texts) = try await resolver.txt(name) { found = texts }
        asked[domain] = found
        return found
    }
}
