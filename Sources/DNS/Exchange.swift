// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc

/// One message to one name server, and the wait for its reply.
struct Exchange: Sendable {
    enum Transport: String, Hashable, Sendable {
        case udp = "UDP"
        case tcp = "TCP"
    }

    /// What came of it.
    enum Outcome: Hashable, Sendable {
        /// A reply to just this message.
        case reply([UInt8])
        /// None: why, in a few words.
        case unreachable(String)
        /// This machine can't send to the address at all: it has no IPv6, or no network.
        case noRoute(String)
    }

    /// All that one server is asked must be answered in this time.
    static let timeLimit = Duration.seconds(5)

    var server: ServerAddress
    var transport: Transport
    var message: [UInt8]

    /// Carries out all exchanges at once; the outcomes come in their order.
    static func perform(_ exchanges: [Exchange], within limit: Duration = timeLimit) async -> [Outcome] {
        await BlockingWork.run { performBlocking(exchanges, within: limit) }
    }

    /// One thread waits for all sockets.
    ///
    /// ldns could send too, but takes a datagram from anybody for the reply and lets a slow TCP reply last for ever.
    static func performBlocking(_ exchanges: [Exchange], within limit: Duration = timeLimit) -> [Outcome] {
        let start = ContinuousClock.now
        let deadline = start + limit
        let sockets = exchanges.map { ServerSocket($0, at: start) }
        while true {
            let now = ContinuousClock.now
            let open = sockets.filter { $0.outcome == nil }
            guard !open.isEmpty, now < deadline else { break }
            for socket in open { socket.repeatIfDue(at: now) }
            let next = open.compactMap(\.nextRepetition).min().map { min($0, deadline) } ?? deadline
            var descriptors = open.map { pollfd(fd: $0.descriptor, events: $0.events, revents: 0) }
            // EINTR: asked again in the next turn.
            guard unsafe poll(&descriptors, nfds_t(descriptors.count), milliseconds(from: now, to: next)) > 0 else {
                continue
            }
            for (socket, result) in zip(open, descriptors) where result.revents != 0 { socket.advance() }
        }
        return sockets.map { $0.outcome ?? .unreachable($0.lateReason) }
    }

    private static func milliseconds(from now: ContinuousClock.Instant, to then: ContinuousClock.Instant) -> CInt {
        let left = now.duration(to: then).components
        return CInt(clamping: max(0, left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1))
    }

    /// Whether `reply` answers this message: its ID and its question.
    ///
    /// Any other is a late one, or somebody's who wants to be believed.
    func isAnswered(by reply: [UInt8]) -> Bool {
        // RFC 1035 §4.1.1: ID, then QR and the opcode, …, QDCOUNT in octets 4 and 5.
        guard reply.count >= 12, message.count >= 12, reply[0] == message[0], reply[1] == message[1],
            reply[2] & 0x80 != 0, reply[2] & 0x78 == message[2] & 0x78
        else { return false }
        // An update's reply needs no zone section (RFC 2136 §3.8), nor does a refusal its question.
        let isUpdate = message[2] & 0x78 == 5 << 3
        if reply[4] == 0, reply[5] == 0 { return isUpdate || reply[3] & 0x0F != 0 }
        let end = endOfQuestion
        guard reply.count >= end, reply[4] == 0, reply[5] == 1 else { return false }
        return (12..<end).allSatisfy { Self.folded(reply[$0]) == Self.folded(message[$0]) }
    }

    /// Our own question is not compressed: labels, the root, type and class.
    private var endOfQuestion: Int {
        var index = 12
        while index < message.count, message[index] != 0 { index += Int(message[index]) + 1 }
        return min(index + 5, message.count)
    }

    private static func folded(_ octet: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(octet) ? octet | 0x20 : octet
    }
}
