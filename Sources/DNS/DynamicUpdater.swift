// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc

/// DynamicUpdater is in charge of changing a text record at a zone's primary server (RFC 2136), signed with TSIG.
///
/// It never touches what is somebody else's: it looks first, and the server makes the change only if the name is
/// still as it was seen.
package struct DynamicUpdater: Sendable {
    /// Names have no more labels (RFC 1035 §3.1).
    private static let maximumLabels = 128

    private let server: ServerAddress
    private let zone: String?
    private let key: TSIGKey?
    /// Seconds since 1970.
    private let now: @Sendable () -> UInt64

    /// - Parameters:
    ///   - zone: nil: the server is asked which of its zones holds the name.
    ///   - key: nil only for servers that go by the address.
    package init(server: ServerAddress, zone: String? = nil, key: TSIGKey? = nil) {
        self.init(server: server, zone: zone, key: key) { UInt64(max(0, time(nil))) }
    }

    init(server: ServerAddress, zone: String?, key: TSIGKey?, now: @escaping @Sendable () -> UInt64) {
        self.server = server
        self.zone = zone
        self.key = key
        self.now = now
    }

    /// Makes the name hold just what is wanted; one line that says what was done.
    package func perform(_ update: TextUpdate) async throws(UpdateError) -> String {
        guard let name = LdnsName.canonical(update.name) else {
            throw UpdateError(.invalid, "\(PrintableText.of(update.name)) is no domain name")
        }
        var update = update
        update.name = name
        do throws(UpdateError) {
            return try await attempt(update)
        } catch {
            guard error.kind == .changedMeanwhile else { throw error }
        }
        return try await attempt(update)
    }

    private func attempt(_ update: TextUpdate) async throws(UpdateError) -> String {
        let zone = try await zone(of: update.name)
        let standing = try await standing(at: update.name, in: zone)
        let plan = try UpdatePlan.make(update, standing: standing, server: "\(server)")
        switch plan {
        case .done(let text):
            return "\(server): \(text)"
        case .change(let text, let prerequisites, let updates):
            try check(try await change(update.name, zone, prerequisites, updates), update.name, zone: zone)
            return "\(server): \(text) in the zone \(zone)" + (key.map { ", by the key \($0.name)" } ?? "")
        }
    }

    // MARK: Looking

    private func zone(of name: String) async throws(UpdateError) -> String {
        if let zone {
            guard let zone = LdnsName.canonical(zone), AnswerReading.contains(zone, name) else {
                throw UpdateError(
                    .notZone, "\(name) is not in the zone \(PrintableText.of(zone)) of the publisher: correct its zone")
            }
            return zone
        }
        var labels = name.split(separator: ".").prefix(Self.maximumLabels)
        while !labels.isEmpty {
            let asked = labels.joined(separator: ".")
            let reply = try await ask(name: asked, .soa)
            if let zone = AnswerReading.authority(reply, of: asked)?.zone, !zone.isEmpty { return zone }
            // Below a zone cut the parent zone must not be changed.
            if !reply.isAuthoritative, reply.authority.contains(where: { $0.type == RecordType.ns.rawValue }) { break }
            labels = labels.dropFirst()
        }
        throw notAuthoritative(name)
    }

    private func standing(at name: String, in zone: String) async throws(UpdateError) -> UpdatePlan.Standing {
        let found = try await entries(at: name)
        let type: RecordType
        switch found {
        case .nothing: return .nothing
        case .alias: type = .cname
        case .texts: type = .txt
        }
        guard try await entries(at: AuthoritativeServers.sibling(of: name)) == found else { return found }
        // A wildcard gives it, or the name has its own that reads the same. Prerequisites count only what stands at
        // the name (RFC 4592 §2.2.1), so the server tells by a change of nothing.
        let reply = try await change(name, zone, [.missing(type)], [])
        if reply.code == .recordsExist { return found }
        try check(reply, name, zone: zone)
        return .nothing
    }

    private func entries(at name: String) async throws(UpdateError) -> UpdatePlan.Standing {
        let reply = try await ask(name: name, .txt)
        switch reply.code {
        case .noError, .nameError: break
        case .refused:
            throw UpdateError(
                .refused,
                "\(server) refuses to be asked for \(name) (REFUSED): name the primary server of the name's zone, and let it "
                    + "answer this machine")
        case .serverFailure: throw serverFailure(name)
        default:
            throw UpdateError(.serverFailure, "\(server) answered the question for \(name) with \(reply.codeText)")
        }
        guard reply.isAuthoritative else { throw notAuthoritative(name) }
        if let alias = reply.answers(.cname, of: name).first {
            return .alias(alias.fields.first.flatMap { RecordData.name($0) } ?? "")
        }
        let texts = reply.answers(.txt, of: name).map(\.fields)
        return texts.isEmpty ? .nothing : .texts(texts.sorted { $0.joined().lexicographicallyPrecedes($1.joined()) })
    }

    private func ask(name: String, _ type: RecordType) async throws(UpdateError) -> ReplyMessage {
        guard let message = QueryMessage.octets(name: name, type: type) else {
            throw UpdateError(.invalid, "\(PrintableText.of(name)) is no domain name")
        }
        return try await ask(message, mustBeSigned: false)
    }

    // MARK: Talking

    private func change(
        _ name: String, _ zone: String, _ prerequisites: [UpdateMessage.Entry], _ updates: [UpdateMessage.Entry]
    ) async throws(UpdateError) -> ReplyMessage {
        guard
            let message = UpdateMessage.octets(
                zone: zone, name: name, prerequisites: prerequisites, updates: updates)
        else { throw UpdateError(.invalid, "the change of \(name) can't be written as a message") }
        return try await ask(message, mustBeSigned: true)
    }

    /// Sends a message over TCP, signed if there is a key, and checks who replied.
    ///
    /// - Parameter mustBeSigned: an unsigned reply of success is none. (Some servers sign only replies to updates.)
    private func ask(_ message: [UInt8], mustBeSigned: Bool) async throws(UpdateError) -> ReplyMessage {
        guard let key else { return try await exchange(message).reply }
        guard let signature = TransactionSignature(key) else {
            throw UpdateError(
                .invalid, "the TSIG key \(PrintableText.of(key.name)) needs a domain name and a secret in base64")
        }
        let signed = signature.sign(message, at: now())
        let (octets, reply) = try await exchange(signed.message)
        guard let finding = signature.check(octets, requestCode: signed.code, at: now()) else {
            let isSuccess = [.noError, .recordsExist, .recordsMissing].contains(reply.code)
            guard mustBeSigned, isSuccess else { return reply }
            throw UpdateError(
                .untrustedReply,
                "\(server) did not sign its answer with the key \(key.name), so nobody knows whose it is: "
                    + "let the server demand this key for changes")
        }
        if let problem = finding.problem { throw error(problem, finding, key) }
        guard finding.isGenuine else {
            throw UpdateError(
                .untrustedReply,
                "the answer of \(server) is not signed with our key \(key.name): something between "
                    + "Waxwing and the server changes messages, or the clocks differ by more than 5 minutes")
        }
        return reply
    }

    private func exchange(_ message: [UInt8]) async throws(UpdateError) -> (octets: [UInt8], reply: ReplyMessage) {
        let outcome = await Exchange.perform([Exchange(server: server, transport: .tcp, message: message)]).first
        switch outcome {
        case .reply(let octets):
            guard let reply = ReplyMessage(octets) else {
                throw UpdateError(.unreachable, "\(server) sent a malformed answer")
            }
            return (octets, reply)
        case .unreachable(let reason), .noRoute(let reason):
            throw UpdateError(
                .unreachable, "\(server) can't be reached over TCP (\(reason)): check its address, port and firewall")
        case nil:
            throw UpdateError(.unreachable, "\(server) was not asked")
        }
    }
}

// MARK: What servers refuse

extension DynamicUpdater {
    private func error(
        _ problem: TransactionSignature.Problem, _ finding: TransactionSignature.Finding, _ key: TSIGKey
    ) -> UpdateError {
        switch problem {
        case .badKey:
            UpdateError(
                .unknownKey,
                "\(server) does not know a key \(key.name) for \(key.algorithm.rawValue) (BADKEY): "
                    + "give both sides the same key name and algorithm")
        case .badSignature:
            UpdateError(
                .wrongSecret,
                "\(server) has another secret for the key \(key.name) (BADSIG): "
                    + "give both sides the same secret")
        case .badTime:
            UpdateError(
                .clocksDiffer,
                "the clocks of \(server) and of this machine differ\(difference(finding)) (BADTIME): "
                    + "set both by NTP")
        case .badTruncation:
            UpdateError(
                .wrongSecret,
                "\(server) wants another length of signatures by the key \(key.name) (BADTRUNC): "
                    + "let it take those of full length")
        }
    }

    private func difference(_ finding: TransactionSignature.Finding) -> String {
        // Said by somebody without our secret, it is worth nothing.
        guard finding.isGenuine, let theirs = finding.serverTime else { return "" }
        let ours = now()
        return theirs > ours ? ": ours is \(theirs - ours) seconds slow" : ": ours is \(ours - theirs) seconds fast"
    }

    private func check(_ reply: ReplyMessage, _ name: String, zone: String) throws(UpdateError) {
        switch reply.code {
        case .noError:
            return
        case .recordsExist, .recordsMissing, .nameExists, .nameError:
            throw UpdateError(
                .changedMeanwhile,
                "somebody else changes \(name) at \(server) at the same time "
                    + "(\(reply.codeText)): find out who does")
        case .refused:
            let who = key.map { "the key \($0.name)" } ?? "this machine's address"
            throw UpdateError(
                .refused,
                "\(server) does not let \(who) change \(name) (REFUSED): allow it in the server's policy "
                    + "for updates of the zone \(zone), and name the primary server")
        case .notAuthoritative:
            throw UpdateError(
                .notAuthoritative, "\(server) does not hold the zone \(zone) (NOTAUTH): name the zone's primary server")
        case .notZone:
            throw UpdateError(.notZone, "\(name) is not in the zone \(zone) of \(server) (NOTZONE): correct the zone")
        case .serverFailure:
            throw serverFailure(name)
        case .formatError, .notImplemented, nil:
            throw UpdateError(
                .serverFailure,
                "\(server) does not take the change of \(name) (\(reply.codeText)): "
                    + "it must allow dynamic updates (RFC 2136)")
        }
    }

    private func serverFailure(_ name: String) -> UpdateError {
        UpdateError(
            .serverFailure,
            "\(server) failed at \(name) (SERVFAIL): its log says why, such as a zone file or journal "
                + "that it can't write")
    }

    private func notAuthoritative(_ name: String) -> UpdateError {
        UpdateError(
            .notAuthoritative, "\(server) is not in charge of \(name): name the primary server of its zone")
    }
}
