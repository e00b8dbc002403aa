// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Mail
internal import Spooling
internal import Synchronization

/// Which octets a message leaves with.
enum DepartureForm: Hashable, Sendable {
    /// Those that are stored.
    case stored
    /// None above 127.
    case sevenBit
    /// None above 127, or where that can't be had those that are stored: the next hop is going to be asked.
    case sevenBitIfPossible
}

/// A message without octets above 127: what it becomes for next hops without 8BITMIME (RFC 6152 §3).
enum SevenBitForm: Sendable {
    /// It holds none.
    case stored
    /// With the body where that is kept in memory.
    case rendition(Rendition, body: [UInt8]?)
    case impossible(Diagnostic)
}

/// What signing for one next hop told of an encoded body, for the next one.
struct EncodedBody: Sendable {
    var octets: Int?
    var hashes: [BodyHash] = []
}

// Makes what leaves from what is stored. All of this but the first blocks: it reads files and uses private keys.
extension ForwardingEnvironment {
    /// Why a message can't be signed for any next hop of a route.
    ///
    /// Asked first, so that what waits for a key costs no question to the DNS, no thread and no look at its content.
    func hindrance(of message: MessageInFlight, on route: Route) -> DepartureFault? {
        guard !route.signing.isUnsigned, let error = signer.hindrance(of: message.claimed.authorDomain) else {
            return nil
        }
        return unsignable(message.claimed.queueID, error)
    }

    /// The message for one next hop, signed as it leaves.
    func depart(
        _ message: MessageInFlight, for nextHop: NextHop, as form: DepartureForm
    ) throws(DepartureFault) -> SignedContent {
        guard form != .stored, message.claimed.envelope.isEightBit else { return try sign(message, nextHop) }
        switch try message.sevenBitForm() {
        case .stored: return try sign(message, nextHop).declaredSevenBit
        case .rendition(let rendition, let body): return try sign(message, nextHop, rendition, body)
        case .impossible(let diagnostic):
            guard form == .sevenBitIfPossible else { throw DepartureFault(outcome: .failed(diagnostic)) }
            return try sign(message, nextHop)
        }
    }

    /// What a delivery has to become for a next hop without 8BITMIME.
    func sevenBit(_ delivery: Delivery) throws(DepartureFault) -> SignedContent {
        let content = delivery.content
        return try content.sevenBit { () throws(DepartureFault) in
            if case .stored = try delivery.message.sevenBitForm() { return content.declaredSevenBit }
            return try depart(delivery.message, for: content.nextHop, as: .sevenBit)
                .preceded(by: content.preface)
        }
    }

    private func sign(_ message: MessageInFlight, _ nextHop: NextHop) throws(DepartureFault) -> SignedContent {
        let claimed = message.claimed
        let headerSection: [UInt8]
        do throws(FileFault) { headerSection = try claimed.headerSection() } catch { throw .unreadable(error) }
        let body = BodyProbe(claimed.bodyReader)
        let known = message.storedBodyHashes.withLock { $0 }
        let departure = Departure(
            queueID: claimed.queueID, envelope: claimed.envelope, authorDomain: claimed.authorDomain,
            headerSection: headerSection, bodyHashes: claimed.bodyHashes + known, body: body.reader,
            nextHop: nextHop, keptFields: claimed.keptFields)
        let signed = try sign(departure, body)
        message.note(signed.keyUses)
        message.storedBodyHashes.withLock { known in
            known += signed.bodyHashes.filter { !known.contains($0) }
        }
        var (front, offset) = (signed.fields, 0)
        if !signed.removed.isEmpty {
            front += headerSection.without(signed.removed)
            offset = headerSection.count
            message.hold(octets: front.count)
        }
        return SignedContent(
            nextHop: nextHop, front: front, rest: .stored(from: offset),
            length: front.count + claimed.content.length - offset, isEightBit: claimed.envelope.isEightBit,
            keptFields: signed.fields)
    }

    private func sign(
        _ message: MessageInFlight, _ nextHop: NextHop, _ rendition: Rendition, _ encoded: [UInt8]?
    ) throws(DepartureFault) -> SignedContent {
        let claimed = message.claimed
        let body =
            if let encoded { BodyProbe { try $0(encoded[...]) } } else {
                BodyProbe(rendition.body(claimed.bodyReader))
            }
        // Neither the hashes nor the signatures that are kept with the message are of this rendition. Its own
        // signatures are not kept: another version of the encoder might make other octets at the next attempt.
        let known = message.encodedBody.withLock { $0 }
        let departure = Departure(
            queueID: claimed.queueID, envelope: claimed.envelope, authorDomain: claimed.authorDomain,
            headerSection: rendition.headerSection, bodyHashes: known.hashes, body: body.reader, nextHop: nextHop)
        let signed = try sign(departure, body)
        message.note(signed.keyUses)
        let front = signed.fields + rendition.headerSection.without(signed.removed) + [13, 10]
        message.hold(octets: front.count)
        let bodyLength = encoded?.count ?? body.octets ?? known.octets
        message.encodedBody.withLock { known in
            known.octets = bodyLength ?? known.octets
            known.hashes += signed.bodyHashes.filter { !known.hashes.contains($0) }
        }
        return SignedContent(
            nextHop: nextHop, front: front,
            rest: encoded.map { .memory($0) } ?? .encoded(rendition, from: claimed.headerLength + 2),
            length: bodyLength.map { front.count + $0 }, isEightBit: false)
    }

    private func sign(_ departure: Departure, _ body: BodyProbe) throws(DepartureFault) -> SignedDeparture {
        do throws(DepartureSigningError) {
            return try signer.sign(departure)
        } catch {
            // A signer that could not read the body is no fault of the keys.
            if let fault = body.fault { throw .unreadable(fault) }
            throw unsignable(departure.queueID, error)
        }
    }

    private func unsignable(_ id: QueueID, _ error: DepartureSigningError) -> DepartureFault {
        events(.signingDeferred(id, error))
        // RFC 3463 §3.8: X.7.5, cryptographic failure.
        let diagnostic = Diagnostic(status: EnhancedStatusCode(4, 7, 5), text: error.text, owner: .operator)
        return DepartureFault(outcome: .deferred(diagnostic), isWantOfKey: error.isWantOfKey)
    }
}

extension MessageInFlight {
    /// What becomes of the message for next hops without 8BITMIME.
    ///
    /// Blocks: it reads the message whole. Found out once.
    func sevenBitForm() throws(DepartureFault) -> SevenBitForm {
        try sevenBit.withLock { slot throws(DepartureFault) in
            if let known = slot { return known }
            let found = try findSevenBitForm()
            slot = found
            return found
        }
    }

    private func findSevenBitForm() throws(DepartureFault) -> SevenBitForm {
        do {
            let headerSection = try claimed.headerSection()
            if let diagnostic = headerSection.eightBitFault { return .impossible(diagnostic) }
            let plan = try Rendition.plan(headerSection: headerSection, goal: .sevenBit, body: claimed.bodyReader)
            guard let rendition = plan else { return .stored }
            guard case .inline(let content) = claimed.content else { return .rendition(rendition, body: nil) }
            var body: [UInt8] = []
            var encoder = rendition.makeEncoder()
            encoder.append(content.dropFirst(claimed.headerLength + 2), to: &body)
            encoder.finish(to: &body)
            hold(octets: body.count)
            return .rendition(rendition, body: body)
        } catch let error as RenditionError {
            let text = "the message holds 8-bit content and can't be converted for a next hop without 8BITMIME"
            return .impossible(Diagnostic(status: error.status, text: "\(text): \(error.text)", owner: .sender))
        } catch {
            throw .unreadable(error)
        }
    }
}

/// Looks on while a body is read: how long it is, and whether it could be read.
private final class BodyProbe: Sendable {
    private struct State {
        var octets: Int?
        var fault: FileFault?
    }

    private let body: BodyReader
    private let state = Mutex(State())

    init(_ body: @escaping BodyReader) {
        self.body = body
    }

    /// Octets of the body, once it was read to its end.
    var octets: Int? { state.withLock { $0.octets } }
    var fault: FileFault? { state.withLock { $0.fault } }

    var reader: BodyReader {
        { consume in
            var octets = 0
            do {
                try self.body { piece in
                    octets += piece.count
                    try consume(piece)
                }
                self.state.withLock { [octets] in $0.octets = octets }
            } catch {
                self.state.withLock { $0.fault = error as? FileFault }
                throw error
            }
        }
    }
}

extension [UInt8] {
    /// A header section without some whole fields.
    fileprivate func without(_ removed: [Range<Int>]) -> [UInt8] {
        var rest: [UInt8] = []
        var start = 0
        for range in removed {
            rest += self[start..<range.lowerBound]
            start = range.upperBound
        }
        return rest + self[start...]
    }

    /// Why this header section can't be sent without SMTPUTF8, whose fields no encoding of the body reaches.
    fileprivate var eightBitFault: Diagnostic? {
        guard let place = firstIndex(where: { $0 > 127 }) else { return nil }
        // The field begins after the last line end that no white space follows.
        var start = place
        while start > 0, !(self[start - 1] == 10 && self[start] != 32 && self[start] != 9) { start -= 1 }
        let name = String(
            decoding: self[start..<place].prefix { $0 != UInt8(ascii: ":") && $0 > 32 && $0 < 127 }, as: UTF8.self)
        // RFC 6531 §4.4: X.6.9, "UTF-8 header message cannot be transferred".
        return Diagnostic(
            status: EnhancedStatusCode(5, 6, 9),
            text: "the header field \(name) holds octets above 127, which only SMTPUTF8 could carry; "
                + "send the message again with the field encoded (RFC 2047)", owner: .sender)
    }
}
