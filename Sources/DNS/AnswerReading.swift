// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

/// AnswerReading makes statements out of replies: rcode, AA flag and records.
///
/// Only authoritative data counts.
enum AnswerReading {
    /// What `outcome` says of the text records of `name`.
    ///
    /// - Parameter zone: the one whose servers were asked, as far as it is known: a referral must lead below it.
    static func kind(_ outcome: Exchange.Outcome, name: String, zone: String?) -> ServerAnswer.Kind {
        switch outcome {
        case .unreachable(let reason): return .unreachable(reason)
        case .noRoute(let reason): return .noRoute(reason)
        case .reply(let octets):
            guard let reply = ReplyMessage(octets) else { return .failure(.malformed) }
            return kind(reply, name: name, zone: zone)
        }
    }

    private static func kind(_ reply: ReplyMessage, name: String, zone: String?) -> ServerAnswer.Kind {
        switch reply.code {
        case .noError, .nameError: break
        case .serverFailure: return .failure(.serverFailure)
        case .refused: return .failure(.refused)
        case .notAuthoritative: return .failure(.notAuthoritative)
        default: return .failure(.code(reply.codeText))
        }
        if reply.isTruncated { return .truncated }
        guard reply.isAuthoritative else { return referral(reply, name: name, zone: zone) }
        // RFC 1035 §4.1.1: AA speaks of the first owner. What stands behind an alias is asked of its own servers.
        if let alias = reply.answers(.cname, of: name).first {
            guard let target = alias.fields.first.flatMap({ RecordData.name($0) }) else { return .failure(.malformed) }
            return .alias(target, ttl: alias.ttl)
        }
        let texts = reply.answers(.txt, of: name)
        if !texts.isEmpty {
            // Each field is one character-string with its length before it.
            return .records(
                texts.map { record in Array(record.fields.map { $0.dropFirst() }.joined()) },
                ttl: texts.map(\.ttl).max() ?? 0)
        }
        return reply.code == .nameError ? .nameError : .noData
    }

    private static func referral(_ reply: ReplyMessage, name: String, zone: String?) -> ServerAnswer.Kind {
        let records = reply.authority.filter { $0.type == RecordType.ns.rawValue }
        guard reply.code == .noError, reply.answer.isEmpty, let child = records.first?.owner,
            records.allSatisfy({ $0.owner == child }), !child.isEmpty, contains(child, name),
            // Up or in a circle: the server does not know the zone.
            zone.map({ child != $0 && contains($0, child) }) ?? true
        else { return .failure(.notAuthoritative) }
        return .referral(child, servers: records.compactMap { $0.fields.first.flatMap { RecordData.name($0) } })
    }

    /// The SOA record of the zone that holds `name`, from a reply to a question about it.
    static func authority(_ outcome: Exchange.Outcome, of name: String) -> StartOfAuthority? {
        guard case .reply(let octets) = outcome, let reply = ReplyMessage(octets) else { return nil }
        return authority(reply, of: name)
    }

    static func authority(_ reply: ReplyMessage, of name: String) -> StartOfAuthority? {
        guard reply.isAuthoritative, reply.code == .noError || reply.code == .nameError else { return nil }
        for record in reply.answer + reply.authority
        where record.type == RecordType.soa.rawValue && contains(record.owner, name) {
            // MNAME, RNAME, SERIAL, REFRESH, RETRY, EXPIRE, MINIMUM
            guard record.fields.count == 7, let primary = RecordData.name(record.fields[0]),
                let serial = number(record.fields[2]), let minimum = number(record.fields[6])
            else { continue }
            return StartOfAuthority(
                zone: record.owner, primary: primary, serial: serial, minimum: minimum, ttl: record.ttl)
        }
        return nil
    }

    private static func number(_ octets: [UInt8]) -> UInt32? {
        octets.count == 4 ? octets.reduce(0) { $0 << 8 | UInt32($1) } : nil
    }

    /// Whether `name` is `zone` or below it.
    static func contains(_ zone: String, _ name: String) -> Bool {
        zone.isEmpty || name == zone || name.hasSuffix("." + zone)
    }
}
