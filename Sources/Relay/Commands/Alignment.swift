// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

import DKIM
import DNS
import Mail

/// Alignment is in charge of whether the domain of a signature and the author domain belong together (RFC 9989 §4.4).
///
/// With DNS it asks for the organizational domains; without, it goes by the names and says so.
struct Alignment {
    private let author: Domain
    private var walk: TreeWalk?

    /// - Parameter resolver: nil goes by the names.
    init(author: Domain, resolver: (any Resolver)?) {
        self.author = author
        self.walk = resolver.map { TreeWalk($0) }
    }

    mutating func of(sdid: String) async -> AlignmentDocument {
        guard let sdid = Domain(sdid) else { return AlignmentDocument(.none, "d= is not a domain name") }
        if sdid == author { return AlignmentDocument(.exact, "d= is the domain of From") }
        guard walk != nil else { return byNames(sdid, "by the names alone, without DNS") }
        do throws(DNSError) {
            return try await byOrganization(sdid)
        } catch {
            let reason = if case .temporary(let text) = error { text } else { "no answer" }
            return AlignmentDocument(.unknown, "the DMARC records of \(author) and \(sdid) can't be had now: \(reason)")
        }
    }

    private mutating func byOrganization(_ sdid: Domain) async throws(DNSError) -> AlignmentDocument {
        guard var walk else { return byNames(sdid, "by the names alone, without DNS") }
        defer { self.walk = walk }
        let theirs = try await walk.organization(of: author)
        guard let record = theirs.record else { return byNames(sdid, "by the names: no DMARC record for \(author)") }
        if record.isStrict {
            return AlignmentDocument(
                .none, "the DMARC record for \(author) asks for adkim=s: d= must be \(author), and is \(sdid)")
        }
        let ours = try await walk.organization(of: sdid)
        guard ours.domain == theirs.domain else {
            return AlignmentDocument(
                .none,
                "the organizational domain of \(author) is \(theirs.domain), that of d= is \(ours.domain)")
        }
        return AlignmentDocument(.relaxed, "\(author) and d= have the organizational domain \(ours.domain)")
    }

    private func byNames(_ sdid: Domain, _ basis: String) -> AlignmentDocument {
        // A parent of one label is a top-level domain and nobody's own.
        if author.isEqualOrBelow(sdid), sdid.parent != nil {
            return AlignmentDocument(.relaxed, "d= is a parent of the domain of From, \(author) (\(basis))")
        }
        if sdid.isEqualOrBelow(author), author.parent != nil {
            return AlignmentDocument(.relaxed, "d= is below the domain of From, \(author) (\(basis))")
        }
        return AlignmentDocument(.none, "d= is neither \(author) nor above or below it (\(basis))")
    }
}

extension Alignment {
    /// The author domain of a message, or why it has none.
    static func author(of message: [UInt8]) -> Result<Domain, FilterError> {
        guard let header = try? HeaderFields(message) else {
            return .failure(FilterError(text: "the header section is malformed"))
        }
        let values = header.values(of: "From")
        guard let value = values.first, values.count == 1 else {
            return .failure(FilterError(text: "the message has \(values.count) From fields, where one must stand"))
        }
        do throws(AddressError) {
            let mailboxes = try AddressParser.mailboxes(in: value)
            let domains = Set(mailboxes.map(\.domain))
            // RFC 9989 §5.3.1: several mailboxes are one author if they share a domain.
            guard domains.count == 1, let domain = domains.first ?? nil else {
                return .failure(
                    FilterError(text: "From names \(mailboxes.count) mailboxes without one domain in common"))
            }
            return .success(domain)
        } catch {
            return .failure(FilterError(text: "the From field has \(error.reason)"))
        }
    }
}
