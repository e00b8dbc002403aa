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

    /// What all the servers show at the key's record name now.
    package func look(at key: KeyDescription) async -> KeyEvidence {
        Self.judge(await servers.report(onTXT: key.recordName, in: key.domain), key)
    }

    /// How what a server says stands to the key.
    enum Standing: Hashable, Sendable {
        case published, revoked, absent, wrong
        /// The server said nothing, at least over one transport.
        case unasked
    }

    /// What is found at one server.
    ///
    /// Both texts nil: just what it should be.
    struct Finding: Hashable, Sendable {
        var standing: Standing
        var problem: String?
        var warning: String?
        /// A wildcard record gave what was found.
        var isWildcard = false

        init(_ standing: Standing, _ problem: String? = nil, warning: String? = nil, isWildcard: Bool = false) {
            self.standing = standing
            self.problem = problem
            self.warning = warning
            self.isWildcard = isWildcard
        }
    }

    static func judge(_ report: TextReport, _ key: KeyDescription) -> KeyEvidence {
        var standings: Set<Standing> = []
        var findings: [String] = []
        var warnings: [String] = []
        var asked: [String] = []
        var isWildcard = false
        for (index, step) in report.steps.enumerated() {
            let isLast = index == report.steps.count - 1
            for answer in step.answers {
                if answer.hasNoRoute, isAskedElsewhere(answer, step) {
                    warnings.append("\(answer.server): not asked, this machine has no route to it (IPv6?)")
                    continue
                }
                let all =
                    isLast && report.end == .answered
                    ? Self.findings(answer, step.name, key) : silences(answer)
                let place = answer.server + (step.name == key.recordName ? "" : ", asked for \(printable(step.name))")
                standings.formUnion(all.map(\.standing))
                findings += all.compactMap { finding in finding.problem.map { "\(place): \($0)" } }
                warnings += all.compactMap { finding in finding.warning.map { "\(place): \($0)" } }
                if isLast { asked.append(answer.server) }
                if all.contains(where: \.isWildcard) { isWildcard = true }
            }
        }
        if let end = finding(report, key) {
            standings.insert(end.standing)
            findings += [end.problem].compactMap { $0 }
        }
        if let led = finding(ledByWildcard: report, standings, key) {
            standings = led.standings.union([led.finding.standing])
            findings += [led.finding.problem].compactMap { $0 }
        }
        let verdict = verdict(standings)
        var evidence = KeyEvidence(
            verdict, summary: summary(verdict, asked, report, findings),
            findings: findings, warnings: warnings, recordTTL: report.recordTTL.map(Int64.init),
            negativeTTL: report.negativeTTL.map(Int64.init), zone: report.zone.map { printable($0) })
        if isWildcard { evidence.isWildcard = true }
        return evidence
    }

    private static func verdict(_ standings: Set<Standing>) -> KeyEvidence.Verdict {
        switch standings {
        case [.published]: .published
        case [.revoked]: .revoked
        case [.absent]: .absent
        case [], [.unasked], [.published, .unasked]: .unknown
        default: .wrong
        }
    }

    private static func summary(
        _ verdict: KeyEvidence.Verdict, _ asked: [String], _ report: TextReport, _ findings: [String]
    ) -> String {
        let servers = asked.joined(separator: ", ")
        let behind = report.aliases.last.map { " (behind the alias, at \(printable($0)))" } ?? ""
        switch verdict {
        case .published: return "published at \(servers)\(behind)"
        case .revoked: return "revoked at \(servers)\(behind)"
        case .absent: return "no record at \(servers)\(behind)"
        case .wrong, .unknown:
            let more = findings.count > 1 ? " (and \(findings.count - 1) more)" : ""
            return (findings.first ?? "no name server could be asked") + more
        }
    }

    /// Whether the server could be asked at another of its addresses.
    private static func isAskedElsewhere(_ answer: ServerAnswer, _ step: TextReport.Step) -> Bool {
        guard let host = answer.host else { return false }
        return step.answers.contains { $0.host == host && !$0.hasNoRoute }
    }

    /// What was found on the way, apart from servers.
    private static func finding(_ report: TextReport, _ key: KeyDescription) -> Finding? {
        let last = printable(report.steps.last?.name ?? key.domain)
        switch report.end {
        case .answered:
            let isDoubled = report.doubled.contains { finding(records: [$0], key).standing == .published }
            guard isDoubled, let zone = report.zone else {
                return report.steps.last?.answers.isEmpty == true
                    ? Finding(.unasked, "no name server of \(report.zone ?? key.domain) has an address") : nil
            }
            let short = last.hasSuffix("." + zone) ? String(last.dropLast(zone.count + 1)) : last
            return Finding(
                .absent,
                "the record stands at \(last).\(zone): the form adds the zone by itself, so enter only "
                    + "\(short) as its name")
        case .circle(let name):
            return Finding(
                .wrong,
                "\(key.recordName): its aliases lead in a circle, back to \(printable(name)): "
                    + "correct the CNAME records")
        case .tooManySteps:
            return Finding(
                .wrong,
                "\(key.recordName): too many aliases and zones on the way, the last at \(last): "
                    + "let its CNAME record name the record itself")
        case .serversNotFound(let name, let reason):
            let what = "the name servers of \(printable(name)) can't be found: \(printable(reason))"
            return Finding(
                .unasked,
                report.steps.isEmpty
                    ? what
                    : "\(key.recordName) is an alias of \(printable(name)): \(what): correct the CNAME record")
        }
    }

    private static func printable(_ text: String) -> String { PrintableText.of(text, limit: 255) }
}
