// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import DNS

/// What is found at one server, over both transports.
extension KeyProver {
    /// - Parameter name: the one asked, behind all aliases.
    static func findings(_ answer: ServerAnswer, _ name: String, _ key: KeyDescription) -> [Finding] {
        let statements = answer.statements
        if answer.isWildcard { return [wildcard(answer, key)] + silences(answer) }
        if statements.count < 2 { return statements.map { finding($0, name, key) } + silences(answer) }
        // RFC 7766 §5: what comes over UDP and over TCP is the same data.
        let both = [("UDP", answer.udp), ("TCP", answer.tcp)].map { transport, kind in
            let finding = finding(kind, name, key)
            let text = "over \(transport): \(finding.problem ?? "the key's own record")"
            return Finding(finding.standing, text, warning: finding.warning)
        }
        return both + [Finding(.wrong)]
    }

    /// What servers say that were led to by a wildcard's alias says nothing of the key's own name.
    ///
    /// Nil unless a wildcard led there.
    static func finding(ledByWildcard report: TextReport, _ standings: Set<Standing>, _ key: KeyDescription) -> (
        finding: Finding, standings: Set<Standing>
    )? {
        let way = report.steps.dropLast()
        guard way.contains(where: { step in step.answers.contains(where: \.isWildcard) }) else { return nil }
        let text =
            "a wildcard record (*) answers for every name, with an alias: publish the record at \(key.recordName) itself"
        if standings.contains(.published) { return (Finding(.wrong, text), standings) }
        return (Finding(.absent, text), Set(standings.map { $0 == .unasked ? .unasked : .absent }))
    }

    /// What a server left unanswered.
    static func silences(_ answer: ServerAnswer) -> [Finding] {
        let hasNoTCP = !answer.tcp.isStatement
        // Too long for UDP is no fault where TCP holds it.
        let hasNoUDP = !answer.udp.isStatement && (hasNoTCP || answer.udp != .truncated)
        switch (hasNoUDP, hasNoTCP) {
        case (false, false):
            return []
        case (true, true) where answer.udp == answer.tcp:
            return [silence(answer.udp, over: "UDP and TCP")]
        case (true, true) where answer.udp == .truncated:
            return [silence(answer.tcp, over: "TCP, and it is too long for UDP")]
        case (true, true):
            return [silence(answer.udp, over: "UDP"), silence(answer.tcp, over: "TCP")]
        case (true, false):
            return [silence(answer.udp, over: "UDP")]
        case (false, true):
            return [silence(answer.tcp, over: "TCP")]
        }
    }

    private static func silence(_ kind: ServerAnswer.Kind, over transport: String) -> Finding {
        let text =
            switch kind {
            case .failure(.serverFailure):
                "SERVFAIL over \(transport): the server can't load the zone, or has no valid copy of it: see its log"
            case .failure(.refused):
                "REFUSED over \(transport): the server does not hold the zone, or does not answer us: "
                    + "let it, or take it out of the zone's NS records"
            case .failure(.notAuthoritative):
                "not authoritative over \(transport): the server does not hold the zone: "
                    + "let it, or take it out of the zone's NS records"
            case .failure(.malformed):
                "a malformed answer over \(transport): the server must be mended, or leave the zone's NS records"
            case .failure(.code(let code)):
                "\(code) over \(transport): the server must be mended, or leave the zone's NS records"
            case .noRoute(let reason):
                "not reachable over \(transport), this machine has no route to it (\(PrintableText.of(reason)))"
            case .unreachable(let reason):
                "not reachable, no answer over \(transport) (\(PrintableText.of(reason))): "
                    + (transport == "TCP"
                        ? "port 53 must be open for TCP too (RFC 7766)"
                        : "start the server, open its port, or take it out of the zone's NS records")
            default:
                "no answer over \(transport): the server must be mended, or leave the zone's NS records"
            }
        return Finding(.unasked, text)
    }

    private static func finding(_ kind: ServerAnswer.Kind, _ name: String, _ key: KeyDescription) -> Finding {
        let shown = PrintableText.of(name, limit: 255)
        let isAlias = name != key.recordName
        switch kind {
        case .nameError where isAlias:
            return Finding(
                .absent,
                "\(key.recordName) is an alias of \(shown), which does not exist: "
                    + "publish the record there, or correct the CNAME record")
        case .nameError:
            return Finding(
                .absent, "the name \(shown) does not exist: publish the record, or wait until this server has it")
        case .noData where isAlias:
            return Finding(
                .absent, "\(key.recordName) is an alias of \(shown), which has no TXT record: publish the record there")
        case .noData:
            return Finding(
                .absent, "the name \(shown) has no TXT record, only others: publish the record with the type TXT")
        case .records(let texts, _):
            return finding(records: texts, key)
        case .alias(let target, _):
            return Finding(
                .wrong,
                "the name \(shown) is an alias of \(PrintableText.of(target, limit: 255)), "
                    + "unlike at the other servers: wait until all have the same")
        case .referral(let zone, let servers):
            let names = PrintableText.of(servers.prefix(8).joined(separator: ", "), limit: 500)
            return Finding(
                .unasked,
                "the server refers to \(names) for \(PrintableText.of(zone, limit: 255)) and does not hold "
                    + "the record itself")
        case .truncated, .failure, .unreachable, .noRoute:
            return silence(kind, over: "UDP and TCP")
        }
    }

    /// What every name beside this one shows, too, is no record of the name's own.
    private static func wildcard(_ answer: ServerAnswer, _ key: KeyDescription) -> Finding {
        guard case .records(let texts, _) = answer.statements.first else {
            return Finding(
                .wrong,
                "a wildcard record (*) answers for every name, with an alias: "
                    + "publish the record at \(key.recordName) itself")
        }
        let found = finding(records: texts, key)
        switch found.standing {
        case .revoked:
            return Finding(
                .revoked,
                warning: "a wildcard record (*) says p= for every name, so it can't be seen "
                    + "whether \(key.recordName) has a record of its own", isWildcard: true)
        case .published:
            return Finding(
                .wrong,
                "a wildcard record (*) answers for every name, with this key: "
                    + "publish the record at \(key.recordName) itself and delete the wildcard record")
        default:
            let shown = PrintableText.of(texts.first ?? [])
            return Finding(
                .absent,
                "a wildcard record (*) answers for every name, and \(key.recordName) has no record of its own; "
                    + "found: \(shown): publish the record")
        }
    }
}
