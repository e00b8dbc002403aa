// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

internal import Glibc

/// ServerSocket is in charge of the socket of one `Exchange`: it never blocks and owns its descriptor.
///
/// Used by one thread.
final class ServerSocket {
    /// A datagram is sent again after these times, in case one was lost.
    private static let repetitions: [Duration] = [.seconds(1), .seconds(2), .seconds(3)]
    private static let maximumReplyOctets = 65_535
    /// A closed connection is an error and no signal.
    private static let flags = CInt(MSG_NOSIGNAL)

    private enum State {
        case waitingForDatagram
        case connecting
        case sending(ArraySlice<UInt8>)
        /// With the length before it (RFC 1035 §4.2.2).
        case reading([UInt8])
    }

    private let exchange: Exchange
    private var state: State
    private var due: ArraySlice<ContinuousClock.Instant> = []
    /// -1: there is none.
    private(set) var descriptor: CInt
    /// Nil as long as the reply may come.
    private(set) var outcome: Exchange.Outcome?

    init(_ exchange: Exchange, at time: ContinuousClock.Instant) {
        self.exchange = exchange
        let isStream = exchange.transport == .tcp
        state = isStream ? .connecting : .waitingForDatagram
        guard !exchange.message.isEmpty else {
            descriptor = -1
            outcome = .unreachable("there is no such question")
            return
        }
        let kind = CInt((isStream ? SOCK_STREAM : SOCK_DGRAM).rawValue)
        let family = exchange.server.address.isIPv6 ? AF_INET6 : AF_INET
        let options = CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        descriptor = socket(family, kind | options, 0)
        guard descriptor >= 0 else {
            let code = errno
            outcome =
                code == EAFNOSUPPORT
                ? .noRoute(Self.text(of: code)) : .unreachable("no socket can be made: \(Self.text(of: code))")
            return
        }
        connect()
        if outcome == nil, !isStream {
            due = ArraySlice(Self.repetitions.map { time + $0 })
            sendDatagram()
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// What to wait for.
    var events: Int16 {
        switch state {
        case .connecting, .sending: Int16(POLLOUT)
        case .waitingForDatagram, .reading: Int16(POLLIN)
        }
    }

    var nextRepetition: ContinuousClock.Instant? { due.first }

    /// Why there is no reply when the time is over.
    var lateReason: String {
        switch state {
        case .waitingForDatagram: "no reply in time"
        case .connecting: "no connection in time"
        case .sending, .reading: "no whole reply in time"
        }
    }

    func repeatIfDue(at time: ContinuousClock.Instant) {
        guard let next = due.first, next <= time else { return }
        due.removeFirst()
        sendDatagram()
    }

    /// Does what can be done without waiting.
    func advance() {
        switch state {
        case .waitingForDatagram: receiveDatagram()
        case .connecting: finishConnecting()
        case .sending(let rest): send(rest)
        case .reading(let octets): read(after: octets)
        }
    }

    // MARK: UDP

    /// The socket is connected: datagrams of others don't reach it.
    private func sendDatagram() {
        let message = exchange.message
        if unsafe Glibc.send(descriptor, message, message.count, Self.flags) < 0 { fail(errno) }
    }

    private func receiveDatagram() {
        var buffer = [UInt8](repeating: 0, count: Self.maximumReplyOctets)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { return fail(errno) }
        let reply = Array(buffer.prefix(count))
        if exchange.isAnswered(by: reply) { outcome = .reply(reply) }
    }

    // MARK: TCP

    private func finishConnecting() {
        var code: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return fail(errno) }
        guard code == 0 else { return fail(code) }
        let count = exchange.message.count
        send([UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)] + exchange.message)
    }

    private func send(_ octets: ArraySlice<UInt8>) {
        let count = unsafe octets.withUnsafeBytes { bytes in
            unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, Self.flags)
        }
        guard count >= 0 else { return fail(errno) }
        let rest = octets.dropFirst(count)
        state = rest.isEmpty ? .reading([]) : .sending(rest)
    }

    private func read(after octets: [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: Self.maximumReplyOctets + 2 - octets.count)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { return fail(errno) }
        guard count > 0 else {
            outcome = .unreachable("the server closed the connection without a whole reply")
            return
        }
        let octets = octets + buffer.prefix(count)
        state = .reading(octets)
        guard octets.count >= 2, octets.count >= 2 + (Int(octets[0]) << 8 | Int(octets[1])) else { return }
        let reply = Array(octets.dropFirst(2).prefix(Int(octets[0]) << 8 | Int(octets[1])))
        outcome = exchange.isAnswered(by: reply) ? .reply(reply) : .unreachable("the reply is to another question")
    }

    // MARK: Parts

    private func connect() {
        let server = exchange.server
        let result: CInt
        if server.address.isIPv6 {
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = UInt16(truncatingIfNeeded: server.port).bigEndian
            unsafe withUnsafeMutableBytes(of: &name.sin6_addr) { unsafe $0.copyBytes(from: server.address.octets) }
            result = unsafe connect(to: &name)
        } else {
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = UInt16(truncatingIfNeeded: server.port).bigEndian
            unsafe withUnsafeMutableBytes(of: &name.sin_addr) { unsafe $0.copyBytes(from: server.address.octets) }
            result = unsafe connect(to: &name)
        }
        let code = errno
        guard result != 0, code != EINPROGRESS else { return }
        // Said at once, these come from this machine's own table of routes.
        let isLocal = code == ENETUNREACH || code == EADDRNOTAVAIL
        outcome = isLocal ? .noRoute(Self.text(of: code)) : .unreachable(Self.text(of: code))
    }

    private func connect<Name>(to name: UnsafePointer<Name>) -> CInt {
        unsafe name.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            unsafe Glibc.connect(descriptor, generic, socklen_t(MemoryLayout<Name>.size))
        }
    }

    private func fail(_ code: CInt) {
        if code == EAGAIN || code == EINTR { return }
        outcome = .unreachable(Self.text(of: code))
    }

    private static func text(of code: CInt) -> String {
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}
