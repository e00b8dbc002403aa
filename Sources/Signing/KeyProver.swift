// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DKIM
package import DNS
internal import Mail

/// KeyProver is in charge of finding out whether the world can see a key: it asks every authoritative server of
/// the domain for the record and compares.
package struct KeyProver: Sendable {
    private let servers: AuthoritativeServers

    package init(_ servers: AuthoritativeServers) {
        self.servers = servers
    }

    /// - Parameter servers: asked instead of those that the DNS names, unless empty.
    package init(resolver: UnboundResolver, servers: [ServerAddress] = []) {
        self.init(AuthoritativeServers(resolver: resolver, servers: servers))
    }

    /// What the servers say together.
    enum Proof: Hashable, Sendable {
        /// Every server returns the public key.
        ///
        /// Which servers, in one line.
        case published(evidence: String, warnings: [String])
        /// What is missing and where, in lines.
        case notPublished(reason: String)
    }

    func prove(_ key: KeyDescription) async -> Proof {
        let answers: [ServerAnswer]
        do throws(DNSError) {
            answers = try await servers.answers(toTXT: key.recordName, in: key.domain)
        } catch {
            return .notPublished(reason: "The name servers of \(key.domain) can't be found: \(Self.text(of: error)).")
        }
        return Self.judge(answers, key)
    }

    static func judge(_ answers: [ServerAnswer], _ key: KeyDescription) -> Proof {
        guard !answers.isEmpty else {
            return .notPublished(reason: "No name server of \(key.domain) has an address.")
        }
        let findings = answers.map { (server: $0.server, finding: finding($0.kind, key)) }
        let wrong = findings.compactMap { item in item.finding.problem.map { "  \(item.server): \($0)" } }
        guard wrong.isEmpty else {
            return .notPublished(
                reason: wrong.joined(separator: "\n")
                    + "\nExpected at every server, as the only record:\n  \(key.record)")
        }
        let warnings = findings.compactMap { item in item.finding.warning.map { "\(item.server): \($0)" } }
        return .published(
            evidence: "published at " + answers.map(\.server).joined(separator: ", "), warnings: warnings)
    }

    /// Both nil: just what it should be.
    private static func finding(_ kind: ServerAnswer.Kind, _ key: KeyDescription) -> (
        problem: String?, warning: String?
    ) {
        switch kind {
        case .nameError: ("the name \(key.recordName) does not exist", nil)
        case .noData: ("the name \(key.recordName) has no TXT record", nil)
        case .alias(let target): ("the name is an alias of \(target), where no record was found", nil)
        case .referral(let names): ("the server refers to \(names.joined(separator: ", "))", nil)
        case .failure(let reason): ("no answer: \(reason)", nil)
        case .unreachable(let reason): ("not reachable over UDP and TCP: \(reason)", nil)
        case .records(let texts): finding(records: texts, key)
        }
    }

    private static func finding(records texts: [[UInt8]], _ key: KeyDescription) -> (problem: String?, warning: String?)
    {
        // RFC 6376 §3.6.2.2: with more than one record the result is undefined.
        guard texts.count == 1 else { return ("\(texts.count) TXT records where one must be", nil) }
        let found: KeyRecord
        do throws(KeyRecordError) {
            found = try KeyRecord(texts[0])
        } catch {
            return ("\(error); found: \(printable(texts[0]))", nil)
        }
        guard let ours = try? KeyRecord(key.record), let publicKey = ours.publicKey else {
            return ("key.json holds no valid record of this key", nil)
        }
        guard let theirs = found.publicKey else { return ("the record is revoked (p= is empty)", nil) }
        guard theirs == publicKey else { return ("another public key; found: \(printable(texts[0]))", nil) }
        guard found.allowsMail else {
            return ("the record does not allow mail signed with SHA-256; found: \(printable(texts[0]))", nil)
        }
        // RFC 6376 §3.6.1: verifiers may treat such mail as unsigned.
        return (
            nil,
            found.isTesting ? "the record says t=y (testing): receivers may ignore signatures until it is removed" : nil
        )
    }

    /// What a server sent, safe on a terminal.
    static func printable(_ octets: [UInt8]) -> String {
        let shown = octets.prefix(1000).map { (32...126).contains($0) ? $0 : UInt8(ascii: "?") }
        return String(decoding: shown, as: UTF8.self) + (octets.count > 1000 ? "..." : "")
    }

    private static func text(of error: DNSError) -> String {
        switch error {
        case .temporary(let text): text
        case .nameError: "the name does not exist"
        case .noData: "the name has no such record"
        }
    }
}
